"""EBGAN by its formulas, run by run, and that its players learn what the paper wants of them."""

import pytest
import torch
from arms import ADAM, CPU, NORMAL_THROUGHOUT, moons, ordinary, player, same, trained, whole_and_resumed
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gancore.errors import StudyError
from gancore.games.ebgan import energy
from gancore.nets.weighted import Weighted, features
from gancore.observers import observers
from gancore.recipes.build import population
from gancore.remedies.pulling_away import pulling_away
from gancore.training.loop import train


def recipe(margin=1.0, **more):
    arm = moons(points=None, optimiser=ADAM, initialiser=NORMAL_THROUGHOUT, **more)
    arm["players"]["discriminator"] = player([6], "tanh", ADAM, NORMAL_THROUGHOUT) | {"code": 3}
    del arm["objective"]
    return arm | {"game": "ebgan", "margin": margin}


def pictures(margin=1.0):
    arm = recipe(margin) | {"target": {"name": "pictures", "images": "digits"}}
    arm["players"]["discriminator"] = {key: arm["players"]["discriminator"][key] for key in arm["players"]["generator"]}
    del arm["players"]["discriminator"]["hidden"]
    arm["players"]["discriminator"] |= {"network": "convolutional", "channels": [4], "strides": [4], "code": 3}
    return arm


@given(real=st.lists(st.floats(0, 5), min_size=1, max_size=5), fake=st.lists(st.floats(0, 5), min_size=1, max_size=5))
def test_the_losses_are_those_of_the_papers_equations_1_and_2(real, fake):
    objective = energy(torch.tensor([2.0, 0.5], dtype=torch.float64))
    on_real, on_fake = (-torch.tensor([e, e], dtype=torch.float64).unsqueeze(2) for e in (real, fake))
    for run, margin in enumerate((2.0, 0.5)):
        expected = sum(real) / len(real) + sum(max(0.0, margin - e) for e in fake) / len(fake)
        assert objective.discriminator(on_real, on_fake)[run].item() == pytest.approx(expected)
        assert objective.generator(on_fake)[run].item() == pytest.approx(sum(fake) / len(fake))


def test_a_score_is_minus_the_error_of_a_reconstruction_run_by_run():
    runs = population(recipe(), range(3), CPU, torch.float64)
    judge, x = runs.game.discriminator, runs.real(0)
    for run in range(3):
        encoder, decoder = ordinary(judge.encoder, run, "tanh", output="tanh"), ordinary(judge.decoder, run, "tanh")
        expected = torch.stack([-torch.nn.functional.mse_loss(decoder(encoder(point)), point) for point in x[run]])
        assert_close(judge(x)[run, :, 0], expected)
    assert judge(x).shape == (3, 32, 1) and [layer.weight.shape[1] for layer in judge.decoder] == [6, 2]


def test_the_gradient_of_a_runs_loss_is_its_own():
    runs = population(recipe(), range(3), CPU, torch.float64)
    for name, network in runs.game.players.items():
        loss = runs.game.loss(name, runs.game.batch(*runs.draw(0)))
        weights = list(network.parameters())
        for run, own in enumerate(torch.autograd.grad(part, weights, retain_graph=True) for part in loss):
            for gradient in own:
                assert gradient[run].any() and not gradient[[r for r in range(3) if r != run]].any()


def test_fakes_beyond_the_margin_teach_the_discriminator_nothing():
    fake = torch.tensor([[[-0.5], [-3.0]]], requires_grad=True)
    loss = energy(torch.tensor(1.0)).discriminator(torch.zeros(1, 2, 1), fake)
    assert torch.autograd.grad(loss.sum(), fake)[0].flatten().tolist() == [0.5, 0]


@pytest.mark.parametrize("arm", [recipe, pictures], ids=["points", "pictures"])
def test_its_features_are_the_code_with_its_own_weights_or_others(arm):
    judge = population(arm(), range(2), CPU).game.discriminator
    x = torch.randn(2, 5, 64 if arm is pictures else 2)
    assert torch.equal(features(judge, x), judge.encoder(x)) and features(judge, x).shape == (2, 5, 3)
    others = [weight.detach() + 0.1 for weight in judge.parameters()]
    moved = features(Weighted(judge, others), x)
    for weight, other in zip(judge.parameters(), others, strict=True):
        weight.data.copy_(other)
    assert torch.equal(moved, features(judge, x))


def test_the_repelling_term_is_of_the_codes():
    arm = recipe() | {"remedies": [{"name": "pulling_away", "weight": 0.3}]}
    runs = population(arm, range(2), CPU)
    batch = runs.game.batch(*runs.draw(0))
    expected = runs.game.loss("generator", batch) + 0.3 * pulling_away(runs.game.discriminator.encoder(batch.fake))
    assert_close(runs.remedies.loss(runs.game, "generator", batch), expected)


def test_a_discriminator_learns_to_draw_real_points_and_not_fakes_up_to_the_margin():
    arm = recipe()
    arm["players"]["generator"]["optimiser"] = {"name": "sgd", "rate": 0}
    runs = population(arm, range(3), CPU)
    before = runs.game.loss("discriminator", runs.game.batch(*runs.draw(0)))
    train(runs, 300)
    batch = runs.game.batch(*runs.draw(0))
    assert (runs.game.loss("discriminator", batch) < before).all()
    assert (runs.game.discriminator(batch.real).mean(1) > runs.game.discriminator(batch.fake).mean(1)).all()


def test_a_generator_learns_to_make_what_its_discriminator_can_draw():
    arm = recipe()
    arm["players"]["discriminator"]["optimiser"] = {"name": "sgd", "rate": 0}
    runs = population(arm, range(3), CPU)
    losses = torch.stack(train(runs, 20).first_losses)[:, :, 0]
    assert (losses[-3:].mean(0) < losses[:3].mean(0)).all()


def test_runs_train_as_each_would_alone_with_a_margin_of_their_own():
    sweep = {"margin": {"sets": ["margin"], "values": [0.5, 2.0]}}
    together = trained(recipe() | {"sweep": sweep}, [3, 8], 20)
    for run, (seed, margin) in enumerate([(3, 0.5), (3, 2.0), (8, 0.5), (8, 2.0)]):
        for all_of_them, one in zip(together, trained(recipe(margin), [seed], 20), strict=True):
            assert_close(all_of_them[[run]], one, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("arm", [recipe, pictures], ids=["points", "pictures"])
def test_a_training_with_everything_at_once_goes_on_from_a_checkpoint_to_the_same_bits(arm, device, tmp_path):
    remedies = [{"name": "unrolling", "steps": 1}, {"name": "replay"}, {"name": "pulling_away"}, {"name": "averaging"}]
    said = arm() | {"remedies": remedies, "penalties": [{"name": "r1", "weight": 0.1, "every": 2}]}
    record, whole, resumed = whole_and_resumed(said, 7, 3, device, tmp_path)
    assert record.diverged.tolist() == [-1, -1] and same(resumed.state(), whole.state())


def test_its_scores_are_observed_as_those_of_other_discriminators():
    arm = recipe(observe={"arrows": {"times": 1, "half_width": 1, "places": 3}}, steps=2)
    runs = population(arm, [0], CPU)
    assert train(runs, 2, list(observers(arm["observe"], arm["steps"], runs).values())).observed


REFUSED = {
    "margin = 0: allowed is a number above 0": {"margin": 0},
    "margin = 'a': allowed is a number above 0": {"margin": "a"},
    "'objective' is unknown in the recipe": {"objective": "hinge"},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_cannot_be_meant_is_refused(sentence):
    with pytest.raises(StudyError, match=sentence):
        population(recipe() | REFUSED[sentence], [0], CPU)


def test_it_must_have_a_code():
    arm = recipe()
    del arm["players"]["discriminator"]["code"]
    with pytest.raises(StudyError, match="'code' is missing from the discriminator"):
        population(arm, [0], CPU)
