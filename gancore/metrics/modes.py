"""Which mode of a target a point belongs to: the nearest mean, or the class that a classifier names."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor
from torch.nn.functional import one_hot

from gancore.data.images import CLASSES
from gancore.data.mixtures import Gaussians
from gancore.errors import StudyError
from gancore.judges.classifier import judge


class Modes(NamedTuple):
    """How many modes a target has, and which of them points belong to: (R, n, D) -> int64 (R, n), `count` for none."""

    count: int
    name: Callable[[Tensor], Tensor]

    def shares(self, x: Tensor) -> Tensor:
        """The share of the points that belong to each mode: (R, n, D) -> (R, count)."""
        return one_hot(self.name(x), self.count + 1)[..., :-1].float().mean(1)


def modes_of(target: Any, reach: float = math.inf) -> Modes:
    """The modes of Gaussians, whose points lie within `reach` of their mean, or the classes of labelled images.

    Raises StudyError for a target that has neither, and for a `reach` of images.
    """
    if isinstance(target, Gaussians):
        return _nearest(target, len(target.means()), reach)
    if not hasattr(target, "images"):
        raise StudyError(f"{target} has no known modes: allowed are Gaussians, and pictures that a classifier knows")
    if reach < math.inf:
        raise StudyError(f"reach = {reach}: allowed for Gaussians, whose points lie about a mean, and not for pictures")
    return Modes(CLASSES, judge(target.images))


def spread_within(x: Tensor, target: Gaussians) -> Tensor:
    """How far a point is from the middle of its mode's points, median over the points: (R, n, D) -> (R,)."""
    modes = modes_of(target)
    member = one_hot(modes.name(x), modes.count).to(x)  # (R, n, modes)
    middles = member.mT @ x / member.sum(1).clamp(min=1)[..., None]
    return (x - member @ middles).norm(dim=2).median(1).values


def _nearest(target: Gaussians, count: int, reach: float) -> Modes:
    def name(x: Tensor) -> Tensor:
        distance, nearest = target.nearest(x)
        return nearest.where(distance <= reach, count)

    return Modes(count, name)
