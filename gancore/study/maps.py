"""Maps of the plane during training: real points, fakes, arrows, and where the arrows lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import xarray as xr
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from gancore.data.targets import target_of
from gancore.observers.planes import square
from gancore.study import plots
from gancore.study.animation import scrubber


def real_points(spec: Mapping[str, object], count: int = 300) -> np.ndarray:
    """So many points of a target that a recipe names, the same each time: (count, D)."""
    return target_of({"target": spec}).draw(count)(np.random.default_rng(0), 1)[0]


@dataclass(frozen=True)
class Plane:
    """Real points (n, 2) and the square of `half_width` that is mapped, with its observed places along a side."""

    real: np.ndarray
    half_width: float

    def frame(self, axes: Axes, of: xr.Dataset, frame: int, title: str) -> None:
        """Real points, fakes and arrows of an arm's first run at one of its frames."""
        first = of.isel(drawn=0, frame=frame)
        places = square(self.half_width, round(first.sizes["spot"] ** 0.5)).numpy()
        plots.arrows(axes, places, first.arrows.values)
        self._points(axes, first.snapshots.values, title)

    def frames(self, arms: Mapping[str, xr.Dataset], steps: Sequence[int]) -> Figure:
        """A row an arm, by its title if it has one, and a column for each of these steps: the frame next to it."""
        size = 9, (9 / len(steps) + 0.15) * len(arms)
        figure, grid = plt.subplots(len(arms), len(steps), figsize=size, squeeze=False)
        for row, (title, of) in zip(grid, arms.items(), strict=True):
            for axes, step in zip(row, steps, strict=True):
                frame = _nearest(of.frame, step)
                self.frame(axes, of, frame, ", ".join([*filter(None, [title]), f"step {int(of.frame[frame]):,}"]))
        return figure

    def film(self, arms: Mapping[str, xr.Dataset], alt: str, most: int = 32) -> HTML:
        """The frames of all arms side by side, at most so many, with a scrubber."""
        of = next(iter(arms.values()))
        shown = range(0, of.sizes["frame"], max(1, of.sizes["frame"] // most))
        figure, panels = plt.subplots(1, len(arms), figsize=(3.2 * len(arms), 3.4), squeeze=False)

        def draw(i: int) -> None:
            for axes, (title, of) in zip(panels[0], arms.items(), strict=True):
                axes.clear()
                self.frame(axes, of, shown[i], title)

        return scrubber(figure, draw, [f"step {int(of.frame[i]):,}" for i in shown], alt)

    def basins(self, axes: Axes, of: xr.Dataset, view: int, title: str) -> None:
        """The plane in the colour of the mode at which the way up ends, grey where at none; the fakes of that step."""
        first = of.isel(drawn=0, view=view)
        frame = _nearest(of.frame, first.view.item())
        side, reach = round(first.sizes["cell"] ** 0.5), self.half_width
        ends = first.attractor.values.reshape(side, side).T  # places run along x first
        colours = ["0.9", *sns.color_palette("pastel", int(max(ends.max() + 1, 1)))]
        shown = ListedColormap(colours)
        axes.imshow(ends, origin="lower", extent=(-reach, reach) * 2, cmap=shown, vmin=-1.5, vmax=len(colours) - 1.5)
        self._points(axes, of.isel(drawn=0, frame=frame).snapshots.values, title)

    def _points(self, axes: Axes, fake: np.ndarray, title: str) -> None:
        plots.points(axes, self.real, plots.REAL, size=4)
        plots.points(axes, fake, plots.FAKE, size=6)
        edge = 1.1 * self.half_width
        plots.bare(axes, (-edge, edge, -edge, edge))
        axes.set_title(title)


def _nearest(clock: xr.DataArray, step: int) -> int:
    """The place of the observation next to a step."""
    return int(np.abs(clock.values - step).argmin())
