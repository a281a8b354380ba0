"""Where points end that follow the discriminator's gradient while it stands still, for targets with known means."""

import torch
from torch import Tensor

from gancore.landscape import ascended
from gancore.metrics.described import Quantity, share
from gancore.metrics.finite import of_finite
from gancore.metrics.modes import Modes, modes_of
from gancore.observers.kinds import Kind
from gancore.observers.needs import having, in_dimensions, judge_of_points, known_target
from gancore.observers.planes import square
from gancore.observers.points import sampler
from gancore.training.loop import Measure
from gancore.training.population import Population
from gancore.values import Count, Positive


def drawn_to(runs: Population, *, points: Count, stride: Positive, strides: Count, reach: Positive) -> Measure:
    """`drawn_to` (R, modes): the part of `points` fakes whose way up ends within `reach` of each mean.

    With a frozen discriminator, in `strides` steps of length `stride`: see `landscape.ascended`. What is missing to 1
    ends at no mode.
    """
    modes, discriminator, sample = _modes(runs, reach), judge_of_points(runs), sampler(runs, points)
    shares = of_finite(modes.shares)
    return lambda earlier: {"drawn_to": shares(ascended(discriminator, sample(), stride, strides))}


def attractors(
    runs: Population, *, half_width: Positive, places: Count, stride: Positive, strides: Count, reach: Positive
) -> Measure:
    """`attractor` of each of `places` x `places` places of a square, of the first run: the mode, or -1 for none."""
    modes, discriminator = _modes(runs, reach), judge_of_points(runs)
    x = square(half_width, places).to(runs.device).expand(len(runs.seeds), -1, -1)

    def measure(earlier: object) -> dict[str, Tensor]:
        mode = modes.name(ascended(discriminator, x, stride, strides))
        return {"attractor": mode.where(mode < modes.count, -1)[:1].to(torch.float32)}

    return measure


def _modes(runs: Population, reach: float) -> Modes:
    return modes_of(in_dimensions(having(known_target(runs), "means"), 2), reach)


KINDS = {
    "drawn_to": Kind(
        drawn_to, "moment", {"drawn_to": share("fakes whose way up ends at a mode", dimensions=("mode",))}
    ),
    "attractors": Kind(
        attractors,
        "view",
        {"attractor": Quantity("the mode at which the way up ends", ("cell",), least=-1, of_first=True)},
    ),
}
