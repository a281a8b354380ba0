"""Real points that a sample is compared with."""

from typing import Any

import torch
from torch import Tensor

from gancore.streams import generator_of

FEWEST = 100


def real_points(target: Any, count: int) -> Tensor:
    """Up to `count` real points, the same each time: (m, D).

    Those along its arcs where the target has some, held-out ones where it holds some out, else fresh ones. Where it
    holds out less than FEWEST, those that are trained on, of which a copy then counts as good.
    """
    if hasattr(target, "along"):
        return target.along(-(-count // 2))[:count]
    if hasattr(target, "held_out"):
        held_out = target.held_out()[:count]
        return held_out if len(held_out) >= min(FEWEST, count) else target.training()[:count]
    return torch.from_numpy(target.draw(count)(generator_of(0, "reference"), 1)[0])
