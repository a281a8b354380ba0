"""The objectives against torch's binary cross-entropy, closed forms and finite differences."""

import math

import numpy as np
import pytest
import torch
from arms import ADAM, CPU, moons, runs_of
from hypothesis import given
from hypothesis import strategies as st
from losses import LOSSES, NAMES, called
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits
from torch.testing import assert_close

from gancore.errors import StudyError
from gancore.objectives import batch_mean, objective_of
from gancore.recipes.build import population
from gancore.recipes.checks import check
from gancore.training.loop import train

SPECS = [spec for spec, _, _ in LOSSES]
ENTROPIC = ["minimax", "non_saturating"]  # whose discriminator minimises a cross-entropy
SCORES = st.lists(st.floats(-8, 8), min_size=1, max_size=6)


def scores(*runs):
    """Scores (R, B, 1) in double precision, one list a run."""
    return torch.tensor(runs, dtype=torch.float64).unsqueeze(-1)


def generators(objective, real, fake):
    """What the generator minimises, shown what its objective asks for."""
    return objective.generator(real, fake) if objective.compares else objective.generator(fake)


@pytest.mark.parametrize("name", ENTROPIC)
@given(real=SCORES, fake=SCORES)
def test_the_discriminator_minimises_the_mean_of_its_two_cross_entropies(name, real, fake):
    real, fake = scores(real).sigmoid(), scores(fake).sigmoid()
    found = objective_of(name).discriminator(real.logit(), fake.logit())
    on_real = binary_cross_entropy(real, torch.ones_like(real))
    on_fake = binary_cross_entropy(fake, torch.zeros_like(fake))
    assert_close(found, ((on_real + on_fake) / 2).reshape(1))


@given(fake=SCORES)
def test_the_generators_losses_are_those_of_goodfellow(fake):
    probability = scores(fake).sigmoid()
    assert_close(objective_of("minimax").generator(scores(fake)), (1 - probability).log().mean().reshape(1))
    assert_close(objective_of("non_saturating").generator(scores(fake)), -probability.log().mean().reshape(1))


@pytest.mark.parametrize("name", ENTROPIC)
def test_an_undecided_discriminator_loses_log_two(name):
    undecided = torch.zeros(3, 7, 1)
    assert_close(objective_of(name).discriminator(undecided, undecided), torch.full((3,), math.log(2)))


@given(score=st.floats(-30, 30))
def test_the_generators_gradients_are_minus_d_and_minus_one_minus_d(score):
    """d/ds log(1 - D) = -D, which vanishes where fakes are spotted; d/ds -log D = -(1 - D), which does not."""
    d = 1 / (1 + math.exp(-score))
    for name, expected in (("minimax", -d), ("non_saturating", d - 1)):
        s = scores([score]).requires_grad_()
        (gradient,) = torch.autograd.grad(objective_of(name).generator(s).sum(), s)
        assert gradient.item() == pytest.approx(expected, abs=1e-9)


@given(real=SCORES, fake=SCORES)
def test_the_critic_maximises_the_gap_of_mean_scores_and_the_generator_its_own(real, fake):
    wasserstein = objective_of("wasserstein")
    gap = np.mean(real) - np.mean(fake)
    assert wasserstein.discriminator(scores(real), scores(fake)).tolist() == pytest.approx([-gap], abs=1e-12)
    assert wasserstein.generator(scores(fake)).tolist() == pytest.approx([-np.mean(fake)], abs=1e-12)


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_a_step_down_a_players_loss_moves_scores_the_way_that_player_wants(spec):
    """Between the least squares' two targets, where every objective asks for the same direction."""
    objective = objective_of(spec)
    real, fake = scores([0.3, 0.9], [0.5, 0.1]).requires_grad_(), scores([0.6, 0.2], [0.7, 0.4]).requires_grad_()
    raised, lowered = torch.autograd.grad(-generators(objective, real, fake).sum(), (fake, real), allow_unused=True)
    pushed_away = isinstance(spec, dict) and spec.get("c") == 0  # from 0, towards neither target
    assert (raised < 0).all() if pushed_away else (raised > 0).all()
    assert lowered is None or (lowered < 0).all()
    loss = -objective.discriminator(real, fake).sum()
    real_up, fake_up = torch.autograd.grad(loss, (real, fake), allow_unused=True)
    assert (real_up > 0).all()
    assert fake_up is None if spec == "unseen_fakes" else (fake_up < 0).all()


@given(real=SCORES, fake=SCORES)
def test_a_discriminator_that_is_never_shown_fakes_minimises_the_real_half_of_its_cross_entropy(real, fake):
    real, fake = scores(real), scores(fake)
    found = objective_of("unseen_fakes").discriminator(real, fake)
    assert_close(found, binary_cross_entropy_with_logits(real, torch.ones_like(real)).reshape(1))
    assert_close(objective_of("unseen_fakes").generator(fake), objective_of("non_saturating").generator(fake))


@pytest.mark.parametrize(("spec", "discriminator", "generator"), LOSSES, ids=NAMES)
@given(first=SCORES, second=SCORES)
def test_a_runs_losses_are_those_of_the_papers_over_its_own_batch(spec, discriminator, generator, first, second):
    size = min(len(first), len(second))
    real, objective = scores(first[:size], second[:size]), objective_of(spec)
    fake = real.flip(0, 1) / 2 - 1
    told_apart, made = objective.discriminator(real, fake), generators(objective, real, fake)
    assert told_apart.shape == made.shape == (2,)
    for run in range(2):
        assert_close(told_apart[run], discriminator(real[run], fake[run]), rtol=1e-6, atol=1e-6)
        assert_close(made[run], generator(real[run], fake[run]), rtol=1e-6, atol=1e-6)


HAND = {  # of real scores 1 and 3 and fake scores 0 and -2: the discriminator's loss and the generator's
    "least_squares": ((0 + 4) / 4 + (0 + 4) / 4, (1 + 9) / 4),
    "hinge": (0 + (1 + 0) / 2, 1),
    "relativistic": ((math.log1p(math.exp(-1)) + math.log1p(math.exp(-5))) / 2, (math.log1p(math.e) + 5.006715) / 2),
    "relativistic_average": (
        (math.log1p(math.exp(-2)) + math.log1p(math.exp(-4))) / 2,
        (math.log1p(math.exp(2)) + math.log1p(math.exp(4))) / 2,
    ),
}


@pytest.mark.parametrize("name", HAND)
def test_losses_computed_by_hand(name):
    real, fake, objective = scores([1.0, 3.0]), scores([0.0, -2.0]), objective_of(name)
    found = objective.discriminator(real, fake).item(), generators(objective, real, fake).item()
    assert found == pytest.approx(HAND[name], abs=1e-6)


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_an_objective_is_symmetric_if_and_only_if_real_and_fake_change_places_with_the_sign(spec):
    objective, real, fake = objective_of(spec), scores([0.3, -1.7]), scores([0.9, 0.2])
    exchanged = objective.discriminator(-fake, -real)
    unseen = spec == "unseen_fakes"  # whose players have symmetric losses, while the discriminator's is a half
    assert torch.allclose(objective.discriminator(real, fake), exchanged) == (objective.symmetric and not unseen)


def test_only_what_compares_real_with_fake_is_shown_both():
    assert {name for name in NAMES if objective_of(SPECS[NAMES.index(name)]).compares} == {
        "relativistic",
        "relativistic_average",
    }


REFUSED = {
    "unknown objective 'kl': allowed are minimax": "kl",
    "'divergence' is missing from the objective 'f_gan'": "f_gan",
    "divergence of the objective 'f_gan' = 'alpha': allowed is 'kl' or ": {"name": "f_gan", "divergence": "alpha"},
    "'d' is unknown in the objective 'least_squares': allowed are a, b, c": {"name": "least_squares", "d": 1},
    "a of the objective 'least_squares' = True: allowed is a number": {"name": "least_squares", "a": True},
    "objective 3: allowed is a dictionary with a 'name', one of minimax": 3,
    "objective {'divergence': 'kl'}: allowed is a dictionary with a 'name'": {"divergence": "kl"},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_an_objective_that_cannot_be_meant_is_named_with_what_is_allowed(sentence):
    with pytest.raises(StudyError) as refused:
        check(moons() | {"objective": REFUSED[sentence]})
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_a_gan_is_trained_by_every_objective(spec):
    runs = runs_of(range(3), objective=spec, optimiser=ADAM)
    layers = [layer for network in runs.game.players.values() for layer in network]
    before = [layer.weight.clone() for layer in layers]
    record = train(runs, 20)
    assert record.diverged.tolist() == [-1] * 3
    assert all((layer.weight != old).flatten(1).any(1).all() for layer, old in zip(layers, before, strict=True))


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec != "unseen_fakes"], ids=called)
def test_a_discriminator_that_learns_alone_tells_real_from_fake(spec):
    recipe = moons(objective=spec, optimiser=ADAM)
    recipe["players"]["generator"]["optimiser"] = {"name": "sgd", "rate": 0}
    runs = population(recipe, range(3), CPU)
    losses = torch.stack(train(runs, 20).first_losses)[:, :, 1]
    assert (losses[-5:].mean(0) < losses[:5].mean(0)).all()


@pytest.mark.parametrize("name", ENTROPIC)
@pytest.mark.parametrize("score", [-1e4, -200.0, 200.0, 1e4])
def test_losses_and_gradients_of_extreme_scores_are_finite(name, score):
    s = torch.full((2, 3, 1), score, requires_grad=True)
    loss = (
        objective_of(name).discriminator(s, -s)
        + objective_of(name).discriminator(-s, s)
        + objective_of(name).generator(s)
    )
    assert loss.isfinite().all()
    assert torch.autograd.grad(loss.sum(), s)[0].isfinite().all()
    right = binary_cross_entropy_with_logits(s[0], torch.ones(3, 1)) * 2
    assert_close(objective_of(name).discriminator(s, -s)[0] * 2, right)


def test_the_batch_mean_leaves_only_the_replica_axis():
    x = torch.arange(24.0).reshape(2, 3, 4)
    assert batch_mean(x).tolist() == [5.5, 17.5]
