"""The losses over the whole training: thinned as a plain loop would, kept through checkpoints, stored and drawn."""

import numpy as np
import pytest
import torch
import xarray as xr
from arms import CPU, moons, runs_of, same
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from gancore.errors import StudyError
from gancore.recipes.build import population
from gancore.study import plots
from gancore.study.evidence import first_half
from gancore.study.results import Store, as_dataset
from gancore.training.loop import LOSSES, loss_steps, train

SEEDS = [3, 8]
LONG = 2 * LOSSES + 90  # so long that every fourth step is kept
SWEEP = {"rate": {"sets": ["players.generator.optimiser.rate"], "values": [5e-4, 1e30]}}


@given(steps=st.integers(1, 10**6))
def test_the_steps_kept_are_evenly_spaced_from_the_first_and_about_two_hundred_once_there_are_as_many(steps):
    kept = loss_steps(steps)
    assert kept[0] == 0 and kept[-1] >= steps - kept.step
    assert min(steps, LOSSES // 2) <= len(kept) <= LOSSES


@given(steps=st.integers(1, 10**5), more=st.integers(0, 10**5))
def test_a_longer_training_keeps_no_step_that_a_shorter_one_has_not_kept(steps, more):
    assert set(range(steps)) & set(loss_steps(steps + more)) <= set(loss_steps(steps))


@pytest.mark.parametrize("steps", [1, 30, LOSSES, LONG])
def test_the_losses_kept_are_those_of_their_steps_in_a_plain_loop(steps, device):
    moved = runs_of(SEEDS, device)
    expected = [moved.move(*moved.draw(step)).cpu() for step in range(steps)]
    record = train(runs_of(SEEDS, device), steps)
    assert same(record.losses, [expected[step] for step in loss_steps(steps)])
    assert same(record.first_losses, expected[: len(record.first_losses)])


@pytest.mark.parametrize("stop", [7, LOSSES + 1, LONG - 1])
def test_a_training_that_is_resumed_has_the_same_losses(stop, device, tmp_path):
    first, resumed, whole = (runs_of(SEEDS, device) for _ in range(3))
    train(first, stop, checkpoint=tmp_path / "moons.pt", every_seconds=0.0)
    found = train(resumed, LONG, checkpoint=tmp_path / "moons.pt").losses
    assert same(found, train(whole, LONG).losses) and len(found) == len(loss_steps(LONG))


def stored(recipe, seeds=SEEDS):
    runs = population(recipe, seeds, CPU)
    return as_dataset(recipe, runs, train(runs, recipe["steps"]))


@pytest.fixture(scope="module")
def swept():
    return stored(moons(steps=LONG) | {"sweep": SWEEP})


def test_losses_are_stored_by_step_and_player_and_cut_as_every_clock(swept):
    assert swept.losses.dims == ("seed", "rate", "loss_step", "player")
    assert swept.loss_step.values.tolist() == list(loss_steps(LONG))
    assert np.array_equal(swept.losses[..., :1, :], swept.first_losses[..., :1, :])
    half = first_half(swept.assign_attrs(recipe=f'{{"steps": {LONG}}}'))
    assert half.loss_step.values.tolist() == [step for step in loss_steps(LONG) if step <= LONG / 2]


@pytest.mark.parametrize("older", [0, 2])
def test_files_from_before_losses_were_stored_are_read_beside_those_that_have_them(older, tmp_path):
    recipe, store = moons(steps=30), Store(tmp_path)
    for first in (0, 2):
        runs = stored(recipe, [first, first + 1])
        store.add("z2", recipe, runs.drop_vars(["losses", "loss_step"]) if first == older else runs, {})
    together, alone = store.load("z2", recipe, range(4)), store.load("z2", recipe, [older, older + 1])
    assert together.losses.isnull().all(["loss_step", "player"]).values.tolist() == [
        s // 2 == older // 2 for s in range(4)
    ]
    assert together.first_losses.notnull().all() and "losses" not in alone
    xr.testing.assert_equal(alone.first_losses, together.first_losses.sel(seed=[older, older + 1]))


def test_every_run_is_drawn_and_the_median_of_those_that_last(swept):
    axes = plt.figure().subplots()
    plots.losses(axes, swept)
    drawn = [line.get_ydata() for line in axes.lines]
    for player in ("generator", "discriminator"):
        values = swept.losses.sel(player=player)
        lasting = values.sel(rate=5e-4).values
        assert np.isfinite(lasting).all() and not np.isfinite(values.sel(rate=1e30)).all("loss_step").any()
        for expected in (*values.values.reshape(-1, values.sizes["loss_step"]), np.median(lasting, 0)):
            assert any(np.array_equal(line, expected, equal_nan=True) for line in drawn)
    assert [text.get_text() for text in axes.legend().texts] == ["generator", "discriminator"]
    plt.close()


def test_runs_without_losses_are_refused_in_a_sentence(swept):
    with pytest.raises(StudyError, match="no losses stored: allowed are"):
        plots.losses(None, swept.drop_vars("losses"))


def test_nothing_that_is_kept_holds_on_to_what_is_not():
    record = train(runs_of(SEEDS), 30)
    assert all(x.untyped_storage().nbytes() == x.nbytes for x in record.losses) and torch.is_tensor(record.losses[0])
