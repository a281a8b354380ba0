"""Phase diagrams against a plain count of runs, cell by cell."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from gancore.study.phases import STATES, legend_of_states, phase_map, states, weights_with

COUNTS = arrays(
    float, (3, 4, 2, 2), elements=st.sampled_from([0, 1, 2, 3, 4, 5, 6, np.nan])
)  # seed, rate, weight, step


def runs(occupied, held):
    dims = ("seed", "rate", "weight", "step")
    return xr.Dataset(
        {"occupied": (dims, occupied), "held": (dims, held)},
        {"rate": [0.1, 0.2, 0.5, 1.0], "weight": [0.0, 10.0]},
    )


@given(occupied=COUNTS, held=COUNTS)
def test_the_share_of_each_state_is_a_plain_count_of_the_cells_runs(occupied, held):
    found = states(runs(occupied, held), few=3, most=5)
    assert found.dims == ("state", "rate", "weight")
    for rate in range(4):
        for weight in range(2):
            count = dict.fromkeys(STATES, 0)
            for seed in range(3):
                modes, good = occupied[seed, rate, weight, -1], held[seed, rate, weight, -1]
                fell = np.isnan(modes) or modes <= 3
                count["collapsed" if fell else "covers" if good >= 5 else "neither"] += 1
            assert found[:, rate, weight].values.tolist() == pytest.approx([count[s] / 3 for s in STATES])


def test_a_cell_of_one_state_has_its_colour_and_a_mixed_one_their_mean():
    occupied = np.full((2, 4, 2, 1), 6.0)
    held = occupied.copy()
    occupied[:, 0, 0], occupied[0, 1, 0], held[:, 2, 1] = 1, 1, 2
    axes = plt.figure().subplots()
    phase_map(axes, states(runs(occupied, held), 3, 5).transpose("state", "weight", "rate"), "a map")
    colours = axes.images[0].get_array()  # (up, across, 3)
    purple, grey, green = (np.array(to_rgb(colour)) for colour in STATES.values())
    assert np.allclose(colours[0, 0], purple) and np.allclose(colours[1, 2], grey) and np.allclose(colours[1, 0], green)
    assert np.allclose(colours[0, 1], (purple + green) / 2)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.1", "0.2", "0.5", "1"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("rate", "weight")
    assert [patch.get_label() for patch in legend_of_states()] == list(STATES)
    plt.close("all")


def test_weights_are_named_by_the_share_of_runs_in_a_state():
    shares = [[1.0, 0.5, 0.0, 0.0], [0.0, 0.5, 0.0, 0.25], [0.0, 0.0, 1.0, 0.75]]
    of = xr.DataArray(shares, {"state": list(STATES), "weight": [0, 0.001, 0.1, 10]}, ("state", "weight"))
    assert weights_with(of, "covers", 0.75) == "0.1, 10"
    assert weights_with(of, "collapsed", 0, most=0) == "0.1, 10" and weights_with(of, "collapsed", 0.5) == "0, 0.001"
    assert weights_with(of, "neither", 0.9) == "none"
