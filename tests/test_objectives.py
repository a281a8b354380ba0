"""The objectives against torch's binary cross-entropy, closed forms and finite differences."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits
from torch.testing import assert_close

from gancore.objectives import OBJECTIVES, batch_mean

ENTROPIC = ["minimax", "non_saturating"]  # whose discriminator minimises a cross-entropy
SCORES = st.lists(st.floats(-8, 8), min_size=1, max_size=6)


def scores(*runs):
    """Scores (R, B, 1) in double precision, one list a run."""
    return torch.tensor(runs, dtype=torch.float64).unsqueeze(-1)


@pytest.mark.parametrize("name", ENTROPIC)
@given(real=SCORES, fake=SCORES)
def test_the_discriminator_minimises_the_mean_of_its_two_cross_entropies(name, real, fake):
    real, fake = scores(real).sigmoid(), scores(fake).sigmoid()
    found = OBJECTIVES[name].discriminator(real.logit(), fake.logit())
    on_real = binary_cross_entropy(real, torch.ones_like(real))
    on_fake = binary_cross_entropy(fake, torch.zeros_like(fake))
    assert_close(found, ((on_real + on_fake) / 2).reshape(1))


@given(fake=SCORES)
def test_the_generators_losses_are_those_of_goodfellow(fake):
    probability = scores(fake).sigmoid()
    assert_close(OBJECTIVES["minimax"].generator(scores(fake)), (1 - probability).log().mean().reshape(1))
    assert_close(OBJECTIVES["non_saturating"].generator(scores(fake)), -probability.log().mean().reshape(1))


@pytest.mark.parametrize("name", ENTROPIC)
def test_an_undecided_discriminator_loses_log_two(name):
    undecided = torch.zeros(3, 7, 1)
    assert_close(OBJECTIVES[name].discriminator(undecided, undecided), torch.full((3,), math.log(2)))


@given(score=st.floats(-30, 30))
def test_the_generators_gradients_are_minus_d_and_minus_one_minus_d(score):
    """d/ds log(1 - D) = -D, which vanishes where fakes are spotted; d/ds -log D = -(1 - D), which does not."""
    d = 1 / (1 + math.exp(-score))
    for name, expected in (("minimax", -d), ("non_saturating", d - 1)):
        s = scores([score]).requires_grad_()
        (gradient,) = torch.autograd.grad(OBJECTIVES[name].generator(s).sum(), s)
        assert gradient.item() == pytest.approx(expected, abs=1e-9)


@given(real=SCORES, fake=SCORES)
def test_the_critic_maximises_the_gap_of_mean_scores_and_the_generator_its_own(real, fake):
    wasserstein = OBJECTIVES["wasserstein"]
    gap = np.mean(real) - np.mean(fake)
    assert wasserstein.discriminator(scores(real), scores(fake)).tolist() == pytest.approx([-gap], abs=1e-12)
    assert wasserstein.generator(scores(fake)).tolist() == pytest.approx([-np.mean(fake)], abs=1e-12)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_step_down_a_players_loss_moves_scores_the_way_that_player_wants(name):
    objective = OBJECTIVES[name]
    real, fake = scores([-1.0, 2.0], [0.5, 0.1]).requires_grad_(), scores([1.0, -3.0], [0.2, 4.0]).requires_grad_()
    (raised,) = torch.autograd.grad(-objective.generator(fake).sum(), fake)
    assert (raised > 0).all()
    loss = -objective.discriminator(real, fake).sum()
    real_up, fake_up = torch.autograd.grad(loss, (real, fake), allow_unused=True)
    assert (real_up > 0).all()
    assert fake_up is None if name == "unseen_fakes" else (fake_up < 0).all()


@given(real=SCORES, fake=SCORES)
def test_a_discriminator_that_is_never_shown_fakes_minimises_the_real_half_of_its_cross_entropy(real, fake):
    real, fake = scores(real), scores(fake)
    found = OBJECTIVES["unseen_fakes"].discriminator(real, fake)
    assert_close(found, binary_cross_entropy_with_logits(real, torch.ones_like(real)).reshape(1))
    assert_close(OBJECTIVES["unseen_fakes"].generator(fake), OBJECTIVES["non_saturating"].generator(fake))


@pytest.mark.parametrize("name", OBJECTIVES)
@given(first=SCORES, second=SCORES)
def test_a_runs_loss_is_the_mean_over_its_own_batch(name, first, second):
    size = min(len(first), len(second))
    first, second = first[:size], second[:size]
    together, objective = scores(first, second), OBJECTIVES[name]
    for run, own in enumerate((first, second)):
        assert_close(objective.generator(together)[run], objective.generator(scores(own))[0])
        alone = objective.discriminator(scores(own), -scores(own))[0]
        assert_close(objective.discriminator(together, -together)[run], alone)


@pytest.mark.parametrize("name", ENTROPIC)
@pytest.mark.parametrize("score", [-1e4, -200.0, 200.0, 1e4])
def test_losses_and_gradients_of_extreme_scores_are_finite(name, score):
    s = torch.full((2, 3, 1), score, requires_grad=True)
    loss = OBJECTIVES[name].discriminator(s, -s) + OBJECTIVES[name].discriminator(-s, s) + OBJECTIVES[name].generator(s)
    assert loss.isfinite().all()
    assert torch.autograd.grad(loss.sum(), s)[0].isfinite().all()
    right = binary_cross_entropy_with_logits(s[0], torch.ones(3, 1)) * 2
    assert_close(OBJECTIVES[name].discriminator(s, -s)[0] * 2, right)


def test_the_batch_mean_leaves_only_the_replica_axis():
    x = torch.arange(24.0).reshape(2, 3, 4)
    assert batch_mean(x).tolist() == [5.5, 17.5]
