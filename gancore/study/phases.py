"""Phase diagrams: what becomes of the runs in each cell of a grid of settings, as one map of three states."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from gancore.study.colours import GREEN, PURPLE

STATES: Mapping[str, str] = {"collapsed": PURPLE, "neither": "0.88", "covers": GREEN}  # state -> colour


def states(runs: xr.Dataset, few: int, most: int) -> xr.DataArray:
    """The share of a cell's seeds in each of the STATES after the last step: (state, ...), the sweep's axes after it.

    A run has collapsed if at most `few` modes are occupied, or if it diverged; it covers if `most` or more are held,
    with a quarter of their share or more of high quality; else it has done neither, mostly for not having arrived.
    """
    last = runs[["occupied", "held"]].isel(step=-1)
    collapsed = last.occupied.fillna(0) <= few
    covers = ~collapsed & (last.held.fillna(0) >= most)
    shares = [collapsed, ~collapsed & ~covers, covers]
    return xr.concat([share.mean("seed") for share in shares], xr.Variable("state", list(STATES)))


def phase_map(axes: Axes, shares: xr.DataArray, title: str) -> None:
    """A map over the two dimensions of (state, up, across): each cell has its states' colours, mixed by their shares.

    The two last dimensions are drawn upwards and to the right.
    """
    colours = np.array([to_rgb(colour) for colour in STATES.values()])  # (state, 3)
    _, up, across = shares.dims
    axes.imshow(np.einsum("suv,sc->uvc", shares.values, colours), origin="lower", aspect="auto")
    axes.set_xticks(range(shares.sizes[across]), [f"{value:g}" for value in shares[across].values], rotation=60)
    axes.set_yticks(range(shares.sizes[up]), [f"{value:g}" for value in shares[up].values])
    axes.set(title=title, xlabel=across, ylabel=up)


def legend_of_states() -> list[Patch]:
    """A patch for each state, for a legend."""
    return [Patch(color=colour, label=state) for state, colour in STATES.items()]


def weights_with(shares: xr.DataArray, state: str, least: float, most: float = 1) -> str:
    """The weights of a sweep, (state, weight), at which between `least` and `most` of the runs are in a state."""
    there = shares.sel(state=state)
    fit = there.weight.values[(there.values >= least) & (there.values <= most)]
    return ", ".join(f"{weight:g}" for weight in fit) or "none"
