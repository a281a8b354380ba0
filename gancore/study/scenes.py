"""What is shown of generated traffic frames: plates, how many lanes are found the rarer vehicles are, and tables."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from gancore import stats
from gancore.data.images import TrafficScene
from gancore.metrics.traffic import FOUND
from gancore.stats import Interval
from gancore.study import plots
from gancore.study.colours import COLOURS

HALF = 0.5  # of the lanes: with fewer a run fails
FAILING = {"GAN": "gan", "WGAN-GP": "wgan-gp"}
Hours = Mapping[float, xr.Dataset]  # an arm's runs by how often vehicles pass, the scene's `rush`


def share_found(run: xr.Dataset) -> np.ndarray:
    """The share of the lanes that each run draws often enough after the last step, none if it diverged: (seeds,)."""
    end = run.isel(step=-1)
    return (end.lanes_found / run.sizes["lane"]).fillna(0).values


def kept(run: xr.Dataset) -> np.ndarray:
    """The share of vehicles that each run's reconstructions have again, all lanes alike: (seeds,)."""
    return run.vehicles_kept.isel(step=-1).fillna(0).mean("lane").values


def over_frames(plates: Mapping[str, np.ndarray], means: Sequence[np.ndarray], side: int) -> Figure:
    """A titled plate of frames (n, D) each, four across, and below each the same less its mean frame (D,)."""
    figure, grid = plt.subplots(2, len(plates), figsize=(9, 18 / len(plates) + 0.4), squeeze=False)
    plots.plates(grid[0], plates, side, across=4, gap=1)
    for axes, x, mean in zip(grid[1], plates.values(), means, strict=True):
        plots.plate(axes, np.clip(x - mean, -1, 1), side, across=4, gap=1)
    return figure


def by_rarity(methods: Mapping[str, Hours], titles: Mapping[str, str]) -> Figure:
    """Lanes found over how often vehicles pass, a line a method with every run a dot; and by a lane's own rarity."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), width_ratios=[1, 1.1])
    for shift, (method, hours) in zip(np.linspace(0.93, 1.07, len(methods)), methods.items(), strict=True):
        colour, medians = COLOURS[method], []
        for rush, run in hours.items():
            found = share_found(run)
            left.scatter([rush * shift] * len(found), found, s=10, color=colour, alpha=0.5, linewidths=0)
            medians.append(np.median(found))
        left.plot(list(hours), medians, color=colour, label=titles[method])
        lanes = [_of_lanes(rush, run) for rush, run in hours.items()]
        rare, share = (np.concatenate(part) for part in zip(*lanes, strict=True))
        at = np.unique(rare.round(6))
        means = [share[np.isclose(rare, frequency)].mean() for frequency in at]
        right.plot(at, means, "o-", markersize=3, color=colour, linewidth=1)
    left.set(xscale="log", xlabel="rush: 1 is one frame in ten with a vehicle", ylabel="share of the lanes found")
    left.set_xticks(list(hours), [f"{rush:g}" for rush in hours], minor=False)
    left.minorticks_off()
    right.set(
        xscale="log", xlabel="share of real frames with a vehicle in the lane", ylabel="share of runs that find it"
    )
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(methods))
    return figure


def _of_lanes(rush: float, run: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Each lane's true frequency, and the share of runs that find it."""
    found = run.frequency_ratio.isel(step=-1).fillna(0) >= FOUND
    return TrafficScene(rush=rush).frequencies(), found.mean("seed").values


def rows(methods: Mapping[str, Hours], titles: Mapping[str, str]) -> list[list[object]]:
    """A line an hour and method: lanes found, vehicles drawn over the scene's, proper and empty frames, medians."""
    return [
        [f"{rush:g}", titles[method], stats.median(share_found(run)), *map(stats.median, _frames(run))]
        for rush in next(iter(methods.values()))
        for method, run in ((name, hours[rush]) for name, hours in methods.items())
    ]


def _frames(run: xr.Dataset) -> list[np.ndarray]:
    end = run.isel(step=-1).fillna(0)
    return [end.frequency_ratio.mean("lane").values, end.high_quality.values, end.empty_share.values]


def decided(of: Mapping[str, xr.Dataset]) -> dict[str, Interval]:
    """Rates of runs of GAN and WGAN-GP that find fewer than half of the lanes, and of BiGAN with PGP that do not."""
    fails = {f"{title} fails": stats.rate(share_found(of[arm]) < HALF) for title, arm in FAILING.items()}
    return fails | {"BiGAN with the penalty draws the vehicles": stats.rate(share_found(of["bigan-pgp"]) >= HALF)}
