"""AC-GAN and the game in which fakes are a class, against ordinary networks and torch's own cross-entropies."""

import math
from dataclasses import replace

import pytest
import torch
from arms import ADAM, CPU, ordinary, penalty_of_run, player, same, trained, whole_and_resumed
from test_guided import CLASSIFYING, CODED, SECTIONED, UNIFORM, digits_recipe, loss_of
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.testing import assert_close

from gancore.data.images import digits
from gancore.errors import StudyError
from gancore.objectives import objective_of
from gancore.observers import observers
from gancore.penalties import OF_POINTS
from gancore.recipes.build import population
from gancore.training.loop import train

SEEDS, FAKE = [3, 8], 10
PAPERS = {"generator": 1.0, "discriminator": 1.0}
LAZY_R1 = {"name": "r1", "weight": 0.3, "every": 2}
LAYERS = {"network": "convolutional", "channels": [4], "strides": [2], "activation": "leaky_relu"}
CONVOLUTIONS = {name: LAYERS | {"initialiser": UNIFORM, "optimiser": ADAM} for name in ("generator", "discriminator")}


def recipe(game, latent=CODED, **more):
    return digits_recipe(game, latent, **more)


def convolutional(game, **more):
    return recipe(game, players=CONVOLUTIONS, **more)


def exact(arm, seeds=SEEDS):
    """Runs in double precision and their first batch."""
    runs = population(arm, seeds, CPU, torch.float64)
    return runs, runs.game.batch(*runs.draw(0))


class Score(nn.Module):
    """The logarithm of P(real) / P(fake) in a discriminator's outputs, as its game reads them: (B, 11) -> (B, 1)."""

    def __init__(self, game):
        super().__init__()
        self.game = game

    def forward(self, outputs):
        if self.game == "acgan":
            return outputs[..., 10:]
        p = outputs.softmax(-1)[..., 10:]
        return ((1 - p) / p).log()


def alone(runs, batch, run):
    """One run's outputs for its real and its fake points (B, 11), and their classes (B,), by ordinary networks."""
    generator, judge = (ordinary(runs.game.players[name], run, "tanh") for name in ("generator", "discriminator"))
    real, fake = judge(batch.real[run]), judge(generator(batch.z[run]))
    return real, fake, batch.real_code[run].argmax(1), batch.z[run, :, :10].argmax(1)


# What each player minimises.


def told_apart(game, real, fake):
    score = Score(game)
    ones, zeros = torch.ones(len(real), 1).double(), torch.zeros(len(fake), 1).double()
    both = binary_cross_entropy_with_logits(score(real), ones) + binary_cross_entropy_with_logits(score(fake), zeros)
    return both / 2, binary_cross_entropy_with_logits(score(fake), ones)


@pytest.mark.parametrize("arm", [recipe, convolutional])
@pytest.mark.parametrize("game", CLASSIFYING)
def test_each_player_minimises_what_it_says_and_its_class_loss_times_its_weight(game, arm):
    runs, batch = exact(arm(game))
    weights = arm(game)["classification"]
    for run in range(len(SEEDS)):
        if arm is recipe:
            real, fake, y, asked = alone(runs, batch, run)
        else:
            real, fake = (runs.game.discriminator(x)[run] for x in (batch.real, batch.fake))
            y, asked = batch.real_code[run].argmax(1), batch.z[run, :, :10].argmax(1)
        of_real, of_fake = cross_entropy(real[:, :10], y), cross_entropy(fake[:, :10], asked)
        learned = (of_real + of_fake) / 2 if game == "acgan" else of_real / 2
        discriminators, generators = told_apart(game, real, fake)
        expected = {
            "generator": generators + weights["generator"] * of_fake,
            "discriminator": discriminators + weights["discriminator"] * learned,
        }
        for name, loss in expected.items():
            assert_close(runs.game.loss(name, batch)[run], loss, rtol=1e-9, atol=1e-9)


def test_with_weights_of_one_fakes_are_a_class_more_in_one_cross_entropy():
    runs, batch = exact(recipe("fake_class", classification=PAPERS))
    for run in range(len(SEEDS)):
        real, fake, y, asked = alone(runs, batch, run)
        halved = (cross_entropy(real, y) + cross_entropy(fake, torch.full_like(asked, FAKE))) / 2
        assert_close(runs.game.loss("discriminator", batch)[run], halved, rtol=1e-9, atol=1e-9)
        assert_close(runs.game.loss("generator", batch)[run], cross_entropy(fake, asked), rtol=1e-9, atol=1e-9)


def test_the_probability_of_real_is_what_the_class_of_fakes_leaves():
    runs, batch = exact(recipe("fake_class"))
    outputs = runs.game.discriminator(batch.real)
    assert_close(runs.game.score(outputs).sigmoid(), 1 - outputs.softmax(2)[..., FAKE:])


@pytest.mark.parametrize("objective", ["wasserstein", "relativistic"])
@pytest.mark.parametrize("game", CLASSIFYING)
def test_any_objective_is_of_the_scores(game, objective):
    runs, batch = exact(recipe(game, objective=objective, classification={"generator": 0.0, "discriminator": 0.0}))
    real, fake = (Score(game)(runs.game.discriminator(x)) for x in (batch.real, batch.fake))
    said = objective_of(objective)
    assert_close(runs.game.loss("discriminator", batch), said.discriminator(real, fake))
    assert_close(runs.game.loss("generator", batch), said.generator(*([real, fake] if said.compares else [fake])))


@pytest.mark.parametrize("game", CLASSIFYING)
def test_the_discriminator_is_not_shown_the_class(game):
    runs, batch = exact(recipe(game))
    assert runs.game.discriminator[0].weight.shape[2] == batch.real.shape[2] == 64


# Whom each loss moves.


@pytest.mark.parametrize("game", CLASSIFYING)
def test_the_gradient_of_a_runs_loss_is_its_own_and_the_discriminators_does_not_reach_the_generator(game):
    runs, batch = exact(recipe(game))
    for name, network in runs.game.players.items():
        for run, part in enumerate(runs.game.loss(name, batch)):
            for gradient in torch.autograd.grad(part, list(network.parameters()), retain_graph=True):
                assert gradient[run].any() and not gradient[1 - run].any()
    loss, weight = runs.game.loss("discriminator", batch).sum(), runs.game.generator[0].weight
    assert torch.autograd.grad(loss, weight, allow_unused=True) == (None,)


@pytest.mark.parametrize("mover, other", [("generator", "discriminator"), ("discriminator", "generator")])
@pytest.mark.parametrize("game", CLASSIFYING)
def test_a_players_class_loss_moves_that_player_alone(game, mover, other):
    after = {}
    for weight in (0.0, 5.0):
        runs = population(recipe(game, classification=PAPERS | {mover: weight}), SEEDS, CPU)
        runs.move(*runs.draw(0))
        after[weight] = {name: [p.detach() for p in net.parameters()] for name, net in runs.game.players.items()}
    assert same(after[0.0][other], after[5.0][other]) and not same(after[0.0][mover], after[5.0][mover])


def test_of_fakes_only_an_auxiliary_classifier_learns_the_class():
    for game, learns in {"acgan": True, "fake_class": False}.items():
        runs, batch = exact(recipe(game))
        otherwise = replace(batch, fake_code=batch.fake_code.roll(1, 1))
        before, after = (runs.game.loss("discriminator", shown) for shown in (batch, otherwise))
        assert torch.equal(before, after) != learns


@pytest.mark.parametrize("game", CLASSIFYING)
def test_a_discriminator_learns_the_classes_and_a_generator_to_show_them_to_it(game):
    wide = player([32], "leaky_relu", ADAM | {"rate": 5e-3}, UNIFORM)
    players = {"generator": wide | {"output": "tanh"}, "discriminator": wide}
    runs = population(recipe(game, classification=PAPERS, players=players), SEEDS, CPU)
    train(runs, 150)
    outputs = runs.game.discriminator(digits().held_out.expand(len(SEEDS), -1, -1))
    assert ((outputs[..., :10].argmax(2) == digits().held_out_labels).float().mean(1) > 0.8).all()
    _, batch = loss_of(runs)
    shown = runs.game.discriminator(batch.fake)[..., :10].argmax(2)
    assert ((shown == batch.fake_code.argmax(2)).float().mean(1) > 0.5).all()


# Penalties, replicas, precision and checkpoints.


@pytest.mark.parametrize("name", OF_POINTS)
@pytest.mark.parametrize("game", CLASSIFYING)
def test_a_penalty_is_of_the_slope_of_the_score(game, name):
    plain, batch = exact(recipe(game))
    runs, _ = exact(recipe(game, penalties=[{"name": name, "weight": 0.3}]))
    added = runs.game.loss("discriminator", batch) - plain.game.loss("discriminator", batch)
    for run in range(len(SEEDS)):
        judge = nn.Sequential(ordinary(runs.game.discriminator, run, "tanh"), Score(game))
        parts = {"real": batch.real[run], "fake": batch.fake[run], "epsilon": batch.epsilon[run]}
        assert_close(added[run], 0.3 * penalty_of_run(name, judge, parts), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("game", CLASSIFYING)
def test_a_lazy_penalty_is_added_every_other_turn_at_twice_the_weight(game):
    (lazy, batch), (always, _), (never, _) = (
        exact(recipe(game, penalties=p)) for p in ([LAZY_R1], [{"name": "r1", "weight": 0.3}], [])
    )
    lazily, added, plain = (runs.game.loss("discriminator", batch) for runs in (lazy, always, never))
    assert_close(lazily - plain, 2 * (added - plain))
    batch.turn = 1
    assert torch.equal(lazy.game.loss("discriminator", batch), plain)


@pytest.mark.parametrize("arm", [recipe, convolutional])
@pytest.mark.parametrize("game", CLASSIFYING)
def test_a_run_trains_as_it_would_alone(game, arm):
    said = arm(game, penalties=[LAZY_R1], turns={"discriminator": 2})
    among, alone = (trained(said, seeds, 6) for seeds in ([5, 7, 9], [7]))
    for all_of_them, one in zip(among, alone, strict=True):
        assert_close(all_of_them[[1]], one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mover", ["generator", "discriminator"])
@pytest.mark.parametrize("game", CLASSIFYING)
def test_a_weight_may_differ_from_run_to_run_and_be_swept(game, mover):
    values = [0.0, 1.0, 4.0]
    sweep = {"weight": {"sets": [f"classification.{mover}"], "values": values}}
    together = trained(recipe(game, sweep=sweep), [3], 3)
    for cell, value in enumerate(values):
        said = recipe(game)["classification"] | {mover: value}
        for all_of_them, one in zip(together, trained(recipe(game, classification=said), [3], 3), strict=True):
            assert_close(all_of_them[[cell]], one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("arm", [recipe, convolutional])
@pytest.mark.parametrize("game", CLASSIFYING)
def test_a_training_with_everything_at_once_goes_on_from_a_checkpoint_to_the_same_bits(game, arm, device, tmp_path):
    matched = {"name": "feature_matching", "weight": 0.1, "adversarial": 1.0}
    remedies = [{"name": "unrolling", "steps": 1}, matched, {"name": "pulling_away"}, {"name": "averaging"}]
    said = arm(game, remedies=remedies, penalties=[LAZY_R1])
    record, whole, resumed = whole_and_resumed(said, 7, 3, device, tmp_path)
    assert record.diverged.tolist() == [-1, -1] and same(resumed.state(), whole.state())


# What is observed, and what is refused.


@pytest.mark.parametrize("latent", [CODED, SECTIONED])
@pytest.mark.parametrize("game", CLASSIFYING)
def test_it_is_watched_as_other_games_of_labelled_images_are_and_its_scores_too(game, latent):
    kinds = {"quality": {"points": 30}, "sections": {"points": 20}, "shares": {"points": 9}}
    kinds |= {"plates": {"pictures": 10}, "scores": {"pictures": 3}}
    said = recipe(game, latent, observe={kind: spec | {"times": 1} for kind, spec in kinds.items()})
    runs = population(said, SEEDS, CPU)
    watching = observers(said["observe"], said["steps"], runs)
    found = {name: value for observer in watching.values() for name, value in observer.measure({}).items()}
    assert found["section_shares"].sum(2).max() <= 1 and found["fid"].isfinite().all()
    x = digits().train.expand(len(SEEDS), -1, -1)
    known = Score(game)(runs.game.discriminator(x))[..., 0]
    shown = found["scores"][:, 0].float()
    assert all((known[run] - score).abs().min() < 1e-2 for run in range(len(SEEDS)) for score in shown[run])


REFUSED = {
    "'discriminator' is missing from the classification: allowed are": {"classification": {"generator": 1.0}},
    "'encoder' is unknown in the classification: allowed are": {"classification": PAPERS | {"encoder": 1.0}},
    "the generator's weight of the classification = -1: allowed is a number from 0 up": {
        "classification": PAPERS | {"generator": -1}
    },
    "the discriminator's weight of the classification = nan: allowed is": {
        "classification": PAPERS | {"discriminator": math.nan}
    },
    "the classification = 1.0: allowed is a dictionary": {"classification": 1.0},
    "the target 'pictures' in the game": {"target": {"name": "pictures", "images": "digits"}},
    "this needs latents that ask for a class": {"latent": 12},
    "classes of the latents = 9": {"latent": CODED | {"classes": 9}},
    "unknown penalty 'pairwise': allowed are r1": {"penalties": [{"name": "pairwise", "weight": 1.0}]},
    "the remedy 'packing' in the game": {"remedies": [{"name": "packing", "size": 2}]},
    "the remedy 'replay' in the game": {"remedies": [{"name": "replay"}]},
    "the remedy 'adagan' in the game": {"remedies": [{"name": "adagan", "components": 2, "steps": 3}]},
}


@pytest.mark.parametrize("sentence", REFUSED)
@pytest.mark.parametrize("game", CLASSIFYING)
def test_what_cannot_be_meant_is_refused_in_a_sentence(game, sentence):
    with pytest.raises(StudyError) as refused:
        population(recipe(game, **REFUSED[sentence]), [0], CPU)
    assert str(refused.value).startswith(sentence) and "allowed" in str(refused.value)
