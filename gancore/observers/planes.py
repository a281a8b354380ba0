"""The discriminator over the plane, for targets in two dimensions with known means."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from gancore import landscape
from gancore.landscape import has_peak, scores_at
from gancore.metrics.described import POINT, Quantity, share
from gancore.metrics.ranks import rank_correlation
from gancore.observers.kinds import Kind
from gancore.observers.needs import having, in_dimensions, judge_of_points, known_target
from gancore.observers.points import evaluated, sampler
from gancore.streams import generator_of
from gancore.training.loop import Earlier, Measure
from gancore.training.population import Population
from gancore.values import Centred, Count, Positive, each, number


def square(half_width: float, places: int) -> Tensor:
    """`places` x `places` points that fill a square around 0 evenly: (places^2, 2)."""
    # Not by torch.linspace, whose last bits differ between processors: arrows are drawn at these places.
    side = torch.from_numpy(np.linspace(-half_width, half_width, places, dtype="float32"))
    return torch.cartesian_prod(side, side)


def arrows(runs: Population, *, half_width: Positive, places: Count) -> Measure:
    """-d loss_G / dx of the first run over a square, as the source draws it."""
    in_dimensions(known_target(runs), 2)
    discriminator = judge_of_points(runs)
    x = square(half_width, places).to(runs.device).expand(len(runs.seeds), -1, -1)
    return lambda earlier: {"arrows": landscape.pull(discriminator, x)[:1]}


def field(
    runs: Population,
    moments: Sequence[int],
    *,
    half_width: Positive,
    places: Count,
    points: Count,
    radii: Annotated[Sequence[float], each(number(above=0))],
) -> Measure:
    """What D's surface has to do with the fakes of now and of before.

    On `places` x `places` places that fill a square of `half_width`, with `points` fakes:

    - `distance_correlation` (R,): rank correlation of the score with the distance to the nearest fake;
    - `agreement` (R,): mean resultant length of the gradients' directions at the fakes of a mode, and
      `agreement_real` (R,) at the real points of a mode, a cluster as tight as the data's;
    - `peaks` (R, radii): share of the means with a local maximum of D within each radius;
    - `turned` (R, earlier): share of the places whose gradient has turned since each earlier observation;
    - `away` (R, earlier): mean cosine of the gradient with the direction away from the nearest of those fakes;
    - `told_apart` (R, earlier): how well D still tells each earlier observation's fakes from real points.

    The last three are NaN for observations yet to come.
    """
    target = in_dimensions(having(known_target(runs), "means"), 2)
    means = target.means().to(runs.device)
    x, centres = (y.to(means).expand(len(runs.seeds), -1, -1) for y in (square(half_width, places), means))
    sample, discriminator = sampler(runs, points), judge_of_points(runs)
    real = evaluated(target, runs, points)

    def agreement(cluster: Tensor) -> Tensor:
        _, mode = target.nearest(cluster)
        return landscape.agreement(landscape.slopes(discriminator, cluster), mode, len(means))

    def measure(earlier: Earlier) -> dict[str, Tensor]:
        fake, slope = sample(), landscape.slopes(discriminator, x)
        fakes, fields = [*earlier.get("_fakes", []), fake], [*earlier.get("_fields", []), slope]
        distances, cosines = zip(*(_away(x, slope, f.to(fake)) for f in fakes), strict=True)
        return {
            "_fakes": fake,
            "_fields": slope,
            "distance_correlation": rank_correlation(scores_at(discriminator, x), distances[-1]),
            "agreement": agreement(fake),
            "agreement_real": agreement(real),
            "peaks": torch.stack([has_peak(discriminator, centres, r).float().mean(1) for r in radii], 1),
            "turned": _filled(torch.stack([landscape.turned(slope, f.to(slope)) for f in fields], 1), len(moments)),
            "away": _filled(torch.stack(cosines, 1), len(moments)),
            "told_apart": _filled(landscape.told_apart(discriminator, real, [f.to(fake) for f in fakes]), len(moments)),
        }

    return measure


def _away(x: Tensor, slope: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Each place's distance to the nearest fake, (R, n); the mean cosine of its slope with the way from it, (R,)."""
    distance, nearest = torch.cdist(x, fake).min(2)
    away = x - torch.take_along_dim(fake, nearest[..., None], 1)
    return distance, torch.cosine_similarity(slope, away, dim=2).mean(1)


def _filled(x: Tensor, count: int) -> Tensor:
    """(R, n) with NaN appended: (R, count)."""
    return torch.cat([x, x.new_full((len(x), count - x.shape[1]), torch.nan)], 1)


def basins(runs: Population, *, directions: Count, reach: Positive, places: Centred) -> Measure:
    """Width of D's basins around the target's means along random lines, (R,): see `landscape.basin_widths`."""
    means = in_dimensions(having(known_target(runs), "means"), 2).means().to(runs.device)
    discriminator = judge_of_points(runs)
    ways = generator_of(0, "directions").standard_normal((directions, 2))
    ways = torch.from_numpy(ways.astype("float32")).to(means)
    offsets = torch.linspace(-reach, reach, places, device=means.device)

    def measure(earlier: Earlier) -> dict[str, Tensor]:
        x = means.expand(len(runs.seeds), -1, -1)
        scans = landscape.line_scan(discriminator, x, ways, offsets)
        return {"basin_width": landscape.basin_widths(scans, offsets).mean((1, 2))}

    return measure


EARLIER, FINE = ("earlier",), 1 / 4096  # pairs of moments are many: 16 bits each

KINDS = {
    "arrows": Kind(
        arrows,
        "frame",
        {"arrows": Quantity("where a fake is drawn to", ("spot", "axis"), grain=POINT, of_first=True)},
    ),
    "field": Kind(
        field,
        "moment",
        {
            "distance_correlation": Quantity("rank correlation of score and distance to the fakes", least=-1, most=1),
            "agreement": share("resultant length of the gradients at a mode's fakes"),
            "agreement_real": share("resultant length of the gradients at a mode's real points"),
            "peaks": share("means with a local maximum of D", dimensions=("radius",)),
            "turned": replace(share("places whose gradient has turned since", dimensions=EARLIER), grain=FINE),
            "away": Quantity(
                "cosine of gradients with the way from earlier fakes", EARLIER, least=-1, most=1, grain=FINE
            ),
            "told_apart": replace(
                share("real points that score above an earlier fake", dimensions=EARLIER), grain=FINE
            ),
        },
    ),
    "basins": Kind(
        basins, "step", {"basin_width": Quantity("width of D's basins around the means", unit="of the points", least=0)}
    ),
}
