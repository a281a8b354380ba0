"""What is counted of generated temperatures, on shares over time that are known."""

import numpy as np
import pytest
import xarray as xr

from gancore.study import temperatures


def of(*runs, frames=()):
    """Runs on a cold and a hot place, observed every 10 steps, from the share of hot fakes over time."""
    hot = np.array(runs, dtype=float)
    coordinates = {"seed": range(100, 100 + len(runs)), "moment": 10 * np.arange(hot.shape[1]), "frame": list(frames)}
    return xr.Dataset({"mode_shares": (("seed", "moment", "mode"), np.stack([1 - hot, hot], -1))}, coordinates)


EARLY = [0, 1, 0, 0, 0, 0, 0, 0]
LATE = [0, 0, 0, 0, 0, 1, 0, 1]
BOTH = [0.5] * 8


def test_a_run_jumps_there_and_back_if_it_jumps_twice_and_still_does_if_so_in_the_second_half():
    found = temperatures.there_and_back(of(EARLY, LATE, BOTH, [0, 1] * 4))
    assert [rate.value for rate in found.values()] == [0.75, 0.5]
    assert temperatures.jumps(of(EARLY, LATE, BOTH)).tolist() == [2, 3, 0]


def test_the_networks_numbers_are_degrees_about_the_middle_of_the_places():
    assert temperatures.degrees(np.array([-1, 0, 1])).tolist() == [-28, 4, 36]


def test_hot_is_one_for_hot_fakes_none_for_cold_ones_and_a_half_for_both_or_neither():
    assert temperatures.hot(of([0, 1, 0.5, 0.25])).tolist() == [[0, 1, 0.5, 0.25]]
    assert temperatures.hot(of([0, 1]) * 0).tolist() == [[0.5, 0.5]]


def test_the_share_at_the_places_is_that_of_the_second_half_and_a_diverged_run_has_none():
    runs = of(BOTH, BOTH, BOTH)
    runs.mode_shares[:, :4] = 0
    assert temperatures.at_places(runs).value == pytest.approx(1)
    runs.mode_shares[1:] = np.nan
    assert temperatures.at_places(runs).value == 0


def test_frames_around_the_first_jump_of_the_second_half_or_around_the_middle_without_one():
    frames = range(0, 80, 10)
    assert temperatures.around_jump(of(LATE, frames=frames), (-2, 0, 1)) == [3, 5, 6]
    assert temperatures.around_jump(of(BOTH, frames=frames), (-1, 0, 9)) == [3, 4, 7]


def test_the_pace_is_the_jumps_of_each_stretch_and_adds_up_to_all_of_them():
    runs = of(EARLY, LATE, BOTH)
    paces, middles = temperatures.pace(runs, every=4)
    assert paces.tolist() == [[2, 0], [0, 3], [0, 0]] and middles.tolist() == [20, 60]
    assert paces.sum(1).tolist() == temperatures.jumps(runs).tolist()
