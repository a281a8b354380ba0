"""What is drawn and counted of generated temperatures: a cold and a hot place, and fakes that go from one to the other.

`of` is an arm's runs on two modes of the line, the cold one first, with `shares` observed. What is drawn of the first
run at a frame needs `snapshots`, and D needs `scores_on_line` at the places of LINE.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from scipy.special import expit as sigmoid

from gancore import stats
from gancore.data.targets import latent_of
from gancore.metrics.hops import hops
from gancore.observers.lines import line
from gancore.observers.points import evaluation_points
from gancore.stats import Interval
from gancore.study.animation import scrubber
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


def film(arms: Mapping[str, xr.Dataset], real: np.ndarray, steps: Sequence[int], alt: str) -> HTML:
    """The first runs of these arms, by their titles, at the frames of these steps, with a scrubber."""
    figure, panels = plt.subplots(1, len(arms), figsize=(3.5 * len(arms), 2.4))

    def draw(i: int) -> None:
        for axes, (title, of) in zip(panels, arms.items(), strict=True):
            axes.clear()
            moment(axes, of, int(np.searchsorted(of.frame.values, steps[i])), real)
            axes.set_title(title)

    return scrubber(figure, draw, [f"step {step:,}" for step in steps], alt)


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


def all_runs(arms: Mapping[str, xr.Dataset]) -> Figure:
    """A panel an arm, by its title, and in it every run a row, the first seed on top.

    Red where the fakes are hot, blue where they are cold, white where they are at both places or at neither.
    """
    figure, panels = plt.subplots(len(arms), 1, figsize=(9, 1.8 * len(arms)), sharex=True)
    for axes, (title, of) in zip(panels, arms.items(), strict=True):
        mesh = axes.pcolormesh(
            of.moment, of.seed, hot(of), cmap=HEAT, vmin=0, vmax=1, rasterized=True, shading="nearest"
        )
        axes.invert_yaxis()
        axes.set(title=title, ylabel="seed")
    panels[-1].set_xlabel("step")
    bar = figure.colorbar(mesh, ax=panels, ticks=[0, 0.5, 1], shrink=0.5)
    bar.set_ticklabels(["all cold", "half", "all hot"])
    return figure


def jumps(of: xr.Dataset) -> np.ndarray:
    """How often the other place has come to hold the fakes: (seeds,)."""
    return hops(of.mode_shares.values).sum(-1)


def around_jump(of: xr.Dataset, apart: Sequence[int]) -> list[int]:
    """Frames so many places from that of the first run's first jump in the second half, or from the middle if none."""
    later = second_half(of)
    jumped = hops(later.mode_shares.values[0])
    step = later.moment.values[1:][jumped][0] if jumped.any() else later.moment.values[0]
    at = int(np.searchsorted(of.frame.values, step))
    return [int(np.clip(at + places, 0, of.sizes["frame"] - 1)) for places in apart]


def pace(of: xr.Dataset, every: int) -> tuple[np.ndarray, np.ndarray]:
    """Jumps in each stretch of so many observations, (seeds, stretches), and the steps in their middles."""
    jumped = hops(of.mode_shares.values)
    starts = np.arange(0, jumped.shape[1], every)
    middles = of.moment.values[np.minimum(starts + every // 2, jumped.shape[1])]
    return np.add.reduceat(jumped.astype(int), starts, axis=1), middles


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
