"""What needs no training, through the same measures: uniform noise, and a perfect sampler of the target.

A count of modes means little without them: uniform noise captures half of a ring's modes and most of a grid's.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gancore.data.mixtures import Gaussians, Moons
from gancore.data.targets import target_of
from gancore.metrics import measured
from gancore.streams import generator_of

DRAWS = 50
WIDER = 1.5  # noise fills a box so many times as wide as the one around the modes


def uniform_noise(target: Mapping[str, Any], points: int, draws: int = DRAWS) -> dict[str, Tensor]:
    """The target's measures of so many uniform points, each (draws, ...); `target` is as a recipe names it.

    The points fill a box around the modes, half as wide again as they are; of images they are uniform on [-1, 1] in
    each pixel, and take no data.
    """
    there = target_of({"target": target})
    low, high = _box(there)
    unit = generator_of(0, "uniform noise").random((draws, points, low.size), dtype=np.float32)
    return measured(torch.from_numpy(low + (high - low) * unit), there)


def perfect_sampler(target: Mapping[str, Any], points: int, draws: int = DRAWS) -> dict[str, Tensor]:
    """The target's measures of so many points of its own, each (draws, ...); `target` is as a recipe names it."""
    there = target_of({"target": target})
    x = there.draw(points)(generator_of(0, "a perfect sampler"), draws)
    return measured(torch.from_numpy(x), there)


def _box(target: Any) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest corner of the noise, (D,) each."""
    if not isinstance(target, Gaussians | Moons):
        channels, side = target.image
        return -np.ones(channels * side**2, np.float32), np.ones(channels * side**2, np.float32)
    modes = (target.means() if isinstance(target, Gaussians) else target.along(100)).numpy()
    centre, reach = (modes.max(0) + modes.min(0)) / 2, WIDER * (modes.max(0) - modes.min(0)) / 2
    return centre - reach, centre + reach
