"""The first losses in double precision: the same runs, cast, and how files that lack them get theirs."""

import json

import numpy as np
import pytest
import torch
from arms import ADAM, CPU, bigan, moons, ordinary
from test_guided import digits_recipe
from test_train import textbook

from gancore.errors import StudyError
from gancore.observers import observers
from gancore.recipes.build import population
from gancore.study import replay
from gancore.study.replay import DOUBLE, complete, complete_all, first_losses, nudge, with_double_losses
from gancore.study.results import Store, as_dataset, read
from gancore.study.work import Piece, train_piece
from gancore.training.loop import FIRST_STEPS, train

pytestmark = pytest.mark.slow

SEEDS = [3, 4, 5]
ORIGIN = {"commit": "a" * 40, "dirty": False}
SWEEP = {"rate": {"sets": ["players.generator.optimiser.rate"], "values": [1e-4, 1e-3, 1e-2]}}
RECIPES = {
    "moons": moons(),
    "moons by Adam, swept": moons(optimiser=ADAM) | {"sweep": SWEEP},
    "few steps": moons(steps=5),
    "several turns": moons(points=None) | {"objective": "wasserstein", "turns": {"discriminator": 2}},
    "penalty": moons() | {"penalties": [{"name": "wgan_gp", "weight": 0.3}]},
    "acgan": digits_recipe("acgan", penalties=[{"name": "r1", "weight": 0.3}]),
    "fake_class": digits_recipe("fake_class", penalties=[{"name": "r1", "weight": 0.3}]),
    "bigan": bigan(penalties=[{"name": "pairwise", "weight": 0.1}], reconstruction=0.7),
}


def stored(tmp_path, recipe, change=lambda runs: None):
    """A file of runs as it was before losses were stored in double precision."""
    runs = population(recipe, SEEDS, CPU)
    change(runs)
    record = train(runs, recipe["steps"], list(observers(recipe["observe"], recipe["steps"], runs).values()))
    return Store(tmp_path).add("arm", recipe, as_dataset(recipe, runs, record), {"commit": "b" * 40})


@pytest.mark.parametrize("name", RECIPES)
def test_a_population_in_double_precision_starts_from_the_same_numbers_and_stays_double(name):
    single, double = (population(RECIPES[name], SEEDS, CPU, dtype) for dtype in (torch.float32, torch.float64))
    for one, other in zip(single.state(), double.state(), strict=True):
        assert torch.equal(one.double(), other)
    for one, other in zip(single.draw(70), double.draw(70), strict=True):
        assert torch.equal(one.double(), other)
    record = train(double, 3)
    assert {t.dtype for t in [*double.state(), *record.first_losses, *double.draw(3)]} == {torch.float64}


def test_a_population_in_double_precision_equals_the_textbook_loop_to_its_last_digits():
    runs = population(moons(), SEEDS, CPU, torch.float64)
    pairs = [[ordinary(runs.game.generator, r, "relu"), ordinary(runs.game.discriminator, r, "tanh")] for r in range(3)]
    losses = torch.stack(train(runs, FIRST_STEPS).first_losses)
    for run, pair in enumerate(pairs):
        expected = textbook(*pair, runs.real(0)[run], lambda step, r=run: runs.noise(step)[r], FIRST_STEPS)
        torch.testing.assert_close(
            losses[:, run], torch.tensor(list(expected), dtype=torch.float64), rtol=1e-12, atol=0
        )


@pytest.mark.parametrize("name", RECIPES)
def test_training_stores_the_losses_of_the_same_first_steps_in_double_precision(name, tmp_path):
    recipe, store = RECIPES[name], Store(tmp_path)
    train_piece(Piece("arm", recipe, SEEDS), store, CPU, tmp_path)
    (path,) = store.files("arm", recipe)
    runs = read(path)
    assert runs[DOUBLE].dtype == np.float64 and runs[DOUBLE].dims == runs.first_losses.dims
    assert runs.sizes["first_step"] == min(recipe["steps"], FIRST_STEPS)
    np.testing.assert_allclose(runs[DOUBLE], runs.first_losses, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(
        runs[DOUBLE].isel(first_step=0), runs.first_losses.isel(first_step=0), rtol=1e-6, atol=1e-6
    )
    code = json.loads(runs[DOUBLE].attrs["provenance"])
    assert code == {name: json.loads(runs.attrs["provenance"])[name] for name in ("commit", "dirty")}


@pytest.mark.parametrize("name", RECIPES)
def test_a_completed_file_has_its_losses_in_double_precision_and_is_else_unchanged(name, tmp_path):
    before = stored(tmp_path, RECIPES[name])
    content, old = before.read_bytes(), read(before)
    after = complete(before, ORIGIN)
    assert list(tmp_path.iterdir()) == [after] and after != before
    assert json.loads(read(after)[DOUBLE].attrs["provenance"]) == ORIGIN
    assert read(after).drop_vars(DOUBLE).identical(old)
    again = Store(tmp_path / "again").add("arm", RECIPES[name], read(after).drop_vars(DOUBLE), {"commit": "b" * 40})
    assert again.read_bytes() == content
    assert list(Store(tmp_path).load("arm", RECIPES[name], SEEDS).seed.values) == SEEDS


def test_a_file_from_a_processor_that_rounds_otherwise_is_completed(tmp_path):
    path = stored(tmp_path, RECIPES["bigan"], lambda runs: nudge(runs, 99))
    assert not np.array_equal(read(path).first_losses, first_losses(RECIPES["bigan"], SEEDS, torch.float32))
    assert DOUBLE in read(complete(path, ORIGIN))


@pytest.mark.parametrize("name", ["moons", "penalty", "bigan"])
def test_a_file_that_the_code_would_not_give_is_named_and_left_as_it_is(name, tmp_path, monkeypatch):
    def a_thousandth_off(runs):
        for optimiser in runs.optimisers.values():
            optimiser.rates = [1.001 * rate for rate in optimiser.rates]

    monkeypatch.setattr(replay, "provenance", lambda device: ORIGIN)
    wrong = stored(tmp_path / "01", RECIPES[name], a_thousandth_off)
    content = wrong.read_bytes()
    right = stored(tmp_path / "02", RECIPES[name])
    with pytest.raises(StudyError, match=f"1 stored files are as they were:\n{wrong.name}: today's code gives other"):
        complete_all(tmp_path, ["01", "02"])
    assert wrong.read_bytes() == content and not right.exists()
    complete_all(tmp_path, ["02"])  # nothing is left to do there


def test_losses_that_differ_in_one_run_alone_are_noticed(tmp_path):
    path = stored(tmp_path, RECIPES["moons"])
    runs = read(path)
    runs.first_losses[1, 7, 0] += 1e-4
    recipe = json.loads(runs.attrs["recipe"])
    assert not replay.still_computed(recipe, with_double_losses(runs, recipe, ORIGIN))


def test_nothing_is_completed_by_code_that_is_not_committed(tmp_path, monkeypatch):
    monkeypatch.setattr(replay, "provenance", lambda device: ORIGIN | {"dirty": True})
    with pytest.raises(StudyError, match="differs from its commit"):
        complete_all(tmp_path, ["01"])
