"""What runs end with, against what was put in."""

import numpy as np
import pytest
import xarray as xr

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
