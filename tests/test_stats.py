import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, mannwhitneyu, norm

from gancore import stats


@given(st.integers(1, 200), st.data())
def test_rate_has_wilsons_interval(n, data):
    count = data.draw(st.integers(0, n))
    z, share = norm.ppf(0.975), count / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    found = stats.rate(np.arange(n) < count)
    assert found == pytest.approx((share, max(middle - half, 0), min(middle + half, 1)), abs=1e-9)


def test_the_interval_of_a_median_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    intervals = [stats.median(rng.standard_normal(32)) for _ in range(200)]
    covered = np.mean([i.low <= 0 <= i.high for i in intervals])
    assert 0.9 <= covered <= 0.99


def test_the_band_covers_the_median_as_often_as_the_binomial_distribution_says():
    runs = np.random.default_rng(2).standard_normal((32, 5000))
    middle, low, high = stats.median_band(runs)
    exact = 1 - 2 * binom.cdf(9, 32, 0.5)
    assert exact > 0.95
    assert np.mean((low <= 0) & (high >= 0)) == pytest.approx(exact, abs=0.01)
    assert (low <= middle).all() and (middle <= high).all()


def test_a_difference_that_is_there_is_found_and_one_that_is_not_is_not():
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal(40), rng.standard_normal(40)
    assert stats.median_difference(a + 3, b).low > 0
    same = stats.median_difference(a, b)
    assert same.low < 0 < same.high


def test_an_interval_is_the_same_each_time():
    values = np.random.default_rng(4).standard_normal(20)
    assert stats.median(values) == stats.median(values)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_improvement_is_mann_and_whitneys_statistic(a, b):
    expected = mannwhitneyu(a, b).statistic / (len(a) * len(b))
    assert stats.improvement(np.array(a), np.array(b)) == pytest.approx(expected)


def test_one_run_has_no_interval():
    value, low, high = stats.median(np.array([2.0]))
    assert value == 2 and np.isnan(low) and np.isnan(high)


def test_a_diverged_run_counts_as_the_worst():
    assert stats.worst_if_diverged(np.array([1.0, np.nan]), np.inf).tolist() == [1.0, np.inf]


def test_an_interval_turned_twice_is_itself():
    interval = stats.Interval(1.0, -2.0, 3.0)
    assert interval.turned(-1) == (-1, -3, 2)
    assert interval.turned(-1).turned(-1) == interval == interval.turned(1)
