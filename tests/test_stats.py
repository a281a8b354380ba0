import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, mannwhitneyu, norm, spearmanr

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


def test_late_values_are_the_mean_of_the_second_half_without_what_is_missing():
    values = np.array([[9.0, 9.0, 1.0, 3.0], [9.0, 9.0, np.nan, 5.0]])
    assert stats.late(values).tolist() == [2.0, 5.0]
    assert stats.late(np.arange(12.0).reshape(1, 4, 3)).tolist() == [[7.5, 8.5, 9.5]]


def test_pairs_of_observations_are_averaged_by_how_far_they_are_apart():
    pairs = np.random.default_rng(6).random((3, 9, 9))
    found = stats.by_lag(pairs, 5)
    for lag in range(6):
        apart = [pairs[:, earlier + lag, earlier] for earlier in range(9 - lag)]
        np.testing.assert_allclose(found[:, lag], np.mean(apart, axis=0))
    assert found.shape == (3, 6)


def test_a_partial_correlation_is_that_of_the_inverse_of_the_correlations():
    rng = np.random.default_rng(11)
    given = rng.standard_normal((4, 50))
    a = 0.7 * given + rng.standard_normal((4, 50))
    b = 0.5 * a - given + rng.standard_normal((4, 50))
    for run, found in enumerate(stats.partial_correlation(a, b, given)):
        inverse = np.linalg.inv(np.corrcoef([a[run], b[run], given[run]]))
        assert found == pytest.approx(-inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1]))


def test_a_partial_correlation_is_0_where_nothing_is_left_to_correlate():
    rng = np.random.default_rng(12)
    given, a = rng.standard_normal((3, 20)), rng.standard_normal((3, 20))
    assert not stats.partial_correlation(2 * given + 1, a, given).any()
    assert not stats.partial_correlation(np.full((3, 20), 0.3), a, given).any()
    unvaried = stats.partial_correlation(a, given, np.zeros((3, 20)))
    np.testing.assert_allclose(unvaried, [np.corrcoef(x, y)[0, 1] for x, y in zip(a, given, strict=True)])


def test_rank_correlation_is_spearmans_without_missing_runs():
    rng = np.random.default_rng(7)
    a = rng.integers(0, 6, 30).astype(float)
    b = a + rng.standard_normal(30)
    found = stats.rank_correlation(np.append(a, [np.nan, 1.0]), np.append(b, [0.0, np.inf]))
    assert found.value == pytest.approx(spearmanr(a, b).statistic)
    assert found.low < found.value < found.high


def test_the_interval_of_a_rank_correlation_covers_the_truth_about_as_often_as_it_says():
    rng, pearson = np.random.default_rng(8), 0.6
    truth = 6 / np.pi * np.arcsin(pearson / 2)  # Spearman's of a bivariate normal
    draws = [rng.multivariate_normal([0, 0], [[1, pearson], [pearson, 1]], 40).T for _ in range(400)]
    covered = np.mean([i.low <= truth <= i.high for i in (stats.rank_correlation(*draw) for draw in draws)])
    assert 0.92 <= covered <= 0.98


@pytest.mark.parametrize("a", [[1.0, 2.0, 3.0], [1.0, 1.0, 1.0, 1.0, 1.0], []])
def test_a_rank_correlation_of_too_few_or_equal_runs_is_missing(a):
    assert all(np.isnan(stats.rank_correlation(np.array(a), np.arange(float(len(a))))))


def test_a_rate_of_what_is_not_known_of_every_run_is_not_known():
    assert np.isnan(stats.rate(np.array([1.0, np.nan]))).all()
