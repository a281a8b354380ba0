"""What runs end with, against what was put in."""

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot as plt

from gancore.study import plots
from gancore.study.ends import ends


@pytest.mark.parametrize(
    ("measure", "worst"),
    [
        ("off_arcs", 1),
        ("arc_coverage", 0),
        ("energy_distance", np.inf),
        ("rarer_share", 0),
        ("distance_to_arcs", np.inf),
    ],
)
def test_a_run_that_diverged_ends_with_the_worst_there_is_and_others_with_their_last_value(measure, worst):
    values = np.array([[0.1, 0.2, 0.3], [0.4, np.nan, np.nan]])
    runs = {"arm": xr.Dataset({measure: (("seed", "step"), values)})}
    assert ends(runs, measure)["arm"].tolist() == [0.3, worst]


def test_where_neither_end_is_better_a_run_that_diverged_stays_unknown():
    runs = {"arm": xr.Dataset({"spread": (("seed", "step"), np.array([[1.0, np.nan]]))})}
    assert np.isnan(ends(runs, "spread")["arm"]).all()


def test_a_figure_of_ends_has_a_dot_a_run_and_a_panel_a_measure():
    rng = np.random.default_rng(0)
    values = {arm: rng.uniform(0.1, 1, (5, 3)) for arm in ("a", "b", "left out")}
    runs = {
        arm: xr.Dataset({measure: (("seed", "step"), of) for measure in ("off_arcs", "energy_distance")})
        for arm, of in values.items()
    }
    panels = plots.ends_by_arm(runs, {"a": "first", "b": "second"}, ("off_arcs", "energy_distance")).axes
    assert [axes.get_title() for axes in panels] == ["off arcs", "energy distance"]
    assert [axes.get_yscale() for axes in panels] == ["linear", "log"]
    for axes in panels:
        assert [label.get_text() for label in axes.get_xticklabels()] == ["first", "second"]
        dots = [cloud.get_offsets()[:, 1].tolist() for cloud in axes.collections]
        assert dots == [values[arm][:, -1].tolist() for arm in ("a", "b")]


def test_portraits_are_shown_under_their_titles_and_panels_left_over_are_blank():
    figure, grid = plt.subplots(1, 3)
    x = np.zeros((4, 2))
    plots.portraits(grid, {"one": x, "two": x}, x, (-1, 1, -1, 1))
    assert [axes.get_title() for axes in grid] == ["one", "two", ""]
    assert [axes.axison for axes in grid] == [True, True, False]
    assert [len(axes.collections) for axes in grid] == [2, 2, 0]
    plt.close(figure)
