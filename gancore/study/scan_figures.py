"""Figures of line-scans, and of what arms that were trained for different lengths do over their training."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import expit

from gancore.observers.pictures import scan_directions
from gancore.study import plots
from gancore.study.scanned import TRAINING, scan_scores

Measure = Callable[[xr.Dataset], np.ndarray]


def regime(run: xr.Dataset, colour: str, side: int, reach: float) -> Figure:
    """One run's fakes at each of its pages, above scans through training images in one direction at the same steps."""
    figure, grid = plt.subplots(2, run.sizes["page"], figsize=(9, 4.6), height_ratios=[1.5, 1])
    scores = scan_scores(run).isel(kind=TRAINING, direction=0, window=-1)
    for step, (above, below) in zip(run.page.values, grid.T, strict=True):
        plots.plate(above, run.plates.sel(page=step).values, side)
        above.set_title(f"step {step:,}")
        _curves(below, scores.sel(moment=step).values, reach, colour)
        below.set(xlabel="k", ylim=(float(scores.min()), float(scores.max())))
    grid[1, 0].set_ylabel("score D(x + k u)")
    return figure


def windows(runs: Mapping[str, xr.Dataset], reaches: Sequence[float]) -> Figure:
    """A row an arm, scans through its first run's training images: the score in each window, the last's probability."""
    figure, grid = plt.subplots(len(runs), len(reaches) + 1, figsize=(9, 1.75 * len(runs)), squeeze=False)
    for row, (arm, run) in zip(grid, runs.items(), strict=True):
        scores = scan_scores(run).isel(seed=0, moment=-1, kind=TRAINING, direction=0)
        for window, reach in enumerate(reaches):
            _curves(row[window], scores.isel(window=window).values, reach, plots.COLOURS[arm])
            row[window].set_title(f"{arm}, score")
        _curves(row[-1], expit(scores.isel(window=-1).values), reaches[-1], plots.COLOURS[arm])
        row[-1].set(title=f"{arm}, probability", ylim=(-0.03, 1.03))
    for axes in grid[-1]:
        axes.set_xlabel("k")
    return figure


def _curves(axes: Axes, lines: np.ndarray, reach: float, colour: str) -> None:
    """Scans (images, places) over their offsets from -reach to reach."""
    axes.plot(np.linspace(-reach, reach, lines.shape[-1]), lines.T, color=colour, linewidth=0.9)
    axes.axvline(0, color="0.6", linewidth=0.6, linestyle=":")


def moved(image: np.ndarray, side: int, reaches: Sequence[float], directions: int) -> Figure:
    """An image (D,) and what it becomes at both ends of each window, along a normal and the all-positive direction."""
    ways, offsets = scan_directions(directions, image.size).numpy(), [*(-r for r in reaches[::-1]), 0, *reaches]
    figure, grid = plt.subplots(2, len(offsets), figsize=(9, 3))
    for row, name, way in zip(grid, ("normal", "all-positive"), (ways[0], ways[-1]), strict=True):
        row[0].set_ylabel(name)
        for axes, k in zip(row, offsets, strict=True):
            x = image + k * way / np.linalg.norm(way)
            axes.imshow(x.reshape(side, side), cmap="gray", vmin=-1, vmax=1)
            axes.set(title=f"k = {k:g}", xticks=[], yticks=[])
    return figure


def over_training(runs: Mapping[str, xr.Dataset], measures: Mapping[str, tuple[Measure, str]]) -> Figure:
    """A panel a measure, a function of an arm's runs with its clock, over the share of an arm's steps that have gone.

    Three panels a row; arms that are not observed by that clock are left out.
    """
    rows = -(-len(measures) // 3)
    figure, grid = plt.subplots(rows, min(len(measures), 3), figsize=(9, 0.7 + 2.3 * rows), sharex=True, squeeze=False)
    for axes, (title, (measure, clock)) in zip(grid.flat, measures.items(), strict=True):
        for arm, run in runs.items():
            if clock in run.coords:
                share = run[clock].values / run[clock].values[-1]
                plots.runs_over_time(axes, share, measure(run), plots.COLOURS[arm], arm)
        axes.set_title(title)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    for axes in grid[-1]:
        axes.set_xlabel("share of the steps")
    return figure
