"""What claims on line-scans are decided by: scans, scores and gradients around images, run by run.

The runs are those that the kinds `scans` and `scores` of `gancore.observers` watch, and where a classifier knows the
images, `quality` and `realism`. Images are of three kinds: of the training set, held out, and generated.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from scipy.special import expit

from gancore import stats
from gancore.stats import Interval
from gancore.study.ends import ends

TRAINING, HELD_OUT, FAKES = range(3)
RANDOM, POSITIVE = slice(0, -1), slice(-1, None)  # the directions from N(0, I), and the all-positive one
WIDEST = -1  # of the windows
FEW, NEARLY_ALL = 3, 9  # classes: a run with so few has collapsed, one with so many can be healthy
UNKNOWING, KNOWING = 0.75, 0.9  # how often a training image is favoured: less in healthy runs, more in overfitted ones


def second_half(values: xr.DataArray) -> xr.DataArray:
    """The observations of the training's second half."""
    return values.isel(moment=slice(values.sizes["moment"] // 2, None))


def peaked(run: xr.Dataset, kind: int, window: int = WIDEST) -> np.ndarray:
    """The share of the scans that have their maximum at the image, at each moment: (seed, moment)."""
    return run.peak.isel(kind=kind, window=window, direction=RANDOM).mean(["picture", "direction"]).values


def lasting(run: xr.Dataset, kind: int, window: int = WIDEST, directions: slice = RANDOM) -> np.ndarray:
    """The share of the scans whose maximum is at the image at every observation of the second half: (seed,)."""
    peak = second_half(run.peak.isel(kind=kind, window=window, direction=directions))
    return peak.min("moment").mean(["picture", "direction"]).values


def lasting_by_window(run: xr.Dataset, kind: int) -> list[Interval]:
    """`lasting` in each window along random directions, and in the widest along the all-positive one: medians."""
    found = [lasting(run, kind, window) for window in range(run.sizes["window"])]
    return [stats.median(rates) for rates in (*found, lasting(run, kind, directions=POSITIVE))]


def changed(run: xr.Dataset) -> np.ndarray:
    """The share of scans through training images that correlate less than 1/2 with their last observation: (seed,).

    Of the second half, in the widest window.
    """
    steady = second_half(run.steady.isel(kind=TRAINING, window=WIDEST, direction=RANDOM))
    return (steady < 0.5).mean(["moment", "picture", "direction"]).values


def favoured(run: xr.Dataset) -> np.ndarray:
    """The probability that a training image scores higher than a held-out one, at each moment: (seed, moment)."""
    return np.array([[stats.improvement(*moment[: HELD_OUT + 1]) for moment in of_run] for of_run in run.scores.values])


def scan_scores(run: xr.Dataset) -> xr.DataArray:
    """The scores along the stored scans: (seed, moment, kind, kept, direction, window, place_on_line)."""
    at_images = run.scores.isel(sample=slice(run.sizes["kept"])).rename(sample="kept")
    return run.scans + at_images


def half_distances(run: xr.Dataset, reach: float) -> np.ndarray:
    """How far from a training image the probability of being real first falls to half of what it is there: (seed,).

    Of the last scans in the widest window, the nearer side of each, the median over images and random directions;
    `reach`, half of the window, where it does not fall so far.
    """
    scores = scan_scores(run).isel(moment=-1, kind=TRAINING, direction=RANDOM, window=WIDEST)
    probability, offsets = expit(scores.values), np.linspace(-reach, reach, scores.sizes["place_on_line"])
    fallen = probability <= probability[..., [len(offsets) // 2]] / 2
    return np.median(np.where(fallen, abs(offsets), reach).min(-1), axis=(1, 2))


def pulls(run: xr.Dataset) -> dict[str, np.ndarray]:
    """What a fake feels of either loss of the generator, the median over fakes: (seed, moment) each.

    log(1 - sigmoid(D)), minimax, has the gradient sigmoid(D) grad D; -log sigmoid(D), non-saturating, has
    sigmoid(-D) grad D (Goodfellow et al. 2014, section 3).
    """
    scores, slopes = (values.isel(kind=FAKES).values for values in (run.scores, run.slopes))
    return {"minimax": np.median(expit(scores) * slopes, -1), "non-saturating": np.median(expit(-scores) * slopes, -1)}


def after(run: xr.Dataset, measure: str) -> np.ndarray:
    """A measure after the last step, NaN where no classifier knows the images: (seed,)."""
    return ends({"": run}, measure)[""] if measure in run else np.full(run.sizes["seed"], np.nan)


def regimes(run: xr.Dataset) -> dict[str, np.ndarray]:
    """Whether each run is `collapsed`, is `healthy`, and has `overfitted` at some moment, (seed,); NaN if not known.

    Healthy are NEARLY_ALL classes, half of the recall of as many real images, and no training images that are known.
    """
    favour, classes, recall = favoured(run), after(run, "classes"), after(run, "image_recall")
    known = np.where(np.isnan(classes), np.nan, 1)
    diverse = (classes >= NEARLY_ALL) & (recall >= after(run, "real_image_recall") / 2)
    return {
        "collapsed": known * (classes <= FEW),
        "healthy": known * (diverse & (favour[:, -1] < UNKNOWING)),
        "overfitted": (favour.max(1) > KNOWING).astype(float),
    }


def sharpness(run: xr.Dataset, reach: float) -> dict[str, np.ndarray]:
    """Half distances at training images, what a fake feels of the minimax loss, and recall, after the last step."""
    return {
        "half distance": half_distances(run, reach),
        "minimax gradient at a fake": pulls(run)["minimax"][:, -1],
        "recall": after(run, "image_recall"),
    }


def poorer(of: Mapping[str, xr.Dataset], pairs: Mapping[str, tuple[str, str]], reach: float) -> dict[str, Interval]:
    """How much nearer the flanks, weaker the gradients and smaller the recall are, of the second arm of each pair."""
    effects = {}
    for name, (usual, other) in pairs.items():
        near, pull, recall = zip(*(sharpness(of[arm], reach).values() for arm in (usual, other)), strict=True)
        effects[f"narrowing ({name})"] = shortfall(*near)
        effects[f"weakening ({name})"] = shortfall(*pull)
        effects[f"recall lost ({name})"] = stats.median_difference(*recall)
    return effects


def shortfall(usual: np.ndarray, other: np.ndarray) -> Interval:
    """By how much the median of other runs falls short of that of the usual ones, as a share of it."""
    scale = np.median(usual)
    return stats.median_difference(usual / scale, other / scale)


def felt(run: xr.Dataset, loss: str) -> np.ndarray:
    """The decimal logarithm of what `pulls` says that a fake feels of a loss, from -6 up: (seed, moment).

    To nine digits: the last bits of a logarithm hang on the processor, and with them the layout of a figure.
    """
    return np.round(np.log10(np.maximum(pulls(run)[loss].astype(float), 1e-6)), 9)


def unrest(run: xr.Dataset) -> dict[str, Interval]:
    """Scans through training images that have no lasting maximum, and that have changed: medians over runs."""
    return {
        "scans without a lasting maximum": stats.median(1 - lasting(run, TRAINING)),
        "scans that have changed": stats.median(changed(run)),
    }


def held(run: xr.Dataset) -> dict[str, Interval]:
    """Scans through training images whose maximum lasts: median over runs."""
    return {"scans with a lasting maximum": stats.median(lasting(run, TRAINING))}
