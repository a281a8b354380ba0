"""Which moments a story of two clusters shows, on fakes whose moves are known."""

import numpy as np
import xarray as xr

from gancore.study.guided_figures import around_a_hop


def on_a_line(places):
    """Twenty fakes at one place a frame, every second step."""
    x = np.tile(np.array(places, float)[None, :, None, None], (1, 1, 20, 1))
    return xr.Dataset({"snapshots": (("drawn", "frame", "point", "axis"), x)}, {"frame": 2 * np.arange(len(places))})


def test_the_story_is_a_stay_a_way_and_a_stay_at_the_other_cluster():
    places = [0, -1, -1, -1, -1, -1, 0, 0, 1, 1, 1, 1, 3]
    assert around_a_hop(on_a_line(places)).tolist() == [2 * frame for frame in (3, 5, 6, 8, 11)]


def test_of_several_changes_of_sides_the_calmest_is_shown():
    hasty, calm = [-1, -1, -1, 1, 1, 1, 0], [-1] * 5 + [0] + [1] * 5
    shown = around_a_hop(on_a_line(hasty + calm)) / 2 - len(hasty)
    assert shown.tolist() == [2, 4, 5, 6, 10]


def test_a_run_that_never_changes_sides_is_shown_at_even_moments():
    assert around_a_hop(on_a_line([-1] * 9)).tolist() == [0, 4, 8, 12, 16]
