"""What is said of methods side by side, against numbers counted by hand."""

import json

import numpy as np
import pytest
import xarray as xr

from gancore.study import comparison

RING = {"name": "ring", "modes": 8, "deviation": 0.01}


def runs(held, shares=None, target=RING, seconds=10.0):
    """Runs that hold so many modes after the last step, and, if given, the modes' shares over time (seeds, T, modes)."""
    held = np.array(held, float)[:, None, None] * np.ones(4)  # (seeds, step, within)
    data = {"held_within": (("seed", "step", "within"), held), "diverged": ("seed", np.full(len(held), -1))}
    if shares is not None:
        data["mode_shares"] = (("seed", "moment", "mode"), np.array(shares, float))
    recipe = json.dumps({"target": target, "steps": 4})
    return xr.Dataset(data, attrs={"recipe": recipe, "provenance": json.dumps({"seconds": seconds})})


def test_what_is_reached_is_the_share_of_modes_held_and_nothing_where_runs_diverged():
    assert comparison.reached(runs([8, 4, np.nan])).tolist() == [1, 0.5, 0]
    assert comparison.everything(runs([8, 7])).tolist() == [True, False]
    assert comparison.collapsed(runs([3, 4])).tolist() == [True, False]


def test_a_gain_is_over_plain_runs_of_the_same_seeds():
    plain, better = ({"ring": runs(held)} for held in ([2, 4, 4], [4, 6, 6]))
    assert comparison.gain(better, plain)[:3] == pytest.approx((0.25, 0.25, 0.25))
    assert comparison.better(better, plain) == pytest.approx((3 * 3 - 2 * 0.5) / 9)  # 4 against 4 twice is half each


def test_ranks_are_averaged_over_data_and_shared_by_equals():
    cells = {
        "a": {"one": runs([8, 8]), "other": runs([1, 1])},
        "b": {"one": runs([4, 4]), "other": runs([2, 2])},
        "c": {"one": runs([4, 4]), "other": runs([3, 3])},
    }
    assert comparison.ranks(cells) == {"a": (1 + 3) / 2, "b": (2.5 + 2) / 2, "c": (2.5 + 1) / 2}


def test_a_cost_is_the_time_of_a_run_over_that_of_a_plain_one():
    assert comparison.cost(runs([1, 1], seconds=30), runs([1, 1, 1], seconds=15)) == 3


def test_modes_are_lost_that_were_held_once_and_never_held_that_were_not():
    line = {"name": "line", "modes": 2, "deviation": 0.1}
    there_and_gone, never_there = [[0.5, 0.5], [1, 0]], [[1, 0], [1, 0]]
    found = runs([1, 1], [there_and_gone, never_there], line)
    assert comparison.lost(found).tolist() == [0.5, 0]
    assert comparison.never(found).tolist() == [0, 0.5]


def test_spreads_are_deviations_over_methods_and_over_seeds():
    cells = {"a": {"ring": runs([8, 4])}, "b": {"ring": runs([2, 2])}}
    assert comparison.spread(cells, ["a", "b"]) == pytest.approx(np.std([0.75, 0.25], ddof=1))
    assert comparison.spread_of_seeds(cells["a"]) == pytest.approx(np.std([1, 0.5], ddof=1))
