"""Pictures of a BiGAN: codes, the plane of points and latents, where the discriminator pulls, sweeps of weights."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import torch
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.quiver import Quiver

from gancore.observers.points import evaluation_points
from gancore.study import plots
from gancore.study.holding import SOURCE_ONE, held, target


def codes(axes: Axes, run: xr.Dataset, mixture: object) -> None:
    """The codes of one run of an encoder alone at its moments, a row each, coloured by the `mixture`'s modes."""
    x = evaluation_points(mixture, int(run.seed), run.sizes["place"])
    mode = mixture.nearest(x[None])[1][0].numpy()
    for row in range(run.sizes["moment"]):
        height, z = 0.6 * mode / mode.max() - 1.2 * row, run.portraits.isel(moment=row, axis=0)
        axes.scatter(z, height, c=mode, cmap="viridis", s=3, linewidths=0, rasterized=True)
    steps = [f"step {step:,}" for step in run.moment.values]
    axes.set_yticks(0.3 - 1.2 * np.arange(len(steps)), steps)
    axes.set(xlabel="code E(x)", xlim=(-1.1, 1.1))


def _ways(run: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """From reconstructions to the points themselves, (seeds, points, D), and the points."""
    count = run.sizes["end"]
    x = torch.stack([evaluation_points(target(run), int(seed), count) for seed in run.seed.values]).numpy()
    return x - run.again.values, x


def pulled(run: xr.Dataset) -> dict[str, np.ndarray]:
    """Of every pair at one moment: its `distance`, D's slope's length, and its cosine with the way to the point.

    Each (seeds, points), means over the places of a segment.
    """
    way, _ = _ways(run)
    distance, slope = np.linalg.norm(way, axis=-1), run.slope.values  # (seeds, points, places, D)
    length = np.linalg.norm(slope, axis=-1)
    along = (slope * way[:, :, None]).sum(-1) / np.maximum(length * distance[..., None], 1e-12)
    return {"distance": distance, "length": length.mean(-1), "cosine": along.mean(-1)}


def far_and_near(run: xr.Dataset) -> list[str]:
    """The share of pairs more than nine deviations apart at one moment, and medians of cosine and length of D's slope.

    Of those far pairs first, then of the pairs less than three deviations apart; "none" where there are none.
    """
    found, deviation = pulled(run), target(run).deviation
    far, near = found["distance"] > 9 * deviation, found["distance"] < 3 * deviation
    shown = [f"{far.mean():.0%}"]
    for which in (far, near):
        shown += [f"{np.median(found[name][which]):.2f}" if which.any() else "none" for name in ("cosine", "length")]
    return shown


def pulls(axes: Axes, run: xr.Dataset, reach: float) -> Quiver:
    """Points (blue), their reconstructions (orange), the segments between, and D's slope in the middle of each.

    The first run at one moment. Arrows are as long as the slope, up to `reach`, coloured by their cosine with the way.
    """
    one = run.isel(seed=[0])
    way, x = (part[0] for part in _ways(one))
    middle, cosine = one.slope.values[0, :, one.sizes["along"] // 2], pulled(one)["cosine"][0]
    length = np.linalg.norm(middle, axis=1, keepdims=True)
    arrow = middle * np.minimum(1, reach / np.maximum(length, 1e-12))
    axes.add_collection(LineCollection(np.stack([x - way, x], 1), colors="0.7", linewidths=0.7, zorder=1))
    plots.points(axes, x, plots.REAL, size=8, zorder=2)
    plots.points(axes, x - way, plots.FAKE, size=8, zorder=2)
    style = {"cmap": "PuOr", "clim": (-1, 1), "width": 0.006, "edgecolor": "0.3", "linewidth": 0.3, "zorder": 3}
    return axes.quiver(*(x - way / 2).T, *arrow.T, cosine, angles="xy", scale_units="xy", scale=1, **style)


def pulls_early_and_late(runs: Mapping[str, xr.Dataset], window: tuple[float, float, float, float]) -> Figure:
    """A column a titled run, a row a moment, as `pulls` with slopes up to 1, and a bar for the cosine."""
    figure, grid = plt.subplots(2, len(runs), figsize=(9, 6.2), sharex=True, sharey=True)
    for column, (title, of) in zip(grid.T, runs.items(), strict=True):
        for moment, axes in enumerate(column):
            run = of.isel(moment=moment)
            arrows = pulls(axes, run, reach=1.0)
            plots.bare(axes, window)
            axes.set_title(f"{title}, step {int(run.moment):,}")
    figure.colorbar(arrows, ax=grid, label="cosine of the slope and the way to the point", shrink=0.7)
    return figure


def planes(runs: Mapping[str, xr.Dataset], reach: float, span: tuple[float, float]) -> Figure:
    """A row a titled run, a column a moment, as `_plane`, with a bar for the grey."""
    moments = min(run.sizes["moment"] for run in runs.values())
    figure, grid = plt.subplots(len(runs), moments, figsize=(9, 2.3 * len(runs)), sharex=True, sharey=True)
    for row, (title, run) in zip(grid, runs.items(), strict=True):
        for moment, axes in enumerate(row):
            image = _plane(axes, run.isel(moment=moment), reach, span)
            axes.set_title(f"{title}, step {int(run.moment[moment]):,}", fontsize=8)
        row[0].set_ylabel("z")
    for axes in grid[-1]:
        axes.set_xlabel("x")
    figure.colorbar(image, ax=grid, label="probability of the encoder's pair", shrink=0.7)
    return figure


def _plane(axes: Axes, run: xr.Dataset, reach: float, span: tuple[float, float]) -> AxesImage:
    """D over points and latents, G's curve (green), pairs of E (orange) and D's slope from reconstructions to points.

    The run is of one seed and moment; x fills [-`reach`, `reach`] and z the `span`.
    """
    style = {"origin": "lower", "aspect": "auto", "cmap": "Greys_r", "vmin": 0, "vmax": 1}
    image = axes.imshow(run.surface.values.T, extent=(-reach, reach, *span), interpolation="bilinear", **style)
    axes.plot(run.curve, np.linspace(*span, run.sizes["z_place"]), color=plots.GREEN, linewidth=1.5)
    x = evaluation_points(target(run), int(run.seed), run.sizes["end"]).numpy()[:, 0]
    again, z = run.again.values[:, 0], run.code.values[:, 0]
    axes.hlines(z, again, x, colors="0.6", linewidths=0.6)
    places = again[:, None] + (x - again)[:, None] * np.linspace(0, 1, run.sizes["along"])
    slope, heights = np.clip(run.slope.values[..., 0], -1, 1), np.broadcast_to(z[:, None], places.shape)
    moving = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.006, "color": plots.REAL}
    axes.quiver(places, heights, slope, 0 * slope, **moving)
    plots.points(axes, np.stack([x, z], 1), plots.FAKE, size=7)
    axes.set(xlim=(-reach, reach), ylim=span)
    return image


def weights_maps(sweeps: Mapping[str, Mapping[str, xr.Dataset]]) -> Figure:
    """A titled panel a method, a row a data set, a column a weight: the share of modes held, mean over runs.

    Weights are shown as the source counts them, of a mean over a point's dimensions.
    """
    figure, panels = plt.subplots(1, len(sweeps), figsize=(9, 2.9), squeeze=False)
    for axes, (title, runs) in zip(panels[0], sweeps.items(), strict=True):
        cells = xr.concat([held(run).mean("seed") for run in runs.values()], "data").transpose("data", "weight")
        named = {"data": range(len(runs)), "weight": cells.weight / SOURCE_ONE}
        mesh = plots.heatmap(axes, cells.assign_coords(named), title, ticks=cells.sizes["weight"])
        for (row, column), share in np.ndenumerate(cells.values):
            style = {"ha": "center", "va": "center", "color": "black" if share > 0.5 else "white"}
            axes.text(column + 0.5, row + 0.5, f"{share:.2f}", fontsize=7, **style)
        axes.set_yticks(np.arange(len(runs)) + 0.5, list(runs))
        axes.set_ylabel("")
    figure.colorbar(mesh, ax=panels, label="share of modes held")
    return figure
