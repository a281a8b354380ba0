"""Figures of guided generators: on two clusters on a line, their images, and their parts."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from scipy.special import expit

from gancore.metrics.hops import HOLDS
from gancore.observers.lines import line
from gancore.study import plots
from gancore.study.colours import FAKE, PURPLE, REAL
from gancore.study.forgetting import hopped
from gancore.study.guided import OFTEN, SPACES, holds_both
from gancore.study.panels import over_time

REACH, SHOWN = 0.5, 50  # how far from a cluster a fake belongs to it; images of a plate
STORY = (
    "1 · one cluster is found",
    "2 · D learns it is fake",
    "3 · and sends it across",
    "4 · to the other cluster",
    "5 · D learns again",
)


def around_a_hop(run: xr.Dataset) -> np.ndarray:
    """Five steps of the first run about its calmest change of sides: (5,), from its snapshots (frame, points, 1).

    In the middle and at the end of its stay at one cluster, half-way, and at the start and the end of its stay at the
    other. Evenly spaced ones if it never changes sides.
    """
    x = run.snapshots.isel(drawn=0).values[..., 0]
    sides = np.stack([(np.abs(x - at) < REACH).mean(1) for at in (-1, 1)], 1)  # (frame, 2)
    stays = [stay for stay in _stays(sides) if stay[2] - stay[1] >= 2]
    changes = [(a, b) for a, b in pairwise(stays) if a[0] != b[0]]
    if not changes:
        return run.frame.values[np.linspace(0, len(x) - 1, 5).round().astype(int)]
    (_, start, left), (_, arrived, end) = max(changes, key=lambda two: min(stay[2] - stay[1] for stay in two))
    return run.frame.values[[(start + left) // 2, left, (left + arrived) // 2, arrived, end]]


def _stays(sides: np.ndarray) -> list[tuple[int, int, int]]:
    """Which side holds the fakes, from which frame to which: shares (frame, 2), held from 0.8 up."""
    holder = np.where(sides.max(1) >= HOLDS, sides.argmax(1), -1)
    edges = np.flatnonzero(np.diff(holder)) + 1
    parts = zip([0, *edges], [*edges, len(holder)], strict=True)
    return [(int(holder[start]), int(start), int(end) - 1) for start, end in parts if holder[start] >= 0]


def story(run: xr.Dataset, steps: Sequence[int], half_width: float, titles: Sequence[str] = STORY) -> Figure:
    """A panel a step: where the fakes of the first run are, the two clusters, and D's probability of being real."""
    figure, panels = plt.subplots(1, len(steps), figsize=(9, 2.4), sharey=True)
    for axes, step, title in zip(panels, steps, titles, strict=True):
        now = run.isel(drawn=0).sel(frame=step)
        places = line(half_width, now.sizes["spot"]).numpy()[:, 0]
        for at in (-1, 1):
            axes.axvspan(at - 0.1, at + 0.1, color=REAL, alpha=0.35, linewidth=0)
        x = now.snapshots.values[:, 0]
        bins = np.linspace(-half_width, half_width, 31)
        axes.hist(x, bins, weights=np.full(len(x), 1 / len(x)), color=FAKE)
        axes.plot(places, expit(now.scores_on_line.values), color=PURPLE, linewidth=1.4)
        axes.set(title=f"{title}\nstep {int(step):,}", xlim=(-half_width, half_width), ylim=(0, 1.02), xticks=[-1, 1])
        axes.title.set_fontsize(7.5)
    panels[0].set_ylabel("D(x), share of fakes")
    return figure


def plates_of(arms: Mapping[str, xr.Dataset], side: int, across: int) -> Figure:
    """The last plate of each arm's first run, by its title, `across` plates a row, ten images a row of a plate."""
    down = -(-len(arms) // across)
    size = 9, 9 / across * down * (SHOWN / 100) + 0.3 * down
    figure, grid = plt.subplots(down, across, figsize=size, squeeze=False)
    shown = {title: run.plates.isel(seed=0, page=-1).values[:SHOWN] for title, run in arms.items()}
    plots.plates(grid.flat, shown, side)
    return figure


def who_holds(on_line: Mapping[str, xr.Dataset], of_images: xr.Dataset) -> Figure:
    """Over rates and momenta, how often runs hop and end with both clusters; below, the digits that three runs show."""
    figure, (above, below) = plt.subplots(2, 3, figsize=(9, 4.8))
    plain, guided = on_line.values()
    maps = {
        "plain GAN: three hops or more": (plain, hopped(plain) >= OFTEN),
        "plain GAN: both clusters at the end": (plain, holds_both(plain)),
        "guided: both clusters at the end": (guided, holds_both(guided)),
    }
    for axes, (title, (run, happened)) in zip(above, maps.items(), strict=True):
        share = xr.DataArray(happened.mean(0), {name: run[name] for name in ("rate", "momentum")})
        mesh = plots.heatmap(axes, share, title)
    figure.colorbar(mesh, ax=above, label="share of the runs", pad=0.01)
    for axes, seed in zip(below, of_images.seed.values, strict=False):
        run = of_images.sel(seed=[seed])
        shares = run.mode_shares.values[0].T
        axes.stackplot(run.moment, shares, colors=plt.cm.tab10.colors, labels=range(10), linewidth=0)
        axes.set(title=f"MNIST, plain GAN, seed {seed}", xlabel="step", ylim=(0, 1))
    for axes in below[of_images.sizes["seed"] :]:
        axes.axis("off")
    below[0].set_ylabel("share of the images")
    handles = below[0].get_legend_handles_labels()
    figure.legend(*handles, title="digit", title_fontsize=8, fontsize=7, loc="outside right lower")
    return figure


def over_training(recipes: Mapping[str, Mapping[str, xr.Dataset]], quantities: Mapping[str, str]) -> Figure:
    """A row a recipe, a panel a quantity, over the steps; the first recipe has all of the arms."""
    panels = {
        f"{title}, {recipe}": {arm: run[quantity] for arm, run in arms.items()}
        for recipe, arms in recipes.items()
        for quantity, title in quantities.items()
    }
    every = next(iter(recipes.values()))
    figure = over_time(panels, {arm: arm for arm in every}, across=len(quantities))
    first = figure.axes[0]
    handles = first.get_legend_handles_labels()
    first.get_legend().remove()
    figure.legend(*handles, loc="outside lower center", ncols=len(every))
    return figure


def sections_and_pulls(runs: Mapping[str, xr.Dataset]) -> Figure:
    """A column pair a recipe: the digit that each section's images show, and the pull of each term over the steps."""
    # Placed by hand: with a bar beside maps and curves, the usual layout ends on other last bits from time to time.
    figure, panels = plt.subplots(1, 2 * len(runs), figsize=(9, 2.8), width_ratios=[1, 1.2] * len(runs), layout="none")
    figure.subplots_adjust(left=0.05, right=0.9, bottom=0.2, top=0.9, wspace=0.45)
    colours = {"adversarial": PURPLE, "classification": FAKE, "statistics": REAL}
    for (left, right), (recipe, run) in zip(panels.reshape(-1, 2), runs.items(), strict=True):
        share = run.section_shares.isel(page=-1).mean("seed")
        share = share.rename(asked="section", shown="digit that is shown")
        mesh = plots.heatmap(left, share.assign_coords({name: range(10) for name in share.dims}), recipe, ticks=10)
        for pull, (name, colour) in zip(run.pull.values.T, colours.items(), strict=True):
            plots.runs_over_time(right, run.step.values, pull.T, colour, name)
        right.set(title=f"pull, {recipe}", xlabel="step", yscale="log")
    panels[1].legend(fontsize=7)
    bar = figure.add_axes((0.92, 0.2, 0.012, 0.7))
    figure.colorbar(mesh, cax=bar, label="share of a section's images")
    return figure


def by_weights(run: xr.Dataset, measures: Mapping[str, str]) -> Figure:
    """A map a measure, by its title: the median over seeds after the last step, over the weights of the two terms."""
    figure, grid = plt.subplots(1, len(measures), figsize=(9, 2.7))
    for axes, (measure, title) in zip(grid, measures.items(), strict=True):
        cells = run[measure].isel(step=-1).median("seed").transpose("statistics", "classification")
        axes.imshow(cells, origin="lower", cmap="cividis")
        middle = (cells.values.min() + cells.values.max()) / 2
        for (row, column), value in np.ndenumerate(cells.values):
            style = {"ha": "center", "va": "center", "color": "white" if value <= middle else "black"}
            axes.text(column, row, f"{value:.2f}" if value < 1 else f"{value:.3g}", **style)
        for axis, dim in ((axes.xaxis, "classification"), (axes.yaxis, "statistics")):
            axis.set_ticks(range(cells.sizes[dim]), [f"{weight:g}" for weight in cells[dim].values])
        axes.set(title=title, xlabel="weight of the classification", ylabel="weight of the statistics")
    return figure


def latent_spaces(space: xr.Dataset, side: int) -> Figure:
    """The first run's held-out images in three spaces, by digit, and the images of sums of its latents."""
    colours = {"c": space.labels.values[0], "cmap": "tab10", "vmin": -0.5, "vmax": 9.5}
    figure, panels = plt.subplot_mosaic([[name, "sums"] for name in SPACES], figsize=(9, 6), width_ratios=[1, 2.4])
    for title, place in zip(SPACES, space.maps.values[0], strict=True):
        dots = panels[title].scatter(*place.T, s=2, linewidths=0, **colours)
        panels[title].set(title=title, xticks=[], yticks=[])
    maps = [panels[title] for title in SPACES]
    figure.colorbar(dots, ax=maps, ticks=range(10), label="digit", pad=0.01, location="left")
    plots.plate(panels["sums"], space.sums.values[0], side, across=10, gap=1)
    panels["sums"].set_title("sums of latents: a row a hand, a column the digit that was added")
    return figure
