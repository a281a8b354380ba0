"""The discriminator over the line, for targets in one dimension."""

import numpy as np
import torch
from torch import Tensor

from gancore.landscape import scores_at
from gancore.metrics.described import Quantity
from gancore.observers.kinds import Kind
from gancore.observers.needs import in_dimensions, judge_of_points, known_target
from gancore.training.loop import Measure
from gancore.training.population import Population
from gancore.values import Positive, Several


def line(half_width: float, places: int) -> Tensor:
    """`places` points evenly spaced from -`half_width` to `half_width`: (places, 1)."""
    # Not by torch.linspace, whose last bits differ between processors.
    return torch.from_numpy(np.linspace(-half_width, half_width, places, dtype="float32"))[:, None]


def scores_on_line(runs: Population, *, half_width: Positive, places: Several) -> Measure:
    """`scores_on_line` (1, places): the score of the first run's discriminator at the points of `line`."""
    in_dimensions(known_target(runs), 1)
    discriminator = judge_of_points(runs)
    x = line(half_width, places).to(runs.device).expand(len(runs.seeds), -1, -1)
    return lambda earlier: {"scores_on_line": scores_at(discriminator, x)[:1]}


KINDS = {
    "scores_on_line": Kind(
        scores_on_line, "frame", {"scores_on_line": Quantity("scores along the line", ("spot",), of_first=True)}
    ),
}
