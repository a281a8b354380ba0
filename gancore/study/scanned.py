"""What claims on line-scans are decided by: scans, scores and gradients around images, run by run.

The runs are those that the kinds `scans` and `scores` of `gancore.observers` watch. Images are of three kinds: of the
training set, held out, and generated.
"""

import numpy as np
import xarray as xr
from scipy.special import expit

from gancore import stats
from gancore.stats import Interval

TRAINING, HELD_OUT, FAKES = range(3)
RANDOM, POSITIVE = slice(0, -1), slice(-1, None)  # the directions from N(0, I), and the all-positive one
WIDEST = -1  # of the windows


def second_half(values: xr.DataArray) -> xr.DataArray:
    """The observations of the training's second half."""
    return values.isel(moment=slice(values.sizes["moment"] // 2, None))


def peaked(run: xr.Dataset, kind: int, window: int = WIDEST, directions: slice = RANDOM) -> np.ndarray:
    """The share of the scans that have their maximum at the image, at each moment: (seed, moment)."""
    return run.peak.isel(kind=kind, window=window, direction=directions).mean(["picture", "direction"]).values


def lasting(run: xr.Dataset, kind: int, window: int = WIDEST, directions: slice = RANDOM) -> np.ndarray:
    """The share of the scans whose maximum is at the image at every observation of the second half: (seed,)."""
    peak = second_half(run.peak.isel(kind=kind, window=window, direction=directions))
    return peak.min("moment").mean(["picture", "direction"]).values


def changed(run: xr.Dataset, kind: int = TRAINING, window: int = WIDEST) -> np.ndarray:
    """The share of the second half's scans that correlate less than 1/2 with their last observation: (seed,)."""
    steady = second_half(run.steady.isel(kind=kind, window=window, direction=RANDOM))
    return (steady < 0.5).mean(["moment", "picture", "direction"]).values


def favoured(run: xr.Dataset) -> np.ndarray:
    """The probability that a training image scores higher than a held-out one, at each moment: (seed, moment)."""
    return np.array([[stats.improvement(*moment[: HELD_OUT + 1]) for moment in of_run] for of_run in run.scores.values])


def scan_scores(run: xr.Dataset) -> xr.DataArray:
    """The scores along the stored scans: (seed, moment, kind, kept, direction, window, place_on_line)."""
    at_images = run.scores.isel(sample=slice(run.sizes["kept"])).rename(sample="kept")
    return run.scans + at_images


def half_distances(run: xr.Dataset, kind: int, reach: float, window: int = WIDEST) -> np.ndarray:
    """How far from its image the probability of being real first falls to half of what it is there: (seed,).

    Of the scans of the last observation, the nearer side of each, the median over images and random directions;
    `reach`, half of the window, where it does not fall so far.
    """
    scores = scan_scores(run).isel(moment=-1, kind=kind, direction=RANDOM, window=window)
    probability, offsets = expit(scores.values), np.linspace(-reach, reach, scores.sizes["place_on_line"])
    fallen = probability <= probability[..., [len(offsets) // 2]] / 2
    return np.median(np.where(fallen, abs(offsets), reach).min(-1), axis=(1, 2))


def pulls(run: xr.Dataset, kind: int = FAKES) -> dict[str, np.ndarray]:
    """What a point feels of either loss of the generator, the median over images of a kind: (seed, moment) each.

    log(1 - sigmoid(D)), minimax, has the gradient sigmoid(D) grad D; -log sigmoid(D), non-saturating, has
    sigmoid(-D) grad D (Goodfellow et al. 2014, section 3).
    """
    scores, slopes = (values.isel(kind=kind).values for values in (run.scores, run.slopes))
    return {"minimax": np.median(expit(scores) * slopes, -1), "non-saturating": np.median(expit(-scores) * slopes, -1)}


def shortfall(usual: np.ndarray, other: np.ndarray) -> Interval:
    """By how much the median of other runs falls short of that of the usual ones, as a share of it."""
    scale = np.median(usual)
    return stats.median_difference(usual / scale, other / scale)


def unrest(run: xr.Dataset) -> dict[str, Interval]:
    """Scans through training images that have no lasting maximum, and that have changed: medians over runs."""
    return {
        "scans without a lasting maximum": stats.median(1 - lasting(run, TRAINING)),
        "scans that have changed": stats.median(changed(run)),
    }
