"""What is said of generated traffic frames, against runs whose lanes are known."""

import numpy as np
import pytest
import xarray as xr

from gancore import stats
from gancore.study import scenes

TITLES = {"gan": "GAN", "wgan-gp": "WGAN-GP", "bigan-pgp": "BiGAN + PGP"}


def drew(*ratios, kept=0.0):
    """Runs that drew vehicles so many times as often as the scene has them, in its four lanes, after the last step."""
    ratios = np.array(ratios, float)[:, None, :]  # (seeds, step, lane)
    fine = np.isfinite(ratios).all(2)
    return xr.Dataset(
        {
            "frequency_ratio": (("seed", "step", "lane"), ratios),
            "lanes_found": (("seed", "step"), np.where(fine, (ratios >= 0.25).sum(2), np.nan)),
            "high_quality": (("seed", "step"), np.where(fine, 0.8, np.nan)),
            "empty_share": (("seed", "step"), np.where(fine, 0.9, np.nan)),
            "vehicles_kept": (("seed", "step", "lane"), np.full_like(ratios, kept)),
        }
    )


NONE, ONE, ALL, LOST = [0, 0, 0, 0.2], [1, 0, 0.1, 0], [1, 2, 0.5, 0.25], [np.nan] * 4


def test_the_share_of_lanes_found_is_none_of_a_run_that_diverged():
    assert scenes.share_found(drew(NONE, ONE, ALL, LOST)).tolist() == [0, 0.25, 1, 0]


def test_vehicles_kept_are_the_mean_over_lanes_and_none_where_they_are_not_known():
    assert scenes.kept(drew(ALL, kept=0.75)).tolist() == [0.75]
    assert scenes.kept(drew(ALL, kept=np.nan)).tolist() == [0]


def test_a_method_fails_where_fewer_than_half_of_the_lanes_are_found():
    of = {"gan": drew(NONE, ONE, LOST, ALL), "wgan-gp": drew(ALL, ALL), "bigan-pgp": drew([1, 1, 0, 0], ONE)}
    rates = {what: effect.value for what, effect in scenes.decided(of).items()}
    assert rates == {"GAN fails": 0.75, "WGAN-GP fails": 0, "BiGAN with the penalty draws the vehicles": 0.5}


def test_a_row_an_hour_and_method_has_the_medians_over_its_runs():
    hours = {1.0: drew(ALL, ALL), 5.0: drew(NONE, LOST)}
    (quiet, busy) = scenes.rows({"gan": hours}, TITLES)
    assert quiet[:2] == ["1", "GAN"] and busy[:2] == ["5", "GAN"]
    assert [quiet[2].value, quiet[3].value] == pytest.approx([1, np.mean(ALL)])
    assert busy[3] == stats.median(np.array([0.05, 0]))


def test_lanes_are_drawn_by_their_own_rarity_and_runs_by_the_hour():
    methods = {method: {1.0: drew(ONE, ALL), 5.0: drew(ALL, ALL)} for method in TITLES}
    left, right = scenes.by_rarity(methods, TITLES).axes
    for line in left.get_lines():
        assert line.get_xdata().tolist() == [1, 5] and line.get_ydata().tolist() == [0.625, 1]
    for line in right.get_lines():  # a lane of 0.05 at rush 1 and one of 0.05 at rush 5 are one place
        assert line.get_xdata().tolist() == pytest.approx([0.01, 0.015, 0.025, 0.05, 0.075, 0.125, 0.25])
        assert line.get_ydata().tolist() == [0.5, 0.5, 0.5, 1, 1, 1, 1]
    assert [label.get_text() for label in left.figure.legends[0].get_texts()] == list(TITLES.values())
