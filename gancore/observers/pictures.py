"""The discriminator around images: scans along lines, scores and slopes, and the generated images themselves."""

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from gancore import landscape
from gancore.errors import StudyError
from gancore.metrics.described import GREY, Quantity, share
from gancore.observers.kinds import Kind
from gancore.observers.needs import having, judge_of_points, known_target
from gancore.observers.points import sampler
from gancore.streams import generator_of
from gancore.training.loop import Earlier, Measure
from gancore.training.population import Population
from gancore.values import Centred, Count, each, number, whole


def plates(runs: Population, *, pictures: Count) -> Measure:
    """`pictures` generated images of every run."""
    sample = sampler(runs, pictures)
    return lambda earlier: {"plates": sample()}


def scores(runs: Population, *, pictures: Count) -> Measure:
    """Scores and slopes of `pictures` images of the training set, held out, and generated: (R, 3, pictures) each."""
    groups = _groups(runs, pictures)
    discriminator = judge_of_points(runs)

    def measure(earlier: Earlier) -> dict[str, Tensor]:
        x = groups()  # (R, 3 pictures, D)
        found = {
            "scores": landscape.scores_at(discriminator, x),
            "slopes": landscape.slopes(discriminator, x).norm(dim=2),
        }
        return {name: _shortened(values.unflatten(1, (3, -1))) for name, values in found.items()}

    return measure


def scans(
    runs: Population,
    *,
    pictures: Count,
    directions: Count,
    reaches: Annotated[Sequence[float], each(number(above=0))],
    places: Centred,
    kept: Count,
) -> Measure:
    """Line-scans through images of the training set, held out, and generated, in windows of several widths.

    Through each of `pictures` images of a kind go `directions` lines from N(0, I) and, as the last
    one, an all-positive line, uniform on [0, 1] in each pixel; `places` offsets in each of the windows
    `reaches`. All scans are judged: peak and width (R, 3, pictures, directions + 1, windows), and
    steady, the correlation of a scan with itself at the observation before. The scans of the first
    `kept` images are stored, less their value at k = 0.
    """
    whole(1, pictures).check("kept of scans", kept)
    groups, ways = _groups(runs, pictures), scan_directions(directions, known_target(runs).dimensions).to(runs.device)
    unit = torch.linspace(-1, 1, places, device=ways.device)
    discriminator = judge_of_points(runs)

    def measure(earlier: Earlier) -> dict[str, Tensor]:
        x = groups()
        windows = [landscape.line_scan(discriminator, x, ways, reach * unit) for reach in reaches]
        found = torch.stack(windows, 3).unflatten(1, (3, -1))  # (R, 3, pictures, directions, windows, places)
        widths = [landscape.basin_widths(window, reach * unit) for window, reach in zip(windows, reaches, strict=True)]
        shown = found[:, :, :kept]
        return {
            "_scans": found,
            "scans": _shortened(shown - shown[..., [places // 2]]),
            "peak": landscape.peaks(found, unit).float(),
            "width": _shortened(torch.stack(widths, 3).unflatten(1, (3, -1))),
            "steady": _shortened(_correlation(found, earlier["_scans"][-1].to(found) if "_scans" in earlier else None)),
        }

    return measure


def scanned(runs: Population, *, pictures: Count) -> Measure:
    """`scanned` (R, 3, pictures, D): the first images of each kind that `scans` and `scores` look at."""
    groups = _groups(runs, pictures)
    return lambda earlier: {"scanned": groups().unflatten(1, (3, -1))}


def _groups(runs: Population, pictures: int):
    """The first images of the training set, the first held out, and generated ones: (R, 3 pictures, D).

    Raises StudyError where there are fewer of either.
    """
    target, sample = having(known_target(runs), "held_out"), sampler(runs, pictures)
    there = [target.training(), target.held_out()]
    if pictures > min(map(len, there)):
        raise StudyError(f"{pictures} pictures are observed: allowed are at most {min(map(len, there))} of each kind")
    fixed = torch.cat([images[:pictures] for images in there]).to(runs.device)
    return lambda: torch.cat([fixed.expand(len(runs.seeds), -1, -1), sample()], 1)


def scan_directions(count: int, dimensions: int) -> Tensor:
    """`count` directions from N(0, I) and an all-positive one, the same for all runs: (count + 1, D)."""
    rng = generator_of(0, "directions")
    normal, positive = rng.standard_normal((count, dimensions)), rng.random((1, dimensions))
    return torch.cat([torch.from_numpy(part.astype("float32")) for part in (normal, positive)])


def _correlation(a: Tensor, b: Tensor | None) -> Tensor:
    """Pearson's correlation over the last axis; NaN where there is no b."""
    if b is None:
        return torch.full_like(a[..., 0], torch.nan)
    return torch.cosine_similarity(a - a.mean(-1, keepdim=True), b - b.mean(-1, keepdim=True), dim=-1)


def _shortened(x: Tensor) -> Tensor:
    """The numbers with 11 bits of mantissa, to three digits: they compress to half."""
    x = x.float().contiguous()
    # A GPU's NaN is the largest of all bit patterns: adding to it would give a number.
    return (x.view(torch.int32) + 0x800 & ~0xFFF).view(torch.float32).where(~x.isnan(), torch.nan)


LINES = ("kind", "picture", "direction", "window")
KINDS = {
    "plates": Kind(plates, "page", {"plates": Quantity("generated images", ("image", "pixel"), grain=GREY)}),
    "scanned": Kind(
        scanned,
        "page",
        {"scanned": Quantity("images that scans go through", ("kind", "kept", "pixel"), grain=GREY)},
    ),
    "scores": Kind(
        scores,
        "moment",
        {
            "scores": Quantity("scores of images", ("kind", "sample")),
            "slopes": Quantity("sizes of D's gradient at images", ("kind", "sample"), least=0),
        },
    ),
    "scans": Kind(
        scans,
        "moment",
        {
            "scans": Quantity(
                "scores along lines, less that of the image", (*LINES[:1], "kept", *LINES[2:], "place_on_line")
            ),
            "peak": share("whether a scan has its maximum at the image", dimensions=LINES),
            "width": Quantity("width of a scan's peak at half of its prominence", LINES, unit="of the points", least=0),
            "steady": Quantity("correlation of a scan with the one before", LINES, least=-1, most=1),
        },
    ),
}
