"""Counts of modes, prices of weights and what is drawn of pairs, from datasets made by hand."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from gancore import stats
from gancore.observers.points import evaluation_points
from gancore.study import holding, pairs

RING = {"name": "ring", "modes": 4, "deviation": 0.1}


def runs_of(held, share=0.5, **more):
    """Runs that hold so many modes within nine deviations at the end, (runs,) or (runs, weights), and none before."""
    held = np.array(held, float)
    dims = ("seed", "weight")[: held.ndim]
    radii = np.stack([np.zeros_like(held), np.zeros_like(held), held, held], -1)
    over_time = np.stack([np.zeros_like(radii), radii], 1)
    dims = ("seed", "step", *dims[1:], "within")
    data = {"held_within": (dims, over_time), "share_within": (dims, np.full_like(over_time, share))}
    there = xr.Dataset(data | more, coords={"seed": np.arange(len(held)), "step": [0, 1]})
    return there.assign_attrs(recipe=json.dumps({"target": RING}))


def test_modes_are_held_by_their_share_and_a_diverged_run_holds_none():
    run = runs_of([4, 2, np.nan])
    assert holding.held(run).values.tolist() == [1, 0.5, 0] and holding.arrived(run).values.tolist() == [0.5] * 3
    assert holding.missing({"ring": run}) == {"runs that miss a mode (ring)": stats.rate(np.array([0, 1, 1]))}
    assert holding.every({"ring": run}) == {"every mode held (ring)": stats.rate(np.array([1, 0, 0]))}


def test_what_lives_is_counted_at_the_end():
    run = runs_of([4, 2], bending=(("seed", "step"), [[0, 0.6], [0, 0.8]]))
    found = holding.alive({"ring": run})
    assert found["bending units (ring)"].value == 0.7 and found["points that have arrived (ring)"].value == 0.5


def test_a_row_has_medians_and_nothing_for_runs_that_diverged():
    found = {name: np.array([1.0, 3.0, np.nan]) for name in ("captured", "held", "high_quality", "reverse_kl")} | {
        name: np.tile([0.0, 0.0, 5.0, 0.0], (3, 1)) for name in ("held_within", "share_within")
    }
    assert holding.row(found) == ["1", "1", "5", "5", "1", "3"]


def test_between_is_what_a_sampler_holds_and_noise_does_not():
    sampler, noise = ({"held_within": np.tile([0, 0, held, 0], (5, 1))} for held in (8, 2))
    assert holding.between(sampler, noise) == 0.75


def test_a_wider_network_gains_what_its_median_holds_more():
    of = {("encoder", 32): runs_of([1, 1, 2]), ("encoder", 128): runs_of([3, 4, 3])}
    of |= {("generator", width): runs_of([2, 2, 2]) for width in (32, 128)}
    found = holding.widened(of)
    assert found["wider generator"] == (0, 0, 0) and list(found) == ["wider encoder", "wider generator"]
    assert found["wider encoder"].value == 0.5 and found["wider encoder"].low > 0


def weighed(*rows):
    """A sweep over three weights, a row a run: modes of four that each holds."""
    return runs_of(rows).assign_coords(weight=[0.05, 0.5, 5.0])


def test_the_room_at_the_sources_weight_1_is_a_fifth_less_what_it_costs_against_the_best():
    found = holding.room_at_one({"ring": weighed([4, 2, 0], [4, 4, 0])})
    assert found["room at weight 1 (ring)"].value == pytest.approx(0.2 - 0.25)
    assert holding.best(weighed([4, 2, 0], [4, 4, 0])) == 1


def test_a_weight_for_all_costs_nothing_where_all_data_want_the_same():
    weights = np.array([0.1, 1.0, 10.0])
    alike = np.array([[[0, 1.0, 0.5]], [[0.2, 0.8, 0.1]]])
    apart = np.array([[[1.0, 0.4, 0.0]], [[0.0, 0.4, 1.0]]])
    assert holding.price(alike, weights) == (0, 0)
    assert holding.price(apart, weights) == pytest.approx((0.5, 2))
    one, other = [weighed([4, 2, 0]), weighed([0, 2, 4])], [weighed([0, 4, 0]), weighed([0, 4, 0])]
    found = holding.dearer(one, other)
    assert found["dearer by modes held"].value == pytest.approx(0.5)
    assert found["wider range of best weights"].value == pytest.approx(2)


def test_a_statistic_is_resampled_over_runs_and_a_mean_has_an_interval():
    values = np.arange(10.0)
    found = stats.resampled(lambda chosen: values[chosen].mean(), 10, resamples=2000)
    assert found.value == 4.5 and found.low == pytest.approx(stats.mean(values).low, abs=0.3)
    assert found.high == pytest.approx(stats.mean(values).high, abs=0.3)
    assert np.isnan(stats.resampled(lambda chosen: 1.0, 1).low)


def segments_of(way, slope):
    """Two seeds' reconstructions that lie by `way` before their points, with the same slope everywhere."""
    x = np.stack([evaluation_points(holding.target(runs_of([4])), seed, 5).numpy() for seed in (0, 1)])
    pulls = np.broadcast_to(np.array(slope), (2, 5, 3, 2))
    data = {"again": (("seed", "end", "axis"), x - way), "slope": (("seed", "end", "along", "axis"), pulls)}
    made = xr.Dataset(data, coords={"seed": [0, 1]})
    return made.assign_attrs(recipe=json.dumps({"target": RING}))


def test_pulls_are_measured_along_the_way_from_reconstructions_to_their_points():
    found = pairs.pulled(segments_of(way=[3.0, 4.0], slope=[0.8, 0.6]))
    assert np.allclose(found["distance"], 5) and np.allclose(found["length"], 1)
    assert np.allclose(found["cosine"], 0.96)
    assert pairs.far_and_near(segments_of([3.0, 4.0], [0.8, 0.6])) == ["100%", "0.96", "1.00", "none", "none"]
    assert pairs.far_and_near(segments_of([0.1, 0.0], [-2.0, 0.0])) == ["0%", "none", "none", "-1.00", "2.00"]


def test_arrows_are_cut_to_what_they_may_reach():
    figure, axes = plt.subplots()
    arrows = pairs.pulls(axes, segments_of([3.0, 4.0], [8.0, 6.0]), reach=1.0)
    assert np.allclose(np.hypot(arrows.U, arrows.V), 1)
    plt.close(figure)


def test_a_map_has_a_cell_a_data_set_and_weight_with_its_number():
    figure = pairs.weights_maps({"PGP": {"ring": weighed([4, 2, 0]), "grid": weighed([4, 4, 1])}})
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.00", "0.50", "0.00", "1.00", "1.00", "0.25"]
    plt.close(figure)
