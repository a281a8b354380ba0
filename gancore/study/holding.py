"""Which modes runs hold, and what claims on pairs are decided by: counts, rates, and prices of a weight."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from gancore import stats
from gancore.data.targets import target_of
from gancore.metrics.coverage import WITHIN
from gancore.stats import Interval, worst_if_diverged
from gancore.study.ends import ends

NINE = WITHIN.index(9)
SOURCE_ONE = 0.5  # the weight 1 of the source's penalty, a mean over the plane's two dimensions where ours is a sum
COLUMNS = {  # of a table of modes: a measure, and which of the radii
    "captured": ("captured", None),
    "held": ("held", None),
    "held, wider": ("held_within", NINE),
    "points there": ("share_within", NINE),
    "high quality": ("high_quality", None),
    "KL": ("reverse_kl", None),
}
Runs = Mapping[str, xr.Dataset]


def target(run: xr.Dataset) -> object:
    """What a run's recipe draws its points from."""
    return target_of(json.loads(run.attrs["recipe"]))


def row(found: Mapping[str, np.ndarray]) -> list[str]:
    """The medians of measures (runs, ...) as a line of the COLUMNS; a run that diverged has none of anything."""
    line = []
    for name, (measure, at) in COLUMNS.items():
        values = found[measure] if at is None else found[measure][..., at]
        line.append(f"{np.median(worst_if_diverged(values, np.inf if name == 'KL' else 0)):.3g}")
    return line


def row_of(run: xr.Dataset) -> list[str]:
    """The COLUMNS of the runs' last step, and the share of the generator's units that bend."""
    found = {measure: run[measure].isel(step=-1).values for measure, _ in COLUMNS.values()}
    return [*row(found), f"{np.median(run.bending.values[:, -1]):.2g}"]


def held(run: xr.Dataset) -> xr.DataArray:
    """The share of the modes that are held within nine deviations after the last step, of none where runs diverged."""
    return run.held_within.isel(step=-1, within=NINE).fillna(0) / len(target(run).means())


def arrived(run: xr.Dataset) -> xr.DataArray:
    """The share of the points within nine deviations of a mean after the last step, none where runs diverged."""
    return run.share_within.isel(step=-1, within=NINE).fillna(0)


def between(sampler: Mapping[str, np.ndarray], noise: Mapping[str, np.ndarray]) -> float:
    """The share of the modes that a perfect sampler holds within nine deviations, less that of noise: means."""
    most, none = (of["held_within"][..., NINE] for of in (sampler, noise))
    return float((most - none).mean() / most.max())


def missing(of: Runs) -> dict[str, Interval]:
    """Rates of runs that do not hold every mode, by target."""
    return {f"runs that miss a mode ({name})": stats.rate(held(run).values < 1) for name, run in of.items()}


def every(of: Runs) -> dict[str, Interval]:
    """Rates of runs that hold every mode, by target."""
    return {f"every mode held ({name})": stats.rate(held(run).values == 1) for name, run in of.items()}


def alive(of: Runs) -> dict[str, Interval]:
    """Medians of the generator's units that bend, and of the points that have arrived, by target."""
    found = {f"bending units ({name})": stats.median(run.bending.values[:, -1]) for name, run in of.items()}
    return found | {f"points that have arrived ({name})": stats.median(arrived(run).values) for name, run in of.items()}


def widened(of: Mapping[tuple[str, int], xr.Dataset]) -> dict[str, Interval]:
    """What 128 units in a network hold more than 32: medians of the share, by network; `of` by network and units."""
    shares = {arm: held(run).values for arm, run in of.items()}
    names = dict.fromkeys(network for network, _ in of)
    return {f"wider {name}": stats.median_difference(shares[name, 128], shares[name, 32]) for name in names}


def sorted_codes(of: Runs) -> dict[str, Interval]:
    """How close an encoder's codes are to uniform, and how far they keep the modes apart: medians, by target."""
    close, apart = ends(of, "ks"), ends(of, "neighbours_alike")
    found = {f"closeness to uniform ({name})": stats.median(1 - close[name]) for name in of}
    return found | {f"modes apart ({name})": stats.median(apart[name]) for name in of}


def best(run: xr.Dataset) -> float:
    """The share of the modes that a sweep holds at its best weight, mean over runs."""
    return float(held(run).mean("seed").max())


def room_at_one(of: Runs) -> dict[str, Interval]:
    """How much less than a fifth of the modes the source's weight 1 costs against the best one: means, by data set."""
    found = {}
    for name, run in of.items():
        shares = held(run)
        best = shares.isel(weight=int(shares.mean("seed").values.argmax()))
        cost = best.values - shares.sel(weight=SOURCE_ONE, method="nearest").values
        found[f"room at weight 1 ({name})"] = stats.mean(0.2 - cost)
    return found


def price(shares: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """What one weight for all data costs, and how far their best weights lie apart, in decades.

    `shares` (data, runs, weights) are of modes held; the cost is what the weight that is best on the whole loses
    against each data set's own best one, on average.
    """
    means = shares.mean(1)
    one = means.mean(0).argmax()
    best = np.log10(weights[means.argmax(1)])
    return float((means.max(1) - means[:, one]).mean()), float(np.ptp(best))


def dearer(one: Sequence[xr.Dataset], other: Sequence[xr.Dataset]) -> dict[str, Interval]:
    """What a single weight costs more in the `one` method's sweeps than in the `other`'s, each a sweep a data set."""
    weights = one[0].weight.values
    shares = [np.stack([held(run).transpose("seed", "weight").values for run in of]) for of in (one, other)]
    runs = min(of.shape[1] for of in shares)

    def more(which: int) -> Interval:
        def of_runs(chosen: np.ndarray) -> float:
            costs = [price(of[:, chosen], weights)[which] for of in shares]
            return costs[0] - costs[1]

        return stats.resampled(of_runs, runs)

    return {"dearer by modes held": more(0), "wider range of best weights": more(1)}
