"""Targets with known modes in one or two dimensions.

A target says how a run draws its training batches, and where its modes are, so that coverage can be
measured against the truth.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from gancore.errors import StudyError
from gancore.streams import Draw
from gancore.values import NOTHING, Count, Positive, number, whole


@dataclass(frozen=True)
class Moons:
    """Two interleaved half circles of radius 1, as in scikit-learn's `make_moons` without noise.

    The upper arc is centred at (0, 0), the lower at (1, 1/2). With `points` the training set is
    that many evenly spaced points and every batch is all of them, as when `make_moons(points,
    noise=0)` is called anew for each batch; with `points` None, each batch is drawn afresh,
    uniformly on the two arcs.
    """

    points: Annotated[int | None, whole(1) | NOTHING] = 32
    dimensions = 2
    centres = ((0.0, 0.0), (1.0, 0.5))

    def draw(self, batch: int) -> Draw:
        """Batches for `Stream`: n of them, (n, batch, 2). Raises StudyError if `batch` is not `points`."""
        if self.points is None:
            return lambda rng, n: self._on_arcs(rng.random((n, batch)), rng.random((n, batch)) < 0.5)
        if batch != self.points:
            raise StudyError(f"batch {batch} does not fit: the moons are {self.points} points, all in every batch")
        half = (np.linspace(0, 1, self.points // 2), np.linspace(0, 1, self.points - self.points // 2))
        fixed = np.concatenate(
            [self._on_arcs(h, np.full(h.shape, lower)) for h, lower in zip(half, (False, True), strict=True)]
        )
        return lambda rng, n: np.broadcast_to(fixed, (n, *fixed.shape))

    @staticmethod
    def _on_arcs(position: np.ndarray, lower: np.ndarray) -> np.ndarray:
        """Points at `position` in [0, 1] along the upper or the lower arc: (...) -> (..., 2)."""
        angle = np.pi * position
        x = np.where(lower, 1 - np.cos(angle), np.cos(angle))
        y = np.where(lower, 0.5 - np.sin(angle), np.sin(angle))
        return np.stack([x, y], axis=-1).astype(np.float32)

    def along(self, each: int) -> Tensor:
        """2 x `each` points evenly spaced along both arcs, at the middles of equal pieces: (2 each, 2)."""
        position = (np.arange(each) + 0.5) / each
        arcs = [self._on_arcs(position, np.full(each, lower)) for lower in (False, True)]
        return torch.from_numpy(np.concatenate(arcs))

    def distances(self, x: Tensor) -> Tensor:
        """Distance from each point to the upper and to the lower arc: (..., 2) -> (..., 2)."""
        return torch.stack([self._distance(x, arc) for arc in (0, 1)], dim=-1)

    def _distance(self, x: Tensor, arc: int) -> Tensor:
        across, up = (x - x.new_tensor(self.centres[arc])).unbind(-1)
        up = -up if arc else up
        to_circle = (torch.hypot(across, up) - 1).abs()
        to_ends = torch.hypot(across.abs() - 1, up)
        return torch.where(up >= 0, to_circle, to_ends)


class Gaussians:
    """Gaussians of the same `deviation` around `means()`, equally likely unless `weights()` says otherwise."""

    deviation: float

    def means(self) -> Tensor:
        """The modes' means, (modes, D)."""
        raise NotImplementedError

    def weights(self) -> Tensor:
        """How likely each mode is, (modes,)."""
        modes = len(self.means())
        return torch.full((modes,), 1 / modes)

    @property
    def dimensions(self) -> int:
        return self.means().shape[1]

    def nearest(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Distance of each point to the nearest mean, and which that is: (R, n, D) -> (R, n), (R, n) int64."""
        return torch.cdist(x, self.means().to(x).expand(len(x), -1, -1)).min(2)

    def draw(self, batch: int) -> Draw:
        """Batches for `Stream`: n of them, (n, batch, D)."""
        means = self.means().numpy()

        def drawn(rng: np.random.Generator, n: int) -> np.ndarray:
            noise = rng.standard_normal((n, batch, means.shape[1]), dtype=np.float32)
            return means[self.which(rng, (n, batch))] + np.float32(self.deviation) * noise

        return drawn

    def which(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Which mode each point belongs to: indices of the given shape."""
        return rng.integers(len(self.means()), size=shape)


@dataclass(frozen=True)
class Line(Gaussians):
    """`modes` equally likely Gaussians evenly spaced on the line from -`reach` to `reach`."""

    modes: Count
    deviation: Positive
    reach: Positive = 1.0

    def means(self) -> Tensor:
        """The modes' means, (modes, 1), from left to right."""
        return torch.from_numpy(np.linspace(-self.reach, self.reach, self.modes, dtype=np.float32))[:, None]


@dataclass(frozen=True)
class Ring(Gaussians):
    """`modes` equally likely Gaussians evenly spaced on a circle."""

    modes: Count
    deviation: Positive
    radius: Positive = 1.0

    def means(self) -> Tensor:
        """The modes' means, (modes, 2), the first at (radius, 0), counted anticlockwise."""
        angle = 2 * np.pi * np.arange(self.modes) / self.modes
        return torch.from_numpy((self.radius * np.stack([np.cos(angle), np.sin(angle)], 1)).astype(np.float32))


@dataclass(frozen=True)
class Grid(Gaussians):
    """`side` x `side` equally likely Gaussians, `spacing` apart, around (0, 0)."""

    side: Count
    spacing: Positive
    deviation: Positive

    def means(self) -> Tensor:
        """The modes' means, (side^2, 2), column by column from the lower left."""
        along = self.spacing * (torch.arange(self.side) - (self.side - 1) / 2)
        return torch.cartesian_prod(along, along)


@dataclass(frozen=True)
class Wheel(Gaussians):
    """A heavy mode at (0, 0) with the share `hub` of the mass, and a ring of `modes` that share the rest equally."""

    modes: Count
    deviation: Positive
    hub: Annotated[float, number(above=0, below=1)]

    def means(self) -> Tensor:
        """The modes' means, (modes + 1, 2), the hub first."""
        return torch.cat([torch.zeros(1, 2), Ring(self.modes, self.deviation).means()])

    def weights(self) -> Tensor:
        """How likely each mode is, (modes + 1,), the hub first."""
        return torch.tensor([self.hub] + [(1 - self.hub) / self.modes] * self.modes)

    def which(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Which mode each point belongs to: indices of the given shape."""
        return np.where(rng.random(shape) < self.hub, 0, 1 + rng.integers(self.modes, size=shape))
