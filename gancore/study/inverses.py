"""How well generator and encoder undo each other on images, and what lies between two codes."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import torch
import xarray as xr
from matplotlib.figure import Figure

from gancore import stats
from gancore.judges.classifier import judge
from gancore.observers.classes import SURE, extractor_of
from gancore.stats import Interval
from gancore.study import plots
from gancore.study.colours import COLOURS

SHOWN = 16  # reconstructions of each method
KEPT = {"points kept": "x_error", "latents kept": "z_error"}


def kept(run: xr.Dataset) -> dict[str, Interval]:
    """1 less the relative errors of G(E(x)) and E(G(z)) after the last step: medians over runs."""
    return {what: stats.median(1 - run[name].fillna(1).values[:, -1]) for what, name in KEPT.items()}


def classes_kept(images: str, run: xr.Dataset) -> np.ndarray:
    """The share of each run's last reconstructions that are named as the image itself is: (seeds,)."""
    x, named = run.isel(page=-1), judge(images)
    original, again = (torch.from_numpy(part.values) for part in (x.originals.isel(drawn=0), x.reconstructions))
    return (named(again) == named(original)).float().mean(1).numpy()


def confidence(images: str, run: xr.Dataset) -> np.ndarray:
    """How sure the judge is of the image at each place between two codes, ends included: (seeds, pairs, places)."""
    last = run.isel(page=-1)
    x, network = torch.from_numpy(last.interpolations.values), extractor_of(images)
    with torch.no_grad():
        sure = torch.stack([network(of_run).softmax(-1).amax(-1) for of_run in x])
    pairs = last.sizes["original"] // 2
    return sure.unflatten(1, (pairs, -1)).numpy()


def meaningful(images: str, run: xr.Dataset) -> np.ndarray:
    """The share of images half-way that are recognised, over that of the ends': (seeds,)."""
    sure = confidence(images, run) >= SURE
    ends = sure[:, :, [0, -1]].mean((1, 2))
    return sure[:, :, sure.shape[2] // 2].mean(1) / np.maximum(ends, 1e-12)


def decided(images: str, run: xr.Dataset) -> dict[str, Interval]:
    """What the networks keep of points, latents and classes, and what is recognised half-way: medians over runs."""
    return kept(run) | {
        "classes kept": stats.median(classes_kept(images, run)),
        "recognised half-way, as a share of the ends": stats.median(meaningful(images, run)),
    }


def reconstructed(runs: Mapping[str, xr.Dataset], titles: Mapping[str, str], side: int) -> Figure:
    """Held-out images above each method's reconstructions, first run; and below, eight ways between two codes."""
    first = next(iter(runs.values())).originals.isel(drawn=0).values[:SHOWN]
    rows = {"held out": first} | {titles[m]: run.reconstructions.isel(seed=0).values[:SHOWN] for m, run in runs.items()}
    figure, grid = plt.subplot_mosaic(
        [[row] * len(runs) for row in rows] + [[*runs]], figsize=(9, 6.4), height_ratios=[0.7] * len(rows) + [4.2]
    )
    for title, x in rows.items():
        plots.plate(grid[title], x, side, across=SHOWN)
        grid[title].set_title(title, loc="left")
    for method, run in runs.items():
        ways = run.interpolations.isel(seed=0).values
        places = len(ways) // (run.sizes["original"] // 2)
        plots.plate(grid[method], ways[: 8 * places], side, across=places)
        grid[method].set_title(f"between two codes, {titles[method]}", loc="left")
    return figure


def along(images: str, runs: Mapping[str, xr.Dataset], titles: Mapping[str, str]) -> Figure:
    """The share of recognised images over the way from one code to the next, every run and the arms' medians."""
    figure, axes = plt.subplots(figsize=(5, 2.8))
    for method, run in runs.items():
        share = (confidence(images, run) >= SURE).mean(1)  # (seeds, places)
        way = np.linspace(0, 1, share.shape[1])
        plots.runs_over_time(axes, way, share, COLOURS[method], titles[method])
    axes.set(xlabel="way from one code to the other", ylabel="images recognised", ylim=(0, 1))
    axes.legend()
    return figure
