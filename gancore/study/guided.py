"""What claims on guided generators and on latent spaces are decided by: effects of the arms' runs, by name."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from gancore import stats
from gancore.stats import Interval
from gancore.study.forgetting import hopped

SPACES = ("pixels", "features of the classifier", "latents of the encoder")
DIGITS, FEW, OFTEN = 10, 5, 3  # all there are, so few is a failure, so many hops are hopping
Runs = Mapping[str, xr.Dataset]


def sense(of: Runs) -> dict[str, Interval]:
    """Neighbours alike in the features and in the latents, and sums that land on their digit: medians over runs."""
    found = of["bigan"].isel(page=-1)
    alike = {f"neighbours alike ({SPACES[i]})": stats.median(found.purity.values[:, i]) for i in (1, 2)}
    return alike | {"sums that land on their digit": stats.median(found.landed.values)}


def hopping(of: Runs) -> dict[str, Interval]:
    """The rates of runs that hop often, by what they were trained on."""
    return {f"runs that hop ({name})": stats.rate(hopped(run) >= OFTEN) for name, run in of.items()}


def kept(run: xr.Dataset) -> np.ndarray:
    """Whether each run showed all ten digits at every observation of its second half: (seeds,)."""
    late = run.classes.values[:, run.sizes["step"] // 2 :]
    return (np.nan_to_num(late) == DIGITS).all(1)


def within(run: xr.Dataset) -> np.ndarray:
    """The share of the real variance within a digit after the last step, none where a run diverged: (seeds,)."""
    return stats.worst_if_diverged(run.variance_ratio.values[:, -1], 0)


def variety(of: Runs) -> dict[str, Interval]:
    """The rate of guided runs that keep all digits, and their variance within a digit."""
    return {
        "runs that keep all ten digits": stats.rate(kept(of["guided"])),
        "share of the real variance within a digit": stats.median(within(of["guided"])),
    }


def fids(of: Runs) -> dict[str, np.ndarray]:
    """FIDs after the last step, (seeds,) an arm; the worst of all where a run diverged."""
    return stats.worst_of_all_if_diverged({arm: run.fid.values[:, -1] for arm, run in of.items()})


def shrunk(run: xr.Dataset) -> dict[str, Interval]:
    """How much variance within a digit is lost, and how far it has gone from real images to one image a digit."""
    real = float(run.real_ms_ssim[0, 0])
    way = (run.ms_ssim.fillna(1).values[:, -1] - real) / (1 - real)
    return {
        "variance lost without the term": stats.median(1 - within(run)),
        "way to one image without the term": stats.median(way),
    }


def failing(of: Runs) -> dict[str, Interval]:
    """The rates of runs that diverge or end with few digits."""
    few = {name: np.nan_to_num(run.classes.values[:, -1]) <= FEW for name, run in of.items()}
    return {f"{name} fails without fakes": stats.rate(which) for name, which in few.items()}


def improvements(of: Runs, pairs: Mapping[str, tuple[str, str]]) -> dict[str, Interval]:
    """How much lower the second arm's median FID is than the first's, by the name of each pair."""
    found = fids(of)
    return {f"fall in FID {name}": stats.median_difference(found[a], found[b]) for name, (a, b) in pairs.items()}
