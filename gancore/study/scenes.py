"""What is shown of generated traffic frames: tables, and every lane with its vehicles."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gancore import stats
from gancore.data.images import TrafficScene
from gancore.stats import Interval
from gancore.study import plots

HEADER = ["method", "lanes found, median [95 % interval]", "empty", "with a trace", "proper"]
Runs = Mapping[str, xr.Dataset]


def rows(judge: TrafficScene, hours: Sequence[tuple[TrafficScene, str, Runs]]) -> list[list[object]]:
    """For every hour, of a camera, its title and the runs by theirs, a line of what the camera sees and one an arm."""
    lines = []
    for camera, title, runs in hours:
        lines.append([title, len(camera.lanes), f"{camera.empty():.2f}", f"{1 - camera.empty():.2f}", ""])
        lines += [[name, *_shares(judge, run)] for name, run in runs.items()]
    return lines


def _shares(judge: TrafficScene, run: xr.Dataset) -> list[object]:
    """Lanes found, and the shares of frames that are empty, have a trace and are proper: medians over runs."""
    end = run.isel(step=-1).fillna(0)
    traces = judge.trace(_last_plate(run)).any(-1).float().mean(1)
    shares = (f"{np.median(share):.2f}" for share in (end.empty_share, traces, end.high_quality))
    return [stats.median(end.lanes_found.values), *shares]


def _last_plate(run: xr.Dataset) -> torch.Tensor:
    """The frames that are stored of each run's end: (runs, frames, pixels), grey where it has diverged."""
    return torch.from_numpy(run.plates.isel(page=-1).fillna(0).values)


def kept_of_vehicles(run: xr.Dataset) -> list[Interval]:
    """Median shares of vehicles that reconstructions have again: as a vehicle, and as a trace at least."""
    end = run.isel(step=-1).fillna(0)
    return [stats.median(end[name].mean("lane").values) for name in ("vehicles_kept", "traces_kept")]


def lanes(
    camera: TrafficScene, runs: Runs, rushing: TrafficScene, hours: Mapping[str, Runs], titles: Mapping[str, str]
) -> Figure:
    """Vehicles recognised at the usual hour, lane by lane, and traces at rush hour, a panel for each of its `hours`."""
    figure, panels = plt.subplots(1 + len(hours), 1, figsize=(9, 2.2 * (1 + len(hours))))
    seen = {name: run.frequency_ratio.isel(step=-1).fillna(0).values for name, run in runs.items()}
    _lane_by_lane(panels[0], camera, seen, titles)
    panels[0].set_title("vehicles recognised", loc="left")
    for axes, (hour, of_hour) in zip(panels[1:], hours.items(), strict=True):
        shares = {name: camera.trace(_last_plate(run)).numpy().mean(1) for name, run in of_hour.items()}
        _lane_by_lane(axes, rushing, {name: share / rushing.frequencies() for name, share in shares.items()}, titles)
        axes.set_title(f"traces at rush hour{hour}", loc="left")
    return figure


def _lane_by_lane(
    axes: Axes, camera: TrafficScene, ratios: Mapping[str, np.ndarray], titles: Mapping[str, str]
) -> None:
    """A dot a run and lane of what each method draws, (runs, lanes), as a multiple of how often the camera sees it."""
    for shift, (method, ratio) in zip(np.linspace(-0.3, 0.3, len(ratios)), ratios.items(), strict=True):
        places = np.repeat(np.arange(len(camera.lanes)) + shift, len(ratio))
        dots = np.stack([places, ratio.T.ravel()], 1)
        plots.points(axes, dots, plots.COLOURS[method], 12, label=titles[method])
    named = [f"{lane}\n{share:.1%}" for lane, share in zip(camera.lanes, camera.frequencies(), strict=True)]
    axes.set_xticks(range(len(named)), named, fontsize=6.5)
    axes.axhline(1, color="0.6", linewidth=0.6, linestyle=":")
    axes.set(ylabel="times the truth", ylim=(-0.2, 3))
    axes.legend(ncols=5, loc="upper center")
