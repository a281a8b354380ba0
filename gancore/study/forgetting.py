"""What a discriminator's surface knows of modes, of fakes and of earlier fakes: a value a run, from what is observed.

`of` is an arm's runs with a `field` observed, and `shares` and `drawn_to` where they are named.
"""

import numpy as np
import xarray as xr

from gancore import stats
from gancore.metrics.hops import hops
from gancore.stats import Interval


def late(of: xr.Dataset, name: str) -> np.ndarray:
    """A quantity's mean over the second half of each run: (seeds, ...)."""
    return stats.late(of[name].values)


def traces(of: xr.Dataset, radius: int = -1) -> dict[str, Interval]:
    """How far the score follows the distance from the fakes, and what share of the modes has no peak within a radius.

    Medians over runs of the second half's means; `radius` is the place of the radius among those observed.
    """
    return {
        "rank correlation of score and distance": stats.median(late(of, "distance_correlation")),
        "share of modes without a peak": stats.median(1 - late(of, "peaks")[:, radius]),
    }


def agreeing(of: xr.Dataset) -> dict[str, Interval]:
    """The resultant length of the gradients at the fakes: median over runs of the second half's means."""
    return {"resultant length": stats.median(late(of, "agreement"))}


def peaked(of: xr.Dataset, radius: int = 0) -> Interval:
    """The share of modes with a local maximum of D after the last step, within one of the radii: median over runs."""
    return stats.median(of.peaks.values[:, -1, radius])


def observations(of: xr.Dataset, steps: int) -> int:
    """How many observations later it is so many steps later, at least one and at most as many as there are."""
    moments = of.moment.values
    return int(np.clip(round(steps / (moments[1] - moments[0])), 1, len(moments) - 1))


def lagged(of: xr.Dataset, name: str, steps: int) -> xr.DataArray:
    """A quantity of pairs of observations by how many steps, up to so many, these are apart: (seed, lag)."""
    most = observations(of, steps)
    lags = (of.moment.values - of.moment.values[0])[: most + 1]
    return xr.DataArray(stats.by_lag(of[name].values, most), {"lag": lags}, ("seed", "lag"))


def before(of: xr.Dataset, name: str, steps: int) -> xr.DataArray:
    """A quantity of pairs of observations over time, each against the one so many steps before: (seed, moment)."""
    back = observations(of, steps)
    values = np.diagonal(of[name].values, -back, 1, 2)
    return xr.DataArray(values, {"moment": of.moment.values[back:]}, ("seed", "moment"))


def turned(of: xr.Dataset, steps: int = 100) -> np.ndarray:
    """The largest share of places whose gradient has turned, of all distances up to so many steps: (seeds,)."""
    return lagged(of, "turned", steps).values[:, 1:].max(1)


def remembered(of: xr.Dataset, steps: int) -> np.ndarray:
    """The probability that a real point scores above a fake of so many steps before: (seeds,)."""
    return lagged(of, "told_apart", steps).values[:, -1]


def forgotten(of: xr.Dataset, steps: int = 100) -> np.ndarray:
    """What was learned about fakes and is lost: of all distances up to so many steps, the best they are told apart less
    the worst, (seeds,)."""
    told = lagged(of, "told_apart", steps).values[:, 1:]
    return told.max(1) - told.min(1)


def falls(of: xr.Dataset, few: int) -> np.ndarray:
    """Whether more than `few` modes are occupied at some observation and at most `few` at the last one: (seeds,)."""
    occupied = np.nan_to_num(of.occupied.values)
    return (occupied.max(1) > few) & (occupied[:, -1] <= few)


def hopped(of: xr.Dataset) -> np.ndarray:
    """How often another mode has come to hold the fakes while they were observed: (seeds,)."""
    return hops(of.mode_shares.values).sum(-1)


def stranded(of: xr.Dataset) -> np.ndarray:
    """The share of fakes whose way up ends at no mode, mean over the observations: (seeds,)."""
    return 1 - np.nan_to_num(of.drawn_to.values).sum(2).mean(1)


def foreseen(of: xr.Dataset, steps: int, others: int = 0) -> np.ndarray:
    """How far the basins say which modes come next: correlation of the share of fakes drawn to each mode with the share
    there so many steps later, given the share there now, over moments and modes: (seeds,).

    With `others`, the basins are those of the run so many places further on, which know nothing of this one.
    """
    later = observations(of, steps)
    shares, basins = np.nan_to_num(of.mode_shares.values), np.nan_to_num(of.drawn_to.values)
    basins = np.roll(basins, -others, axis=0)
    now, then, drawn = (x.reshape(len(x), -1) for x in (shares[:, :-later], shares[:, later:], basins[:, :-later]))
    return stats.partial_correlation(drawn, then, now)


def flips(chased: xr.Dataset, counterpart: xr.Dataset) -> dict[str, Interval]:
    """How much more turns and is forgotten in chased runs than in their counterpart, and whether the gradients of the
    chased point away from the fakes of 20 steps before."""
    away = lagged(chased, "away", 20).values[:, -1]
    return {
        "rise in turned places": stats.median_difference(turned(chased), turned(counterpart)),
        "rise in forgetting": stats.median_difference(forgotten(chased), forgotten(counterpart)),
        "cosine away from the fakes of 20 steps before": stats.median(away),
    }


def kept(of: xr.Dataset, few: int) -> dict[str, Interval]:
    """How far the runs that fall are from forgetting: old fakes told apart, and places that have not turned."""
    falling = falls(of, few)
    of = of.isel(seed=falling if falling.any() else ~falling)
    return {
        "old fakes told apart beyond 0.8": stats.median(remembered(of, 200) - 0.8),
        "turned places short of 0.2": stats.median(0.2 - turned(of)),
    }


def next_modes(of: xr.Dataset, steps: int = 200, others: int = 0) -> Interval:
    """The median over runs of what is `foreseen`."""
    return stats.median(foreseen(of, steps, others))


def foresight(of: xr.Dataset) -> dict[str, Interval]:
    """How far the basins say which modes come 200 steps later."""
    return {"partial correlation of basins and later shares": next_modes(of)}


def peaks(of: xr.Dataset) -> dict[str, Interval]:
    """The share of modes with a local maximum of D within the smallest radius."""
    return {"share of modes with a peak": peaked(of)}
