"""What is drawn and counted of generated temperatures: a cold and a hot place, and fakes that go from one to the other.

`of` is an arm's runs on two modes of the line, the cold one first, with `shares` observed. What is drawn of the first
run at a frame needs `snapshots`, and D needs `scores_on_line` at the places of LINE.
"""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LinearSegmentedColormap
from scipy.special import expit as sigmoid

from gancore import stats
from gancore.data.targets import latent_of
from gancore.metrics.hops import hops
from gancore.observers.lines import line
from gancore.observers.points import evaluation_points
from gancore.stats import Interval
from gancore.study.colours import FAKE, REAL
from gancore.study.colours import RED as HOT
from gancore.study.colours import SKY as COLD

MIDDLE, HALF_WAY = 4, 32  # degrees: the middle of the two means, and how far they are from it
LINE = {"half_width": 2.0, "places": 121}  # where D is looked at
BINS = np.arange(-60, 70, 2)  # degrees
HEAT = LinearSegmentedColormap.from_list("heat", [COLD, "white", HOT])


def degrees(x: np.ndarray) -> np.ndarray:
    """Temperatures of the networks' numbers."""
    return MIDDLE + HALF_WAY * x


def density(axes: Axes, temperatures: np.ndarray, colour: str, label: str) -> None:
    """A histogram of temperatures (n,), filled; those beyond the ends are counted there."""
    heights, _ = np.histogram(np.clip(temperatures, BINS[0], BINS[-1] - 1), BINS, density=True)
    axes.stairs(heights, BINS, fill=True, color=colour, alpha=0.6, label=label)


def moment(axes: Axes, of: xr.Dataset, frame: int, real: np.ndarray, top: float = 0.25) -> None:
    """The first run at a frame: real temperatures (n,), fakes, and D's probability of real, 1 being the `top`."""
    first = of.isel(drawn=0, frame=frame)
    density(axes, real, REAL, "real")
    density(axes, degrees(first.snapshots.values[:, 0]), FAKE, "fake")
    scores = first.scores_on_line.values
    axes.plot(degrees(line(**LINE).numpy()[:, 0]), top * sigmoid(scores), color="black", linewidth=1, label="D")
    axes.axhline(top / 2, color="0.6", linewidth=0.6, linestyle=":")
    axes.set(xlim=(BINS[0], BINS[-1]), ylim=(0, 1.05 * top), yticks=[], xticks=[-28, 4, 36])


def curve(axes: Axes, of: xr.Dataset, recipe: dict, frame: int, colour: str, label: str) -> None:
    """What the first run's generator makes of each of the latents on which it is judged, in order: its curve."""
    first = of.isel(drawn=0, frame=frame)
    z = evaluation_points(latent_of(recipe), int(of.seed[0]), first.sizes["point"])[:, 0].numpy()
    order = z.argsort()
    axes.plot(z[order], degrees(first.snapshots.values[order, 0]), color=colour, label=label)


def hot(of: xr.Dataset) -> np.ndarray:
    """How much more of the fakes are at the hot than at the cold place, 1 for all and 0 for none: (seeds, moments)."""
    cold_share, hot_share = np.moveaxis(np.nan_to_num(of.mode_shares.values), -1, 0)
    return (1 + hot_share - cold_share) / 2


def all_runs(axes: Axes, of: xr.Dataset, title: str) -> QuadMesh:
    """Every run a row, the first seed on top: red where fakes are hot, blue where cold, white where both or none."""
    mesh = axes.pcolormesh(of.moment, of.seed, hot(of), cmap=HEAT, vmin=0, vmax=1, rasterized=True, shading="nearest")
    axes.invert_yaxis()
    axes.set_title(title)
    return mesh


def jumps(of: xr.Dataset) -> np.ndarray:
    """How often the other place has come to hold the fakes: (seeds,)."""
    return hops(of.mode_shares.values).sum(-1)


def second_half(of: xr.Dataset) -> xr.Dataset:
    """The same runs from the middle of their observations on."""
    return of.isel(moment=slice(of.sizes["moment"] // 2, None))


def there_and_back(of: xr.Dataset) -> dict[str, Interval]:
    """The rates of runs with two jumps or more, in all and in the second half."""
    return {
        "runs that jump there and back": stats.rate(jumps(of) >= 2),
        "runs that still do in the second half": stats.rate(jumps(second_half(of)) >= 2),
    }


def at_places(of: xr.Dataset) -> Interval:
    """The share of fakes at either place, mean over the second half, median over runs."""
    return stats.median(np.nan_to_num(second_half(of).mode_shares.values).sum(-1).mean(-1))
