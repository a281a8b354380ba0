"""Pictures of a comparison of methods: what helps against what it costs, a map over data sets, samples over time."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from gancore.stats import Interval
from gancore.study import plots
from gancore.study.colours import GREEN, GREY, PURPLE
from gancore.study.maps import real_points

LOW, HIGH = "#f7f7f7", GREEN
REACHES = LinearSegmentedColormap.from_list("reaches", [PURPLE, "#ffffff", GREEN])


class Helps(NamedTuple):
    """One method's line of the figure of what helps: what it reaches in either recipe, and what a step costs."""

    cure: Interval
    harm: Interval
    cost: float


def helps(methods: Mapping[str, Helps], plain: str, untuned: Mapping[str, float]) -> Figure:
    """Methods in the order of what they reach where the plain GAN collapses; where it is healthy; and their cost.

    A line each: a dot with its interval, and in the first panel a ring for the settings of the paper, `untuned`. The
    plain GAN is a line across.
    """
    order = sorted(methods, key=lambda method: methods[method].cure.value)
    figure, panels = plt.subplots(1, 3, figsize=(9, 0.21 * len(order) + 1.1), sharey=True, width_ratios=[2, 2, 1.2])
    places = np.arange(len(order))
    for axes, which in zip(panels, ("cure", "harm"), strict=False):
        base = getattr(methods[plain], which).value
        axes.axvline(base, color=PURPLE, linewidth=1, zorder=0)
        for place, method in zip(places, order, strict=True):
            found = getattr(methods[method], which)
            colour = _colour(found, base)
            axes.plot([found.low, found.high], [place, place], color=colour, linewidth=1.5)
            axes.scatter(found.value, place, s=18, color=colour, zorder=3)
        axes.set(xlim=(-0.02, 1.02), xlabel="share of the data reached")
    panels[0].scatter([untuned[m] for m in order], places, s=22, facecolors="none", edgecolors="0.5", linewidths=0.8)
    panels[0].set_title("where the plain GAN collapses", loc="left")
    panels[1].set_title("where it is healthy", loc="left")
    panels[2].barh(places, [methods[m].cost for m in order], color=GREY, height=0.6, left=0)
    panels[2].set(xscale="log", xlabel="cost of a step, plain = 1")
    panels[2].set_title("price", loc="left")
    panels[0].set_yticks(places, order)
    panels[0].set_ylim(-0.7, len(order) - 0.3)
    for axes in panels:
        axes.grid(axis="y", color="0.93", linewidth=0.6)
    return figure


def _colour(found: Interval, base: float) -> str:
    """Green where the interval lies above the plain GAN's, purple where below, else grey."""
    return GREEN if found.low > base else PURPLE if found.high < base else GREY


def by_data(reached: xr.DataArray, order: Sequence[str]) -> Figure:
    """The mean share reached, a row a method and a column a data set, one map a recipe: (recipe, method, data)."""
    recipes = list(reached.recipe.values)
    figure, panels = plt.subplots(1, len(recipes), figsize=(9, 0.21 * len(order) + 1), sharey=True)
    for axes, recipe in zip(panels, recipes, strict=True):
        cells = reached.sel(recipe=recipe, method=list(order))
        axes.imshow(cells.values, aspect="auto", cmap=REACHES, vmin=0, vmax=1, interpolation="nearest")
        for (row, column), value in np.ndenumerate(cells.values):
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=6)
        axes.set_xticks(range(reached.sizes["data"]), list(reached.data.values))
        axes.set_yticks(range(len(order)), order)
        axes.set_title(recipe, loc="left")
        axes.tick_params(length=0)
    return figure


def over_time(
    runs: Mapping[str, xr.Dataset], target: Mapping[str, object], window: tuple[float, float, float, float]
) -> Figure:
    """Fakes of each method's first run at its moments, a column a method and a row a moment, on the real points."""
    moments = next(iter(runs.values())).moment.values
    real = real_points(target)
    size = 9 / len(runs)
    figure, grid = plt.subplots(len(moments), len(runs), figsize=(9, (size + 0.08) * len(moments) + 0.3))
    for column, (title, run) in zip(grid.T, runs.items(), strict=True):
        for axes, moment in zip(column, range(len(moments)), strict=True):
            _fakes(axes, real, run.portraits.isel(seed=0, moment=moment).values, window)
        column[0].set_title(title, fontsize=7)
    for axes, step in zip(grid[:, 0], moments, strict=True):
        axes.set_ylabel(f"step {int(step):,}", fontsize=7)
    return figure


def _fakes(axes: Axes, real: np.ndarray, fake: np.ndarray, window: tuple[float, float, float, float]) -> None:
    plots.points(axes, real, plots.REAL, size=2)
    plots.points(axes, fake, plots.FAKE, size=2)
    plots.bare(axes, window)
