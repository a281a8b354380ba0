"""What a surface knows of earlier fakes, against plain loops over pairs of observations."""

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot as plt

from gancore import stats
from gancore.study import forgetting
from gancore.study.colours import COLOURS
from gancore.study.ends import rates
from gancore.study.maps import Plane
from gancore.study.panels import by_lag, over_time

SEEDS, MOMENTS, MODES, EVERY, START = 5, 12, 6, 10, 800


@pytest.fixture
def observed():
    """Random observations of some runs, every 10 steps from 800 on."""
    rng = np.random.default_rng(3)
    pairs = {name: rng.random((SEEDS, MOMENTS, MOMENTS)) for name in ("turned", "told_apart", "away")}
    shares = {name: rng.dirichlet(np.ones(MODES), (SEEDS, MOMENTS)) for name in ("mode_shares", "drawn_to")}
    late, later = ("seed", "moment", "earlier"), ("seed", "moment", "mode")
    fields = {name: (late, values) for name, values in pairs.items()}
    fields |= {name: (later, values) for name, values in shares.items()}
    fields |= {"occupied": (("seed", "step"), rng.integers(1, 7, (SEEDS, MOMENTS)).astype(float))}
    fields |= {"peaks": (("seed", "moment", "radius"), rng.random((SEEDS, MOMENTS, 3)))}
    fields |= {"distance_correlation": (("seed", "moment"), rng.random((SEEDS, MOMENTS)))}
    moments = START + EVERY * np.arange(MOMENTS)
    return xr.Dataset(fields, {"moment": moments, "step": moments})


def mean_of_pairs(values, run, lag):
    return np.mean([values[run, later, later - lag] for later in range(lag, MOMENTS)])


def test_pairs_are_taken_by_the_steps_between_them(observed):
    found = forgetting.lagged(observed, "turned", 40)
    assert found.lag.values.tolist() == [0, 10, 20, 30, 40]
    for run in range(SEEDS):
        expected = [mean_of_pairs(observed.turned.values, run, lag) for lag in range(5)]
        assert found[run].values.tolist() == pytest.approx(expected)
    assert forgetting.lagged(observed, "turned", 10**6).sizes["lag"] == MOMENTS  # no farther than there are
    assert forgetting.lagged(observed, "turned", 1).lag.values.tolist() == [0, 10]  # and no nearer


def test_a_moment_is_compared_with_the_one_so_many_steps_before(observed):
    found = forgetting.before(observed, "away", 30)
    assert found.moment.values.tolist() == list(range(START + 30, START + EVERY * MOMENTS, EVERY))
    for run, place in np.ndindex(SEEDS, MOMENTS - 3):
        assert found[run, place] == observed.away[run, place + 3, place]


def test_what_is_forgotten_is_the_best_of_all_distances_less_the_worst_the_present_left_out(observed):
    for run in range(SEEDS):
        told, turned = (
            [mean_of_pairs(observed[name].values, run, lag) for lag in range(1, 11)]
            for name in ("told_apart", "turned")
        )
        assert forgetting.forgotten(observed)[run] == pytest.approx(max(told) - min(told))
        assert forgetting.turned(observed)[run] == pytest.approx(max(turned))
        assert forgetting.remembered(observed, 50)[run] == pytest.approx(told[4])


def test_the_effects_are_medians_and_differences_of_medians_over_runs(observed):
    still = observed.assign(turned=observed.turned / 4, told_apart=observed.told_apart / 4)
    effects = forgetting.flips(observed, still)
    turned = forgetting.turned(observed)
    assert effects["rise in turned places"].value == pytest.approx(np.median(turned) * 3 / 4)
    away = [mean_of_pairs(observed.away.values, run, 2) for run in range(SEEDS)]
    assert effects["cosine away from the fakes of 20 steps before"].value == pytest.approx(np.median(away))
    traces = forgetting.traces(observed, radius=1)
    assert traces["share of modes without a peak"].value == pytest.approx(
        np.median([1 - observed.peaks.values[run, MOMENTS // 2 :, 1].mean() for run in range(SEEDS)])
    )


def test_what_is_judged_after_the_last_step_or_over_the_second_half_is_a_median_over_runs(observed):
    of = observed.assign(agreement=observed.distance_correlation)
    assert forgetting.peaked(of, 2).value == np.median(of.peaks.values[:, -1, 2])
    assert forgetting.peaks(of)["share of modes with a peak"] == forgetting.peaked(of, 0)
    late = [of.agreement.values[run, MOMENTS // 2 :].mean() for run in range(SEEDS)]
    assert forgetting.agreeing(of)["resultant length"].value == pytest.approx(np.median(late))
    arms = {"a": of.assign_attrs(arm="a").isel(seed=slice(2)), "b": of.isel(seed=slice(2, None))}
    found = rates(arms, {"many": "b"}, "occupied", 4)
    assert found["many"] == stats.rate(of.occupied.values[2:, -1] >= 4)


def test_curves_by_lag_are_medians_in_the_colours_of_their_arms(observed):
    curve = forgetting.lagged(observed, "turned", 40)
    figure = by_lag({"turned": {"plain": curve, "r1": 2 * curve}}, {"plain": "none", "r1": "R1"}, dashed=["plain"])
    first, second = figure.axes[0].lines
    assert first.get_ydata().tolist() == np.median(curve, 0).tolist() and first.get_linestyle() == "--"
    assert second.get_ydata().tolist() == (2 * np.median(curve, 0)).tolist() and second.get_color() == COLOURS["r1"]
    assert [text.get_text() for text in figure.axes[0].get_legend().texts] == ["none", "R1"]
    plt.close("all")


def test_a_run_falls_that_had_more_modes_and_has_few_left(observed):
    modes = np.array([[6, 6, 3], [6, 4, 4], [3, 2, 1], [2, 4, 3], [np.nan, 5, np.nan]])
    of = observed.isel(step=slice(3)).assign(occupied=(("seed", "step"), modes))
    assert forgetting.falls(of, few=3).tolist() == [True, False, False, True, True]
    falling = observed.isel(step=slice(3)).assign(occupied=of.occupied)
    effects = forgetting.kept(falling, 3)
    fell = falling.isel(seed=[0, 3, 4])
    assert effects["turned places short of 0.2"].value == pytest.approx(0.2 - np.median(forgetting.turned(fell)))


def test_hops_are_counted_by_another_mode_that_holds_the_fakes(observed):
    shares = np.zeros((1, 6, 2))
    for moment, mode in enumerate((0, 0, 1, 1, 0, 1)):
        shares[0, moment, mode] = 1
    of = xr.Dataset({"mode_shares": (("seed", "moment", "mode"), shares)})
    assert forgetting.hopped(of).tolist() == [3]


def test_basins_that_are_the_shares_to_come_foresee_them_and_those_of_another_run_do_not():
    rng = np.random.default_rng(5)
    shares = rng.dirichlet(np.ones(MODES), (SEEDS, 60))
    basins = np.roll(shares, -4, axis=1)  # 4 moments, 40 steps, ahead
    dims = ("seed", "moment", "mode")
    of = xr.Dataset({"mode_shares": (dims, shares), "drawn_to": (dims, basins)}, {"moment": EVERY * np.arange(60)})
    assert forgetting.foreseen(of, 40).tolist() == pytest.approx([1] * SEEDS, abs=1e-6)
    assert np.abs(forgetting.foreseen(of, 40, others=1)).max() < 0.2
    assert forgetting.next_modes(of, 40).value == pytest.approx(1)
    assert list(forgetting.foresight(of).values()) == [forgetting.next_modes(of, 200)]
    assert forgetting.stranded(of.assign(drawn_to=of.drawn_to / 4)).tolist() == pytest.approx([0.75] * SEEDS)


def test_a_run_that_moves_nowhere_has_nothing_to_foresee(observed):
    of = observed.assign(mode_shares=observed.mode_shares * 0 + 1 / MODES)
    assert not forgetting.foreseen(of, 20).any()
    blank = observed.assign(drawn_to=observed.drawn_to * np.nan)
    assert not forgetting.foreseen(blank, 20).any() and stats.median(forgetting.stranded(blank)).value == 1


def test_panels_show_every_arm_in_its_colour_and_name_it_where_there_are_several():
    times = xr.DataArray(np.random.default_rng(0).random((4, 7)), {"step": np.arange(7)}, ("seed", "step"))
    figure = over_time({"a": {"plain": times, "r1": times}, "b": {"r1": times}, "c": {}}, {"plain": "none"}, across=2)
    first, second, third, blank = figure.axes
    assert [axes.get_title() for axes in (first, second, third)] == ["a", "b", "c"] and not blank.axison
    assert {line.get_color() for line in second.lines} == {COLOURS["r1"]}
    assert [text.get_text() for text in first.get_legend().texts] == ["none", "r1"]
    assert len(first.lines) == 2 * (4 + 1)
    plt.close("all")


def test_a_map_colours_each_place_by_the_mode_that_it_leads_to_and_marks_the_fakes_of_that_step():
    ends = np.full((5, 5), -1.0)
    ends[4, 0], ends[0, 3] = 2, 0  # x is the first axis of the places: right below, left above
    of = xr.Dataset(
        {
            "attractor": (("drawn", "view", "cell"), ends.reshape(1, 1, 25)),
            "snapshots": (("drawn", "frame", "point", "axis"), np.arange(12.0).reshape(1, 3, 2, 2)),
        },
        {"frame": [0, 10, 20], "view": [11]},
    )
    axes = plt.figure().subplots()
    Plane(np.zeros((3, 2)), 1.5).basins(axes, of, 0, "step 11")
    shown = axes.images[0].get_array()
    assert shown[0, 4] == 2 and shown[3, 0] == 0 and (shown == -1).sum() == 23  # row: y, column: x
    real, fake = (points.get_offsets() for points in axes.collections)
    assert real.tolist() == [[0, 0]] * 3 and fake.tolist() == [[4, 5], [6, 7]]  # the frame of step 10
    plt.close("all")
