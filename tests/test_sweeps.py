"""A swept population is its cells trained alone, and is stored and read back in the right ones."""

import copy
import itertools
import json

import numpy as np
import pytest
import torch
from arms import CPU, player, same
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gancore.errors import StudyError
from gancore.observers import observers
from gancore.recipes.build import population
from gancore.recipes.sweeps import axes, cells, spread
from gancore.streams import BLOCK
from gancore.study import work
from gancore.study.results import Store
from gancore.training.loop import train

SEEDS = [4, 9]
ADAM = {"name": "adam", "rate": 1e-3, "beta1": 0.5}
HEAVY = {"name": "sgd", "rate": 1e-2, "momentum": 0.9}
RATE = ["players.discriminator.optimiser.rate"]
RATES, PENALTIES = [1e-4, 1e-2], [0, 0.1, 1]
BOTH = {"rate": {"sets": RATE, "values": RATES}, "penalty": {"sets": ["penalties.0.weight"], "values": PENALTIES}}
OBSERVE = {"measures": {"times": 2, "points": 50}, "basins": {"times": 2, "directions": 3, "reach": 1.0, "places": 21}}


def ring(optimiser=ADAM, observe=OBSERVE, **more):
    return {
        "target": {"name": "ring", "modes": 6, "deviation": 0.02},
        "latent": 3,
        "batch": 16,
        "objective": "non_saturating",
        "penalties": [{"name": "r1", "weight": 0.1}],
        "players": {
            "generator": player([6], "relu", optimiser, {"name": "he"}),
            "discriminator": player([8, 4], "tanh", optimiser),
        },
        "steps": 12,
        "observe": observe,
    } | more


def put(recipe, player, setting, value):
    recipe["players"][player]["optimiser"] |= {setting: value}


SWEPT = {
    "rate": (ADAM, RATE, RATES, lambda plain, value: put(plain, "discriminator", "rate", value)),
    "beta1": (
        ADAM,
        ["players.generator.optimiser.beta1", "players.discriminator.optimiser.beta1"],
        [0.0, 0.5, 0.9],
        lambda plain, value: [put(plain, name, "beta1", value) for name in plain["players"]],
    ),
    "momentum": (
        HEAVY,
        ["players.generator.optimiser.momentum"],
        [0, 0.5, 0.9],
        lambda plain, value: put(plain, "generator", "momentum", value),
    ),
    "penalty": (
        ADAM,
        ["penalties.0.weight"],
        PENALTIES,
        lambda plain, value: plain["penalties"][0].update(weight=value),
    ),
}
PAIRS = [("rate", "penalty"), ("penalty", "beta1"), ("momentum",), ("rate",)]


def sweep_of(names):
    return {name: {"sets": SWEPT[name][1], "values": SWEPT[name][2]} for name in names}


def plain_recipe(optimiser, cell, **more):
    """The recipe of one cell, with its values written in."""
    plain = json.loads(json.dumps(ring(optimiser, **more)))  # shares nothing between its players
    for name, value in cell.items():
        SWEPT[name][3](plain, value)
    return plain


def in_order(names, seeds):
    """Each run's seed and cell, in the order that a sweep trains them."""
    grid = [dict(zip(names, values, strict=True)) for values in itertools.product(*[SWEPT[name][2] for name in names])]
    return [(seed, cell) for seed in seeds for cell in grid]


@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_every_run_of_a_sweep_is_that_seed_trained_alone_with_its_cells_values(names, device):
    optimiser, steps = SWEPT[names[0]][0], 12
    together = population(ring(optimiser, sweep=sweep_of(names)), SEEDS, device)
    losses = torch.stack(train(together, steps).first_losses)
    ordered = in_order(names, SEEDS)
    assert together.seeds == [seed for seed, _ in ordered]
    for run, (seed, cell) in enumerate(ordered):
        alone = population(plain_recipe(optimiser, cell), [seed], device)
        assert_close(losses[:, run], torch.stack(train(alone, steps).first_losses)[:, 0], rtol=1e-5, atol=1e-5)
        for network, one in zip(together.game.players.values(), alone.game.players.values(), strict=True):
            for stacked, own in zip(network.parameters(), one.parameters(), strict=True):
                assert_close(stacked[run], own[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_the_cells_of_a_seed_begin_alike_and_no_two_of_them_end_alike(names):
    runs = population(ring(SWEPT[names[0]][0], sweep=sweep_of(names)), SEEDS, CPU)
    weights = runs.game.players["generator"][0].weight
    begun = weights.detach().clone().unflatten(0, (len(SEEDS), -1))
    assert torch.equal(begun, begun[:, :1].expand_as(begun)) and not torch.equal(begun[0], begun[1])
    train(runs, 12)
    ended = {tuple(run.flatten().tolist()) for run in weights.detach()}
    assert len(ended) == len(in_order(names, SEEDS))


AXES = st.dictionaries(st.sampled_from("abc"), st.lists(st.integers(0, 9), min_size=1, max_size=3), max_size=3)


@given(values=AXES, seeds=st.lists(st.integers(0, 99), max_size=3, unique=True))
def test_cells_are_in_the_order_of_nested_loops_the_last_axis_innermost(values, seeds):
    weight, rate = {"a": "0", "b": "1", "c": "2"}, "players.{}.optimiser.rate"
    sets = {name: [f"penalties.{weight[name]}.weight", rate.format(name)] for name in "abc"}
    recipe = {
        "penalties": [{"weight": -1, "name": "r1"} for _ in "abc"],
        "players": {name: {"optimiser": {"rate": -1}} for name in "abc"},
        "sweep": {name: {"sets": sets[name], "values": v} for name, v in values.items()},
    }
    before = copy.deepcopy(recipe)
    flat, runs = spread(recipe, seeds)
    assert recipe == before and "sweep" not in flat
    expected = [(seed, cell) for seed in seeds for cell in itertools.product(*values.values())]
    assert runs == [seed for seed, _ in expected]
    for place, name in enumerate("abc"):
        number = list(values).index(name) if name in values else None
        own = -1 if number is None else [cell[number] for _, cell in expected]
        assert flat["penalties"][place] == {"weight": own, "name": "r1"}
        assert flat["players"][name] == {"optimiser": {"rate": own}}
    assert axes(recipe) == values and cells(recipe) * len(seeds) == len(expected)


@pytest.mark.parametrize(
    "place",
    [
        "penalties.1.weight",
        "penalties.weight",
        "penalties.0.size",
        "reconstruction",
        "players.critic.optimiser.rate",
        "players.generator.optimiser.momentum",
        "players.generator.optimiser.rate.0",
        "target.name.0",
        "sweep.wrong.values",
        "",
    ],
)
def test_a_place_that_the_recipe_does_not_have_is_named_in_a_sentence(place):
    recipe = ring(sweep={"wrong": {"sets": [place], "values": [1, 2]}})
    with pytest.raises(StudyError, match=f"the sweep sets '{place}', which the recipe does not have"):
        population(recipe, [0], CPU)


@pytest.mark.parametrize(
    "place", ["target.deviation", "batch", "players.generator.optimiser.beta2", "players.generator.initialiser.weight"]
)
def test_a_place_that_is_the_same_for_all_runs_is_named_in_a_sentence(place):
    recipe = ring(ADAM | {"beta2": 0.9}, sweep={"wrong": {"sets": [place], "values": [1, 2]}})
    recipe["players"]["generator"]["initialiser"] = {"name": "normal", "weight": 1, "bias": 0}
    with pytest.raises(StudyError, match=f"the sweep sets '{place}', which is the same for all runs: allowed are"):
        population(recipe, [0], CPU)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


STORED = OBSERVE | {
    "snapshots": {"times": 3, "points": 5},
    "portraits": {"at": [0, 12], "points": 5},
}


def test_stored_runs_are_read_back_in_the_cells_that_they_were_trained_in(store, tmp_path):
    recipe = ring(sweep=BOTH, observe=STORED)
    work.train_piece(work.Piece("swept", recipe, [9]), store, CPU, tmp_path)
    work.train_piece(work.Piece("swept", recipe, [4, 9]), store, CPU, tmp_path)
    assert len(store.files("swept", recipe)) == 2
    runs = store.load("swept", recipe, SEEDS)
    assert runs.seed.values.tolist() == SEEDS
    assert runs.rate.values.tolist() == RATES and runs.penalty.values.tolist() == PENALTIES
    assert runs.basin_width.dims == ("seed", "rate", "penalty", "step") and runs.basin_width.notnull().all()
    assert sorted(runs.drawn.values.tolist()) == SEEDS
    for seed, cell in in_order(["rate", "penalty"], SEEDS):
        plain = plain_recipe(ADAM, cell, observe=STORED)
        alone = population(plain, [seed], CPU)
        record = train(alone, 12, list(observers(plain["observe"], plain["steps"], alone).values()))
        found = runs.sel(seed=seed, **cell)
        assert np.allclose(found.first_losses, torch.stack(record.first_losses)[:, 0], atol=1e-5)
        assert np.allclose(found.portraits, torch.stack(record.observed["portraits"], 1)[0], atol=1.01 / 256)
        assert np.allclose(found.reverse_kl, torch.stack(record.observed["reverse_kl"], 1)[0], atol=1e-5)
        if cell == {"rate": RATES[0], "penalty": PENALTIES[0]}:
            drawn = runs.snapshots.sel(drawn=seed)
            assert np.allclose(drawn, torch.stack(record.observed["snapshots"], 1)[0], atol=1.01 / 256)


def test_seeds_added_later_leave_the_stored_cells_as_they_were(store, tmp_path):
    recipe = ring(sweep=BOTH)
    work.train_piece(work.Piece("swept", recipe, range(2)), store, CPU, tmp_path)
    before = store.load("swept", recipe, range(2))
    work.train_piece(work.Piece("swept", recipe, range(4)), store, CPU, tmp_path)
    after = store.load("swept", recipe, [3, 0, 2, 1])
    assert after.seed.values.tolist() == [3, 0, 2, 1] and after.first_losses.notnull().all()
    assert after.sel(seed=[0, 1]).first_losses.equals(before.first_losses)
    assert list(tmp_path.glob("*.pt")) == []


def test_a_run_that_diverges_is_missing_in_its_own_cell_alone(store, tmp_path):
    rates = ["players.generator.optimiser.rate", *RATE]
    sweep = {"rate": {"sets": rates, "values": [1e-3, 1e30]}, "penalty": BOTH["penalty"]}
    recipe = ring({"name": "sgd", "rate": 1e-3}, sweep=sweep, steps=30)
    work.train_piece(work.Piece("swept", recipe, SEEDS), store, CPU, tmp_path)
    runs = store.load("swept", recipe, SEEDS)
    gone = runs.diverged >= 0
    assert gone.sel(rate=1e30, penalty=[0.1, 1]).all() and not gone.sel(rate=1e-3).any()
    assert (runs.reverse_kl.isel(step=-1).isnull() == gone).all() and runs.reverse_kl.isel(step=0).notnull().all()


@given(rates=st.integers(1, 40), weights=st.integers(1, 12), seeds=st.integers(0, 300), first=st.integers(0, 50))
def test_pieces_never_exceed_a_population_and_lose_no_seed(rates, weights, seeds, first):
    counted = {"rate": rates, "penalty": weights}
    sweep = {name: {"sets": BOTH[name]["sets"], "values": [0.1] * count} for name, count in counted.items()}
    arms = {"swept": ring(sweep=sweep), "plain": ring()}
    everything = list(work.pieces(arms, range(first, first + seeds), work.Share(1, 1)))
    for arm, each in (("swept", rates * weights), ("plain", 1)):
        parts = [piece.seeds for piece in everything if piece.arm == arm]
        assert [seed for part in parts for seed in part] == list(range(first, first + seeds))
        assert all(0 < len(part) * each <= work.POPULATION for part in parts)
        assert all(len(part) * each > work.POPULATION - each for part in parts[:-1])


@pytest.mark.parametrize("stop", [7, BLOCK])
def test_a_sweep_resumed_from_a_checkpoint_ends_with_the_same_bits(stop, device, tmp_path):
    steps, recipe = BLOCK + 20, ring(sweep=BOTH, steps=BLOCK + 20)
    first, resumed, whole = (population(recipe, SEEDS, device) for _ in range(3))
    watching = [list(observers(recipe["observe"], recipe["steps"], runs).values()) for runs in (first, resumed, whole)]
    train(first, stop, watching[0], tmp_path / "swept.pt", every_seconds=0.0)
    found = train(resumed, steps, watching[1], tmp_path / "swept.pt")
    expected = train(whole, steps, watching[2])
    assert same(resumed.state(), whole.state()) and not same(first.state(), whole.state())
    assert found.observed.keys() == expected.observed.keys()
    assert all(same(found.observed[name], values) for name, values in expected.observed.items())


def test_a_place_is_set_alone_also_where_players_share_a_dictionary():
    recipe, (player, _) = ring(), ring()["players"].values()
    recipe["players"] = {"generator": player, "discriminator": player}
    flat, _ = spread({**recipe, "sweep": {"rate": {"sets": RATE, "values": [1e-4, 1e-2]}}}, [0])
    assert flat["players"]["discriminator"]["optimiser"]["rate"] == [1e-4, 1e-2]
    assert flat["players"]["generator"]["optimiser"]["rate"] == player["optimiser"]["rate"] == 1e-3
