"""Remedies against formulas written out, and the properties that every one of them must have."""

import copy

import numpy as np
import pytest
import torch
from arms import ADAM, CPU, bigan, moons, same
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize
from torch.testing import assert_close

from gancore.errors import StudyError
from gancore.nets.weighted import Weighted, features
from gancore.observers import observers
from gancore.recipes.build import assembled, population
from gancore.remedies import REMEDIES
from gancore.remedies.mode_seeking import FINITE, closeness
from gancore.remedies.packing import packed
from gancore.remedies.pulling_away import pulling_away
from gancore.streams import generator_of
from gancore.training.loop import Record, train

EVERY = {
    "adagan": {"components": 20, "steps": 4, "points": 48, "classifier_steps": 3},
    "averaging": {"share": 0.25},
    "feature_matching": {"weight": 0.5, "adversarial": 1.0},
    "mode_seeking": {"weight": 0.5},
    "old_discriminators": {"share": 0.5, "every": 2, "kept": 3},
    "old_generators": {"share": 0.5, "every": 2, "kept": 3},
    "packing": {"size": 2},
    "pulling_away": {"weight": 0.3},
    "replay": {"share": 0.5, "kept": 5},
    "transport": {"weight": 0.4},
    "unrolling": {"steps": 2},
}
FIVE = ("packing", "replay", "unrolling", "feature_matching", "averaging")


def spec(name, **settings):
    return {"name": name, **EVERY[name], **settings}


def recipe(*remedies, optimiser=ADAM, steps=12, **more):
    return moons(optimiser=optimiser, steps=steps) | {"remedies": list(remedies)} | more


def runs_with(*remedies, seeds=(3, 4), dtype=torch.float64, **more):
    return population(recipe(*remedies, **more), seeds, CPU, dtype)


def plain(steps=12, seeds=(3, 4), optimiser=ADAM):
    runs = population(moons(optimiser=optimiser, steps=steps), seeds, CPU)
    train(runs, steps)
    return runs


def networks(runs):
    return [p.detach() for network in runs.game.players.values() for p in network.parameters()]


def batch_of(runs, step=0):
    return runs._batches(*runs.draw(step))[0]


def test_every_remedy_that_can_be_named_is_tried_here():
    assert EVERY.keys() == REMEDIES.keys()


# What every remedy must be.


@pytest.mark.parametrize("remedies", [*((name,) for name in EVERY), FIVE], ids="+".join)
def test_a_run_does_not_depend_on_its_neighbours(remedies):
    alone, among = (runs_with(*map(spec, remedies), seeds=seeds) for seeds in ([7], [5, 7, 9]))
    for runs in (alone, among):
        train(runs, 12)
    assert_close([p[0] for p in networks(alone)], [p[1] for p in networks(among)], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("remedies", [*((name,) for name in EVERY), FIVE], ids="+".join)
def test_a_training_that_goes_on_from_a_checkpoint_ends_with_the_same_bits(remedies, tmp_path):
    whole, first, second = (runs_with(*map(spec, remedies), dtype=torch.float32) for _ in range(3))
    train(whole, 70)
    train(first, 36, checkpoint=tmp_path / "c", every_seconds=-1)
    record = train(second, 70, checkpoint=tmp_path / "c", every_seconds=1e9)
    assert isinstance(record, Record) and same(second.state(), whole.state())


@pytest.mark.parametrize(
    "name", [name for name, of in EVERY.items() if name != "averaging" and {"share", "weight"} & of.keys()]
)
def test_a_number_for_each_run_is_that_number_for_that_run(name):
    setting = "share" if "share" in EVERY[name] else "weight"
    swept = assembled(recipe(spec(name, **{setting: [0.0, 0.4, 0.9]})), [3, 3, 3], CPU, torch.float64)
    train(swept, 12)
    for run, value in enumerate([0.0, 0.4, 0.9]):
        alone = runs_with(spec(name, **{setting: value}), seeds=[3])
        train(alone, 12)
        assert_close([p[run] for p in networks(swept)], [p[0] for p in networks(alone)], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    "remedy",
    [
        spec("unrolling", steps=0),
        spec("replay", share=0.0),
        spec("old_discriminators", share=0.0),
        spec("old_generators", share=0.0),
        spec("packing", size=1),
        spec("averaging"),
        spec("feature_matching", weight=0.0, adversarial=1.0),
        spec("pulling_away", weight=0.0),
        spec("mode_seeking", weight=0.0),
        spec("transport", weight=0.0),
    ],
    ids=lambda remedy: remedy["name"],
)
def test_a_remedy_that_does_nothing_leaves_the_plain_game_bit_for_bit(remedy):
    runs = runs_with(remedy, dtype=torch.float32)
    train(runs, 12)
    assert same(networks(runs), networks(plain()))


@pytest.mark.parametrize("name", [name for name in EVERY if name != "averaging"])
def test_a_remedy_changes_what_is_learned(name):
    runs = runs_with(spec(name), dtype=torch.float32)
    train(runs, 12)
    assert not same(networks(runs), networks(plain()))


@pytest.mark.parametrize("name", ["packing", "replay", "unrolling", "averaging", "feature_matching", "old_generators"])
def test_a_remedy_is_done_to_a_game_of_pairs_too(name):
    runs = population(bigan() | {"remedies": [spec(name)]}, [0, 1], CPU)
    record = train(runs, 8)
    assert torch.stack(record.first_losses).isfinite().all()


def test_five_remedies_train_together_and_every_one_of_them_matters():
    together = runs_with(*map(spec, FIVE), dtype=torch.float32)
    train(together, 12)
    for left_out in FIVE:
        fewer = runs_with(*(spec(name) for name in FIVE if name != left_out), dtype=torch.float32)
        train(fewer, 12)
        assert len(fewer.state()) != len(together.state()) or not same(fewer.state(), together.state())


def test_two_remedies_that_both_name_an_opponent_are_refused():
    with pytest.raises(StudyError, match="unrolling and olddiscriminators both say whom the generator plays against"):
        runs_with(spec("unrolling"), spec("old_discriminators"))


@pytest.mark.parametrize(
    ("remedy", "sentence"),
    [
        ({"name": "packing", "size": 3}, "packs of 3 out of 32 points"),
        ({"name": "packing", "size": 2, "colour": 1}, "'colour' is unknown in the remedy 'packing': allowed are size"),
        ({"name": "replay", "share": 1.5}, "share of the remedy 'replay' = 1.5: allowed is a number from 0"),
        ({"name": "unroling"}, "unknown remedy 'unroling': allowed are adagan, averaging"),
    ],
)
def test_a_remedy_that_cannot_be_meant_is_refused_with_a_sentence(remedy, sentence):
    with pytest.raises(StudyError, match=sentence):
        runs_with(remedy)


# Unrolling.


@pytest.mark.parametrize(
    "optimiser",
    [
        {"name": "sgd", "rate": 0.05},
        {"name": "sgd", "rate": 0.05, "momentum": 0.5},
        {"name": "adam", "rate": 0.01, "beta1": 0.5},
        {"name": "adam", "rate": 0.01, "until": 9},
    ],
    ids=str,
)
def test_the_opponent_is_the_discriminator_as_so_many_updates_on_this_batch_leave_it(optimiser):
    runs = runs_with(spec("unrolling", steps=3), optimiser=optimiser)
    train(runs, 4)
    batch = batch_of(runs, 4)
    found = runs.remedies.opponent(runs.game, batch)
    updated = copy.deepcopy(runs)
    for _ in range(3):
        loss = updated.game.loss("discriminator", batch)
        parameters = updated.optimisers["discriminator"].parameters
        for parameter in parameters:
            parameter.requires_grad_()
        updated.optimisers["discriminator"].step(torch.autograd.grad(loss.sum(), parameters))
    expected = [p.detach() for p in updated.game.discriminator.parameters()]
    assert_close([w.detach() for w in found.weights.values()], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimiser", [{"name": "sgd", "rate": 0.3}, {"name": "adam", "rate": 0.02}], ids=str)
def test_the_generators_gradient_flows_through_the_discriminators_updates(optimiser):
    """Against finite differences of its loss, and far from the gradient against a discriminator that stands still."""
    runs = runs_with(spec("unrolling", steps=3), optimiser=optimiser, seeds=[3])
    train(runs, 3)
    weight = runs.game.generator[0].weight

    def loss():
        return runs.remedies.loss(runs.game, "generator", batch_of(runs, 5)).sum()

    weight.requires_grad_()
    (slope,) = torch.autograd.grad(loss(), weight)
    frozen = runs.remedies.opponent(runs.game, batch_of(runs, 5))
    still = Weighted(frozen.network, [w.detach() for w in frozen.weights.values()])
    (direct,) = torch.autograd.grad(runs.game.loss("generator", batch_of(runs, 5), still).sum(), weight)
    numeric, step = torch.zeros_like(weight), 1e-6
    for place in range(weight.numel()):
        with torch.no_grad():
            ends = []
            for sign in (1, -1):
                weight.view(-1)[place] += sign * step
                with torch.enable_grad():
                    ends.append(loss().item())
                weight.view(-1)[place] -= sign * step
        numeric.view(-1)[place] = (ends[0] - ends[1]) / (2 * step)
    assert_close(slope, numeric, rtol=2e-4, atol=1e-7)
    assert (direct - slope).norm() > 0.01 * slope.norm()


# Packing.


def test_a_pack_is_its_points_side_by_side():
    x = torch.arange(24.0).reshape(1, 6, 4)
    assert packed(x, 3).tolist() == [[[*range(12)], [*range(12, 24)]]]


def test_a_discriminator_of_packs_gives_one_score_to_so_many_points_of_a_kind():
    runs = runs_with(spec("packing", size=4))
    batch, (discriminator, generator) = batch_of(runs), (runs.game.discriminator, runs.game.generator)
    scores = {
        kind: torch.stack([discriminator(x[:, i : i + 4].reshape(2, 1, 8))[:, 0, 0] for i in range(0, 32, 4)], 1)
        for kind, x in {"real": batch.real, "fake": generator(batch.z)}.items()
    }
    softplus = torch.nn.functional.softplus
    expected = (softplus(-scores["real"]).mean(1) + softplus(scores["fake"]).mean(1)) / 2
    assert_close(runs.remedies.loss(runs.game, "discriminator", batch), expected)
    assert_close(runs.remedies.loss(runs.game, "generator", batch), softplus(-scores["fake"]).mean(1))


# Memory.


def test_replay_shows_fakes_of_earlier_steps_and_no_others():
    runs, shown = runs_with(spec("replay", share=1.0, kept=100)), []
    for step in range(6):
        batch = batch_of(runs, step)
        lesson = runs.remedies.lesson(batch).fake
        if shown:
            earlier = torch.stack(shown, 1)  # (R, steps, D): the first fake of every step before
            assert (lesson[:, :, None] == earlier[:, None]).all(-1).any(-1).all()
        else:
            assert torch.equal(lesson, batch.fake)
        shown.append(batch.fake[:, 0].detach())
        runs.move(*runs.draw(step))


def test_replay_mixes_in_as_large_a_share_as_it_says_and_forgets_nothing_before_it_is_full():
    runs = population(recipe(spec("replay", share=0.3, kept=40)), range(50), CPU)
    train(runs, 30)
    batch = batch_of(runs, 30)
    again = (runs.remedies.lesson(batch).fake != batch.fake).any(2).double().mean()
    assert abs(again - 0.3) < 4 * (0.3 * 0.7 / (50 * 32)) ** 0.5
    (replay,) = runs.remedies
    assert replay.count.tolist() == [30] * 50 and (replay.old[:, :30] != 0).any(2).all()
    assert not replay.old[:, 30:].any()


@pytest.mark.parametrize(("name", "player"), [("old_discriminators", 1), ("old_generators", 0)])
def test_an_old_opponent_is_the_player_as_it_was_at_a_kept_moment(name, player):
    runs = runs_with(spec(name, share=1.0, every=2, kept=3))
    (history,), kept = runs.remedies, []
    for step in range(10):
        runs.move(*runs.draw(step))
        if step % 2 == 0:
            kept.append([p.detach().clone() for p in list(runs.game.players.values())[player].parameters()])
    weights = list(history.earlier(batch_of(runs, 10)).weights.values())
    for run in range(2):
        matches = [all(torch.equal(w[run], p[run]) for w, p in zip(weights, old, strict=True)) for old in kept]
        assert sum(matches) == 1 and matches.index(True) >= len(kept) - 3


# Features.


def test_features_are_what_the_last_layer_sees():
    runs = runs_with()
    x = batch_of(runs).real
    discriminator = runs.game.discriminator
    assert torch.equal(features(discriminator, x), discriminator[:-1](x))
    other = [torch.randn_like(p) for p in discriminator.parameters()]
    assert not torch.equal(features(Weighted(discriminator, other), x), discriminator[:-1](x))


def test_feature_matching_alone_is_the_squared_distance_of_mean_features():
    runs = runs_with(spec("feature_matching", weight=2.0, adversarial=0.0))
    batch, body = batch_of(runs), runs.game.discriminator[:-1]
    distances = [body(batch.real)[run].mean(0) - body(batch.fake)[run].mean(0) for run in range(2)]
    expected = torch.stack([2 * (distance**2).sum() for distance in distances])
    assert_close(runs.remedies.loss(runs.game, "generator", batch), expected)


def test_pulling_away_is_the_mean_squared_cosine_of_all_pairs():
    s = torch.randn(3, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    pairs = [(i, j) for i in range(5) for j in range(5) if i != j]
    unit = normalize(s, dim=2)
    expected = torch.stack([torch.stack([(run[i] @ run[j]) ** 2 for i, j in pairs]).mean() for run in unit])
    assert_close(pulling_away(s), expected)
    assert pulling_away(torch.ones(1, 4, 3)).item() == pytest.approx(1)


def test_closeness_is_how_far_latents_are_apart_over_how_far_their_fakes_are_pair_by_pair():
    x, z = (torch.randn(3, 5, d, dtype=torch.float64, generator=torch.Generator().manual_seed(d)) for d in (4, 2))
    for run in range(3):
        pairs = [(0, 2), (1, 3)]  # the fifth point has no like
        apart = [np.mean([abs(part[run, i] - part[run, j]).mean() for i, j in pairs]) for part in (x, z)]
        assert closeness(x, z)[run].item() == pytest.approx(1 / (apart[0] / apart[1] + FINITE))
    assert closeness(torch.ones_like(x), z).isfinite().all()


@given(scale=st.floats(0.1, 10))
def test_fakes_that_lie_farther_apart_are_less_close(scale):
    x, z = (torch.randn(2, 6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(d)) for d in (0, 1))
    assert_close(1 / closeness(scale * x, z) - FINITE, scale * (1 / closeness(x, z) - FINITE))


@pytest.mark.parametrize("name", ["mode_seeking", "transport"])
def test_what_is_added_to_the_loss_is_the_weight_times_the_term(name):
    runs, weight = runs_with(spec(name, weight=0.7)), 0.7
    batch = batch_of(runs)
    terms = {
        "mode_seeking": closeness(batch.fake, batch.z),
        "transport": torch.stack([((x - z) ** 2).sum(1).mean() / 2 for x, z in zip(batch.fake, batch.z, strict=True)]),
    }
    expected = runs.game.loss("generator", batch) + weight * terms[name]
    assert_close(runs.remedies.loss(runs.game, "generator", batch), expected)


def test_a_term_that_cannot_be_taken_is_refused():
    with pytest.raises(StudyError, match=r"latents of 3 dimensions .* as many as the points have, 2"):
        runs_with(spec("transport"), latent=3)
    fresh = {"target": {"name": "moons", "points": None}}
    with pytest.raises(StudyError, match="compares 1 point with none"):
        runs_with(spec("mode_seeking"), **fresh, batch=1)
    with pytest.raises(StudyError, match="compares 1 point with none"):
        train(runs_with(spec("packing"), spec("mode_seeking"), **fresh, batch=2), 1)


# Averages.


def test_an_average_follows_its_recursion_and_is_what_is_observed():
    observe = {"portraits": {"at": [0, 6], "points": 5}}
    runs = runs_with(spec("averaging", share=0.25), dtype=torch.float32)
    expected = [p.detach().clone() for p in runs.game.generator.parameters()]
    (watching,) = observers(observe, 6, runs).values()
    for step in range(6):
        runs.move(*runs.draw(step))
        expected = [
            0.75 * a + 0.25 * p.detach() for a, p in zip(expected, runs.game.generator.parameters(), strict=True)
        ]
    found = list(runs.network("generator").weights.values())
    assert_close(found, expected)
    assert not same(found, list(runs.game.generator.parameters()))
    z = torch.from_numpy(runs.latents.draw(5)(generator_of(3, "evaluation"), 1)[0])
    averaged = Weighted(runs.game.generator, expected)(z.expand(2, -1, -1))
    assert_close(watching.measure({})["portraits"][0], averaged[0])
