"""One style for all figures, files that are the same bits each time, and plots that notebooks share."""

import base64
import html
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

import matplotlib as mpl
import numpy as np
import seaborn as sns
import xarray as xr
from IPython.display import HTML
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.figure import Figure
from PIL import Image

from gancore.errors import StudyError
from gancore.files import write_whole
from gancore.stats import Interval, median, median_band
from gancore.study.colours import COLOURS, FAKE, GREEN, REAL
from gancore.study.ends import ends

NO_DATE = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
QUICK = {"compress_level": 0}  # for a PNG that is read again at once
STYLE = {
    "svg.hashsalt": "gancore",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "legend.frameon": False,
}


def use_style() -> None:
    """The study's style, for every figure made from now on."""
    sns.set_theme(style="ticks", palette="colorblind", rc=STYLE)


def save(figure: Figure, path: Path, dense: bool) -> tuple[str, bytes]:
    """Write `path`.svg and .pdf (`dense`: .png and .pdf); return what the notebook shows, with its type."""
    with mpl.rc_context(STYLE):
        kind = "png" if dense else "svg"
        picture = _few_colours(_rendered(figure, "png", pil_kwargs=QUICK)) if dense else _rendered(figure, "svg")
        write_whole(path.with_suffix(f".{kind}"), picture)
        write_whole(path.with_suffix(".pdf"), _rendered(figure, "pdf"))
    plt.close(figure)
    return ("image/png" if dense else "image/svg+xml"), picture


def _rendered(figure: Figure, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata=NO_DATE[kind], dpi=150, **options)
    return buffer.getvalue()


def _few_colours(picture: bytes) -> bytes:
    """The PNG with a palette of 128 colours: a quarter of the size, and the eye sees no difference."""
    packed = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    image.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def as_html(picture: tuple[str, bytes], alt: str, links: Mapping[str, str] | None = None) -> HTML:
    """A picture with a description that browsers and screen readers find, and links to its files and data by name."""
    kind, content = picture
    data = base64.b64encode(content).decode()
    image = f'<img alt="{html.escape(alt)}" src="data:{kind};base64,{data}" style="max-width: 100%">'
    below = " · ".join(f'<a href="{html.escape(there)}">{name}</a>' for name, there in (links or {}).items())
    return HTML(image + (f'<p style="font-size: small">{below}</p>' if below else ""))


def points(axes: Axes, x: np.ndarray, colour: str, size: float = 3, **options) -> None:
    """A cloud of points (n, 2)."""
    axes.scatter(*x.T, s=size, color=colour, linewidths=0, rasterized=True, **options)


def cloud(axes: Axes, real: np.ndarray, limits: tuple[float, float, float, float], title: str) -> PathCollection:
    """A map with real points and a still empty cloud of generated points, for animations."""
    points(axes, real, REAL, size=6)
    bare(axes, limits)
    axes.set_title(title)
    return axes.scatter([], [], s=5, color=FAKE, linewidths=0)


def portrait(axes: Axes, fake: np.ndarray, real: np.ndarray, limits: tuple, title: str, **options) -> None:
    """Generated points (n, 2) under real ones; `options` are the title's."""
    points(axes, fake, FAKE, size=3)
    points(axes, real, REAL, size=4)
    bare(axes, limits)
    axes.set_title(title, **options)


def portraits(
    panels: Iterable[Axes], fakes: Mapping[str, np.ndarray], real: np.ndarray, limits: tuple, **options
) -> None:
    """A portrait each, by its title; panels that are left over stay blank."""
    for axes, (title, fake) in zip_longest(panels, fakes.items(), fillvalue=("", None)):
        if fake is None:
            axes.axis("off")
        else:
            portrait(axes, fake, real, limits, title, **options)


def arrows(axes: Axes, places: np.ndarray, vectors: np.ndarray) -> None:
    """Vectors (n, 2) at places (n, 2) of a square grid; the longest twentieth all fill the grid's spacing."""
    spacing = np.ptp(places[:, 0]) / (np.sqrt(len(places)) - 1)
    length = np.linalg.norm(vectors, axis=1)
    longest = max(np.quantile(length, 0.95), np.finfo(np.float32).tiny)
    drawn = vectors * (spacing / np.maximum(length, longest))[:, None]
    axes.quiver(*places.T, *drawn.T, color="0.45", angles="xy", scale_units="xy", scale=1, width=0.004, headwidth=4)


def plate(axes: Axes, images: np.ndarray, side: int, across: int | None = None, gap: int = 0) -> None:
    """Images (n, channels side^2) in [-1, 1], grey or colour, as one plate of `across` columns; None: a square.

    `gap` white pixels are left between two images, and what is left of the last row is white.
    """
    across = across or round(np.sqrt(len(images)))
    tiles = images.reshape(len(images), -1, side, side)
    tiles = np.pad(tiles, ((0, -len(images) % across), (0, 0), (0, gap), (0, gap)), constant_values=1)
    tiles = tiles.reshape(-1, across, *tiles.shape[1:])
    rows = np.concatenate([np.concatenate(list(row), axis=2) for row in tiles], axis=1)  # (channels, height, width)
    axes.imshow(np.moveaxis((rows + 1) / 2, 0, -1).squeeze(), cmap="gray", vmin=0, vmax=1)
    axes.axis("off")


def plates(panels: Iterable[Axes], images: Mapping[str, np.ndarray], side: int, across: int = 10, gap: int = 0) -> None:
    """A plate each, titled, of images (n, channels side^2); panels that are left over stay blank."""
    for axes, (title, x) in zip_longest(panels, images.items(), fillvalue=("", None)):
        axes.axis("off")
        if x is not None:
            plate(axes, x, side, across, gap)
            axes.set_title(title)


def bare(axes: Axes, limits: tuple[float, float, float, float]) -> None:
    """A square-scaled map without ticks: limits are left, right, bottom, top."""
    axes.set(xlim=limits[:2], ylim=limits[2:], xticks=[], yticks=[], aspect="equal")
    sns.despine(ax=axes, left=True, bottom=True)


def heatmap(axes: Axes, cells: xr.DataArray, title: str, ticks: int = 5) -> QuadMesh:
    """Shares between 0 and 1 over two labelled dimensions, upwards and to the right, as coloured cells."""
    mesh = axes.pcolormesh(cells, cmap="cividis", vmin=0, vmax=1, rasterized=True)
    axes.set(title=title, ylabel=cells.dims[0], xlabel=cells.dims[1])
    for axis, dim in zip((axes.yaxis, axes.xaxis), cells.dims, strict=True):
        shown = np.unique(np.linspace(0, cells.sizes[dim] - 1, ticks).round().astype(int))
        axis.set_ticks(
            shown + 0.5, [f"{value:,.3g}" if value < 1000 else f"{value:,.0f}" for value in cells[dim].values[shown]]
        )
    return mesh


def runs_over_time(axes: Axes, steps: np.ndarray, values: np.ndarray, colour, label: str) -> None:
    """Every run as a faint line, their median and its pointwise 95 % interval as a band: values (runs, steps)."""
    axes.plot(steps, values.T, color=colour, alpha=0.12, linewidth=0.5)
    middle, low, high = median_band(values)
    axes.fill_between(steps, low, high, color=colour, alpha=0.3, linewidth=0)
    axes.plot(steps, middle, color=colour, linewidth=1.6, label=label)


def arms_over_time(axes: Axes, runs: Mapping[str, xr.Dataset], measure: str, titles: Mapping[str, str]) -> None:
    """A measure of some arms over the steps, by their titles, as `runs_over_time`."""
    for arm, title in titles.items():
        of = runs[arm]
        runs_over_time(axes, of.step.values, of[measure].values, COLOURS[arm], title)
    axes.set(title=spelled(measure), xlabel="step")


def losses(axes: Axes, runs: xr.Dataset) -> None:
    """What each player minimised over the whole training: every run, and median and interval of those that last.

    Raises StudyError for runs that were stored before losses were.
    """
    if "losses" not in runs:
        raise StudyError("these runs have no losses stored: allowed are runs trained since they are")
    for player, colour in zip(runs.player.values, (FAKE, REAL, GREEN), strict=False):
        values = runs.losses.sel(player=player).transpose(..., "loss_step").values.reshape(-1, runs.sizes["loss_step"])
        lasting = np.isfinite(values).all(1)
        axes.plot(runs.loss_step, values[~lasting].T, color=colour, alpha=0.12, linewidth=0.5)
        if lasting.any():
            runs_over_time(axes, runs.loss_step.values, values[lasting], colour, str(player))
    axes.set(xlabel="step", ylabel="loss")


def ranked(panels: Sequence[Axes], measured: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """A panel a quantity, a row an arm, every run a dot, each arm's median a bar; in the order of the first medians."""
    first = next(iter(measured.values()))
    order = sorted(first, key=lambda arm: np.median(first[arm]))
    for axes, (title, arms) in zip(panels, measured.items(), strict=True):
        for place, arm in enumerate(order):
            axes.scatter(arms[arm], [place] * len(arms[arm]), s=12, color=COLOURS.get(arm, "0.55"), linewidths=0)
            axes.plot([np.median(arms[arm])] * 2, [place - 0.35, place + 0.35], color="black", linewidth=1.4)
        axes.set(title=title, xlim=(0, None), ylim=(len(order) - 0.4, -0.6))
        axes.set_yticks(range(len(order)), [arm.replace("-", " ") for arm in order])


def runs_by_arm(axes: Axes, arms: Mapping[str, np.ndarray], labels: Sequence[object]) -> None:
    """Every run of each arm as a dot, and each arm's median with its interval."""
    for place, (arm, values) in enumerate(arms.items()):
        spread = 0.28 * np.sin(2.4 * np.arange(len(values)))  # the same picture each time
        axes.scatter(place + spread, values, s=9, color=COLOURS.get(arm, "0.6"), alpha=0.7, linewidths=0)
        interval(axes, place, median(values))
    axes.set_xticks(range(len(arms)), labels)


def ends_by_arm(runs: Mapping[str, xr.Dataset], labels: Mapping[str, str], measures: Sequence[str]) -> Figure:
    """A panel a measure with what every run of these arms ends with, by their labels; distances on a log scale."""
    figure, panels = plt.subplots(1, len(measures), figsize=(9, 3))
    for axes, measure in zip(panels, measures, strict=True):
        runs_by_arm(axes, ends({arm: runs[arm] for arm in labels}, measure), list(labels.values()))
        axes.set(title=spelled(measure), yscale="log" if "distance" in measure else "linear")
    return figure


def spelled(measure: str) -> str:
    """A measure's name in words."""
    return measure.replace("_", " ")


def interval(axes: Axes, place: float, estimate: Interval, colour="black") -> None:
    """An estimate as a bar at `place`, with its interval as a line through it."""
    axes.plot([place - 0.3, place + 0.3], [estimate.value] * 2, color=colour, linewidth=1.6)
    axes.plot([place] * 2, [estimate.low, estimate.high], color=colour, linewidth=1)


def intervals(axes: Axes, places: Sequence[float], estimates: Sequence[Interval], colour, label: str) -> None:
    """Estimates over places of an axis, joined, each with its interval."""
    value, low, high = np.array(estimates).T
    axes.errorbar(places, value, (value - low, high - value), fmt="o-", color=colour, label=label, capsize=3)
