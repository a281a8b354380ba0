"""Methods compared over data sets: what their runs hold, how often they fail, what they cost, and how they rank."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from gancore import stats
from gancore.data.mixtures import Moons
from gancore.metrics.coverage import HOLDS
from gancore.metrics.hops import hops
from gancore.stats import Interval, worst_if_diverged
from gancore.study import holding
from gancore.study.results import provenance_of

Cells = Mapping[str, Mapping[str, xr.Dataset]]  # runs by method, then by data set
COVERED = 0.9  # of the moons' arcs, from which on they are taken for covered; a mixture is when every mode is held
COLLAPSED = 0.5  # a run that reaches less has collapsed
COLUMNS = ("held", "captured", "high quality", "KL with off", "energy distance", "all modes", "collapsed", "hops")


def reached(run: xr.Dataset) -> np.ndarray:
    """The share of the modes held within nine deviations after the last step, of moons that of the arcs covered: (seeds,).

    0 of runs that diverged.
    """
    if isinstance(holding.target(run), Moons):
        return run.arc_coverage.isel(step=-1).fillna(0).values
    return holding.held(run).values


def everything(run: xr.Dataset) -> np.ndarray:
    """Which runs reach all that there is: bool (seeds,)."""
    return reached(run) >= (COVERED if isinstance(holding.target(run), Moons) else 1)


def collapsed(run: xr.Dataset) -> np.ndarray:
    """Which runs reach less than half: bool (seeds,)."""
    return reached(run) < COLLAPSED


def number_of_hops(run: xr.Dataset) -> np.ndarray:
    """How often another mode has come to hold the fakes, (seeds,)."""
    return hops(run.mode_shares.values).sum(-1)


def row(run: xr.Dataset) -> list[str]:
    """A line of the COLUMNS for one method on one data set; a dash for what the data have not, or was not watched."""
    end = run.isel(step=-1)
    mixture = "captured" in run
    modes = len(holding.target(run).means()) if mixture else 1
    of_mixture = {"captured": 1 / modes, "high_quality": 1.0, "reverse_kl_off": 1.0} if mixture else {}
    line = [f"{reached(run).mean():.2f}"]
    for measure in ("captured", "high_quality", "reverse_kl_off"):
        worst = np.inf if measure == "reverse_kl_off" else 0
        line.append(_median(end[measure].values * of_mixture[measure], worst) if mixture else "-")
    line.append(_median(end.energy_distance.values, np.inf))
    line += [f"{which(run).mean():.2f}" for which in (everything, collapsed)]
    return [*line, f"{np.median(number_of_hops(run)):.0f}" if "mode_shares" in run else "-"]


def _median(values: np.ndarray, worst: float) -> str:
    return f"{np.median(worst_if_diverged(values, worst)):.3g}"


def overall(runs: Mapping[str, xr.Dataset]) -> np.ndarray:
    """What a method's runs reach, averaged over the data sets, seed by seed: (seeds,)."""
    return np.mean([reached(run) for run in runs.values()], axis=0)


def gain(runs: Mapping[str, xr.Dataset], plain: Mapping[str, xr.Dataset]) -> Interval:
    """How much more of the data a method reaches than plain GANs from the same seeds: mean over seeds."""
    return stats.mean(overall(runs) - overall(plain))


def better(runs: Mapping[str, xr.Dataset], plain: Mapping[str, xr.Dataset]) -> float:
    """The probability that a run of the method reaches more than a plain one, averaged over the data sets."""
    return float(np.mean([stats.improvement(reached(runs[data]), reached(plain[data])) for data in runs]))


def ranks(cells: Cells) -> dict[str, float]:
    """Each method's rank by what its runs reach on average, 1 the best, ties shared, averaged over the data sets."""
    from scipy.stats import rankdata

    means = np.array([[reached(run).mean() for run in of_data.values()] for of_data in cells.values()])
    places = rankdata(-means, axis=0).mean(1)
    return dict(zip(cells, places.tolist(), strict=True))


def cost(run: xr.Dataset, plain: xr.Dataset) -> float:
    """What a run-step of this arm took, relative to a plain one's."""
    return _seconds(run) / _seconds(plain)


def _seconds(run: xr.Dataset) -> float:
    """Seconds a run, as the stored results say."""
    return sum(origin["seconds"] for origin in provenance_of(run)) / run.diverged.size


def lost(run: xr.Dataset) -> np.ndarray:
    """The share of the modes that were held at some observation and are not at the last one: (seeds,)."""
    held = _held_over_time(run)
    return (held.any(1) & ~held[:, -1]).mean(1)


def never(run: xr.Dataset) -> np.ndarray:
    """The share of the modes that were held at no observation: (seeds,)."""
    return 1 - _held_over_time(run).any(1).mean(1)


def _held_over_time(run: xr.Dataset) -> np.ndarray:
    """Which modes have a quarter of their true share of the nearest points: bool (seeds, moments, modes)."""
    weights = holding.target(run).weights().numpy()
    return np.nan_to_num(run.mode_shares.values) >= HOLDS * weights


def spread(cells: Cells, methods: Sequence[str]) -> float:
    """The standard deviation over these methods of what they reach on average, averaged over the data sets."""
    means = np.array([[reached(run).mean() for run in cells[method].values()] for method in methods])
    return float(means.std(0, ddof=1).mean())


def spread_of_seeds(runs: Mapping[str, xr.Dataset]) -> float:
    """The standard deviation over one method's runs of what they reach, averaged over the data sets."""
    return float(np.mean([reached(run).std(ddof=1) for run in runs.values()]))
