"""Intervals over runs: the run is the unit, and a run that diverged counts as the worst there is."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from scipy import stats

RESAMPLES = 9999
LEVEL = 0.95


class Interval(NamedTuple):
    """An estimate and the ends of its 95 % interval; the ends are NaN where there are too few runs."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"

    def turned(self, direction: float) -> "Interval":
        """The interval of the opposite quantity where `direction` is negative, else the same."""
        return self if direction >= 0 else Interval(-self.value, -self.high, -self.low)


def worst_if_diverged(values: np.ndarray, worst: float) -> np.ndarray:
    """The values with `worst` for runs that diverged (NaN), so that no average leaves them out."""
    return np.where(np.isnan(values), worst, values)


def worst_of_all_if_diverged(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Distances by arm, with the largest of all arms' for runs that diverged (NaN)."""
    largest = max(float(np.nanmax(of_arm)) for of_arm in values.values())
    return {arm: worst_if_diverged(of_arm, largest) for arm, of_arm in values.items()}


def rate(happened: np.ndarray) -> Interval:
    """Share of the runs (n,) in which something happened, with Wilson's interval; NaN where it is not known of all."""
    if np.isnan(happened).any():
        return Interval(float("nan"), float("nan"), float("nan"))
    count, n = int(np.sum(happened)), len(happened)
    ends = stats.binomtest(count, n).proportion_ci(LEVEL, method="wilson")
    return Interval(count / n, float(ends.low), float(ends.high))


def median(values: np.ndarray) -> Interval:
    """Median over the runs (n,), with a percentile bootstrap interval."""
    return _bootstrap([values], lambda a, axis: np.median(a, axis=axis))


def mean(values: np.ndarray) -> Interval:
    """Mean over the runs (n,), with a percentile bootstrap interval."""
    return _bootstrap([values], lambda a, axis: np.mean(a, axis=axis))


def resampled(statistic: Callable[[np.ndarray], float], runs: int, resamples: int = RESAMPLES) -> Interval:
    """A statistic of so many runs, given by their indices, with a percentile bootstrap interval; for what no vector
    formula gives, such as a best weight that is chosen anew in every resample."""
    draws = np.random.default_rng(0).integers(runs, size=(resamples, runs))
    value = statistic(np.arange(runs))
    if runs < 2:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile([statistic(draw) for draw in draws], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))


def of_medians(statistic: Callable[..., np.ndarray], *samples: np.ndarray) -> Interval:
    """A function of the medians of several samples of runs, (n,), (m,), ..., resampled independently."""
    return _bootstrap(list(samples), lambda *drawn, axis: statistic(*(np.median(of, axis=axis) for of in drawn)))


def median_difference(a: np.ndarray, b: np.ndarray) -> Interval:
    """Median of the runs a (n,) minus median of the runs b (m,), resampled independently."""
    return of_medians(np.subtract, a, b)


def median_band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median at every step and the ends of its pointwise interval: (n, T) -> three of (T,).

    The ends are order statistics (scipy.stats.quantile_test), which need no resampling.
    """
    n, ordered = len(values), np.sort(values, axis=0)
    outside = int(stats.binom.ppf((1 - LEVEL) / 2, n, 0.5))
    low = max(outside - 1, 0)
    return np.median(values, axis=0), ordered[low], ordered[n - 1 - low]


def improvement(a: np.ndarray, b: np.ndarray) -> float:
    """Probability that a run of a is larger than a run of b, ties counted half (Mann & Whitney 1947)."""
    return float(np.mean((a[:, None] > b[None]) + 0.5 * (a[:, None] == b[None])))


def late(values: np.ndarray) -> np.ndarray:
    """The mean over the second half of the observations, missing ones left out: (n, T, ...) -> (n, ...)."""
    return np.nanmean(values[:, values.shape[1] // 2 :], axis=1)


def by_lag(values: np.ndarray, most: int) -> np.ndarray:
    """Values of pairs of observations by how far the two are apart: (n, later, earlier) -> (n, most + 1), lag 0 first.

    Each is the mean over all pairs so far apart.
    """
    return np.stack([np.diagonal(values, -lag, 1, 2).mean(1) for lag in range(most + 1)], 1)


def partial_correlation(a: np.ndarray, b: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Each run's correlation of a and b over its values, less what both owe to a third: three of (n, k) -> (n,).

    Pearson's, of what straight lines through the third leave of the two; 0 where that is nothing.
    """
    left = [_left(values, given) for values in (a, b)]
    scale = np.sqrt(np.prod([np.square(x).sum(1) for x in left], 0))
    return np.divide((left[0] * left[1]).sum(1), scale, out=np.zeros(len(a)), where=scale > 0)


def _left(values: np.ndarray, given: np.ndarray) -> np.ndarray:
    """The values less their least-squares line over the given ones, run by run: (n, k), (n, k) -> (n, k)."""
    y, x = (v - v.mean(1, keepdims=True) for v in (values, given))
    steepness = np.square(x).sum(1, keepdims=True)
    slope = np.divide((x * y).sum(1, keepdims=True), steepness, out=np.zeros_like(steepness), where=steepness > 0)
    left = y - slope * x
    return np.where(np.abs(left) > 1e-9 * np.abs(values).max(1, keepdims=True), left, 0)  # no rounding as variance


def rank_correlation(a: np.ndarray, b: np.ndarray) -> Interval:
    """Spearman's correlation over the runs (n,), (n,), with the interval of Bonett & Wright (2000).

    Runs where either value is missing are left out; NaN where fewer than 4 are left or one is constant.
    """
    there = np.isfinite(a) & np.isfinite(b)
    a, b = a[there], b[there]
    if len(a) < 4 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    value = float(stats.spearmanr(a, b).statistic)
    reach = stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt((1 + value**2 / 2) / (len(a) - 3))
    middle = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
    return Interval(value, float(np.tanh(middle - reach)), float(np.tanh(middle + reach)))


def _bootstrap(samples: list[np.ndarray], statistic) -> Interval:
    value = float(statistic(*samples, axis=-1))
    if min(map(len, samples)) < 2:
        return Interval(value, float("nan"), float("nan"))
    done = stats.bootstrap(
        samples,
        statistic,
        n_resamples=RESAMPLES,
        batch=1000,
        vectorized=True,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return Interval(value, float(done.confidence_interval.low), float(done.confidence_interval.high))
