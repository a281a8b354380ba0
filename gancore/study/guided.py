"""What claims on guided generators and on latent spaces are decided by: effects of the arms' runs, by name.

Arms of different lengths are compared at the last step at which all of them were observed.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from gancore import stats
from gancore.stats import Interval
from gancore.study.forgetting import hopped

SPACES = ("pixels", "features of the classifier", "latents of the encoder")
DIGITS, MANY, FAILED, COLLAPSED = 10, 9, 5, 3  # all there are; so many are healthy, so few a failure, so few a collapse
OFTEN, QUARTER = 3, 0.25  # so many hops are hopping; so large a share is held
Runs = Mapping[str, xr.Dataset]
Reader = Callable[[Tensor], Tensor]  # images (R, n, D) -> the digit that each shows, (R, n)


def sense(of: Runs) -> dict[str, Interval]:
    """Neighbours alike in the features and in the latents, and sums that land on their digit: medians over runs."""
    found = of["bigan"].isel(page=-1)
    alike = {f"neighbours alike ({SPACES[i]})": stats.median(found.purity.values[:, i]) for i in (1, 2)}
    relative = stats.worst_if_diverged(_ratio(found.landed.values, found.diagonal.values), 0)
    return alike | {"sums that land on their digit, as a share of the diagonal's": stats.median(relative)}


def hopping(of: Runs) -> dict[str, Interval]:
    """The rates of runs that hop often, by what they were trained on."""
    return {f"runs that hop ({name})": stats.rate((hopped(run) >= OFTEN).ravel()) for name, run in of.items()}


def collapsed(run: xr.Dataset) -> np.ndarray:
    """Whether each run ends with at most three digits: (seeds,)."""
    return np.nan_to_num(run.classes.values[:, -1]) <= COLLAPSED


def healthy(run: xr.Dataset) -> np.ndarray:
    """Whether each run ends with nine digits or more and half of real images' recall: (seeds,)."""
    last = run.isel(step=-1)
    return (np.nan_to_num(last.classes.values) >= MANY) & (last.image_recall >= last.real_image_recall / 2).values


def kept(run: xr.Dataset) -> np.ndarray:
    """Whether each run showed all ten digits at every observation of its second half: (seeds,)."""
    late = run.classes.isel(step=run.step.values > run.step.values[-1] / 2)
    return (np.nan_to_num(late.values) == DIGITS).all(1)


def covers(run: xr.Dataset, step: int) -> np.ndarray:
    """Whether each run shows nine digits or more at a step: (seeds,)."""
    return np.nan_to_num(run.classes.sel(step=step).values) >= MANY


def reached(of: Runs, pairs: Mapping[str, tuple[str, str]]) -> dict[str, Interval]:
    """The rate of the first arm's runs that show nine digits or more where they are compared, by each pair's name."""
    steps = {name: common_step({arm: of[arm] for arm in pair}) for name, pair in pairs.items()}
    rates = {name: stats.rate(covers(of[pairs[name][0]], step)) for name, step in steps.items()}
    return {f"nine digits or more ({name})": rate for name, rate in rates.items()}


def cured(plain: xr.Dataset, whole: xr.Dataset, step: int) -> dict[str, Interval]:
    """That the plain GAN ends collapsed, and the guided one shows nine digits or more at a step: rates."""
    shown = stats.rate(covers(whole, step))
    return {"collapsed (plain GAN)": stats.rate(collapsed(plain)), "nine digits or more (guided)": shown}


def holds_both(run: xr.Dataset) -> np.ndarray:
    """Whether each run on two clusters ends with a quarter of its fakes or more at either: (seeds, ...)."""
    shares = run.mode_shares.transpose(..., "moment", "mode").values[..., -1, :]
    return np.nan_to_num(shares).min(-1) >= QUARTER


def at_step(run: xr.Dataset, step: int, measures: Sequence[str]) -> list[Interval]:
    """What the runs show at a step, medians over runs; a share that a run which diverged does not have is 0."""
    fid = run.fid.sel(step=step).values
    return [stats.median(fid if name == "fid" else share(run, name, step)) for name in measures]


def common_step(of: Runs) -> int:
    """The last step at which the runs of all arms were observed."""
    return int(max(set.intersection(*(set(run.step.values.tolist()) for run in of.values()))))


def share(run: xr.Dataset, name: str, step: int) -> np.ndarray:
    """A share of this name at a step, 0 where a run diverged: (seeds,)."""
    return stats.worst_if_diverged(run[name].sel(step=step).values, 0)


def fids(of: Runs) -> dict[str, np.ndarray]:
    """FIDs at the common step, (seeds,) an arm; the worst of all where a run diverged."""
    step = common_step(of)
    return stats.worst_of_all_if_diverged({arm: run.fid.sel(step=step).values for arm, run in of.items()})


def variety(of: Runs) -> dict[str, Interval]:
    """What guided runs keep: all digits and variance within them where the plain GAN collapses, recall where not."""
    caught, two = of["reweighted"], {arm: of[arm] for arm in ("stable-guided", "stable-gan")}
    of_real = share(caught, "variance_ratio", int(caught.step[-1]))
    recalls = [share(run, "image_recall", common_step(two)) for run in two.values()]
    return {
        "runs that keep all ten digits (collapsing)": stats.rate(kept(caught)),
        "share of the real variance within a digit (collapsing)": stats.median(of_real),
        "recall, as a share of the plain GAN's (stable)": stats.of_medians(_ratio, *recalls),
    }


def shrunk(of: Runs, pairs: Mapping[str, tuple[str, str]]) -> dict[str, Interval]:
    """How much of the variance within a digit is lost from the first arm to the second, by the name of each pair."""
    lost = {}
    for name, pair in pairs.items():
        step = common_step({arm: of[arm] for arm in pair})
        a, b = (share(of[arm], "variance_ratio", step) for arm in pair)
        lost[f"variance lost without the term ({name})"] = stats.of_medians(lambda a, b: 1 - _ratio(b, a), a, b)
    return lost


def failing(of: Runs) -> dict[str, Interval]:
    """The rates of runs that diverge or end with few digits."""
    few = {name: np.nan_to_num(run.classes.values[:, -1]) <= FAILED for name, run in of.items()}
    return {f"{name} fails without fakes": stats.rate(which) for name, which in few.items()}


def steady(of: Runs) -> dict[str, float]:
    """The rates of runs that do neither, with fakes to see."""
    few = failing(of)
    return {f"{name} does not fail with fakes": 1 - few[f"{name} fails without fakes"].value for name in of}


def named_as_asked(run: xr.Dataset, readers: Sequence[Reader]) -> list[Interval]:
    """The share of the last plate's images, asked for class by class, that each reader names so: medians over runs."""
    x = torch.from_numpy(run.plates.values[:, -1])
    asked = torch.arange(x.shape[1]) % DIGITS
    return [stats.median((reader(x) == asked).double().mean(1).numpy()) for reader in readers]


def gain_lost(of: Runs, parts: Mapping[str, str], plain: str, whole: str) -> dict[str, Interval]:
    """Which share of the fall in FID from the plain arm to the whole method is gone without a part, by its name."""
    found = fids(of)
    ends = found[plain], found[whole]
    return {
        f"gain lost without {part}": stats.of_medians(lambda a, b, c: _ratio(c - b, a - b), *ends, found[arm])
        for part, arm in parts.items()
    }


def improvements(of: Runs, pairs: Mapping[str, tuple[str, str]]) -> dict[str, Interval]:
    """How much lower the second arm's median FID is than the first's, by the name of each pair."""
    found = fids(of)
    return {f"fall in FID {name}": stats.median_difference(found[a], found[b]) for name, (a, b) in pairs.items()}


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, NaN where b is 0."""
    return np.divide(a, b, out=np.full(np.shape(b), np.nan), where=np.asarray(b) != 0)
