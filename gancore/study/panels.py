"""Panels of runs over time: every run a faint line, each arm's median and its interval."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from gancore.study.plots import COLOURS, runs_over_time


def over_time(
    panels: Mapping[str, Mapping[str, xr.DataArray]],
    labels: Mapping[str, str] | None = None,
    across: int | None = None,
) -> Figure:
    """A panel a title, `across` a row, with the arms it is given, (seed, time) each, in the colours of their names.

    Axes that show one quantity alone share their scale. With `labels`, a legend says which arm is which.
    """
    across = across or len(panels)
    down = -(-len(panels) // across)
    figure, grid = plt.subplots(down, across, figsize=(9, 2.1 * down + 0.3), squeeze=False, sharey=labels is None)
    for axes, (title, arms) in zip(grid.flat, panels.items(), strict=False):
        for arm, values in arms.items():
            times = values[values.dims[1]].values
            runs_over_time(axes, times, values.values, COLOURS.get(arm, "0.4"), (labels or {}).get(arm, arm))
        axes.set_title(title)
    for axes in grid[-1]:
        axes.set_xlabel("step")
    for axes in grid.flat[len(panels) :]:
        axes.axis("off")
    if labels:
        grid[0, 0].legend()
    return figure


def by_lag(
    panels: Mapping[str, Mapping[str, xr.DataArray]], labels: Mapping[str, str], dashed: Sequence[str]
) -> Figure:
    """A panel a title with each arm's median over runs by the steps between two observations, (seed, lag) each."""
    figure, grid = plt.subplots(1, len(panels), figsize=(9, 2.6), squeeze=False)
    for axes, (title, arms) in zip(grid[0], panels.items(), strict=True):
        for arm, curve in arms.items():
            style = "--" if arm in dashed else "-"
            axes.plot(curve.lag, np.median(curve, 0), style, color=COLOURS.get(arm, "0.4"), label=labels[arm])
        axes.set(title=title, xlabel="steps between the two moments")
    grid[0, 0].legend()
    return figure
