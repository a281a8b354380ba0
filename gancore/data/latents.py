"""What a generator is given: noise, alone or with the code of a class.

A distribution of latents knows its `dimensions`, and `draw(batch)` says how a run draws its batches from
a `Stream`. Latents with a code start with it: one number a class, 1 for the class that is asked for and 0
for the others. A batch asks for all classes in turn, so that each has its share of every batch.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from gancore.errors import StudyError
from gancore.streams import Draw, normal, uniform
from gancore.values import Count, Number, Positive, whole


@dataclass(frozen=True)
class Normal:
    """N(0, `deviation`^2) in each of so many `dimensions`, independently; the usual latents are standard normal.

    With a deviation of 1 / sqrt(dimensions) the mean squared length of a latent is 1, whatever its dimension.
    """

    dimensions: Count
    deviation: Positive = 1.0

    def draw(self, batch: int) -> Draw:
        """Batches for `Stream`: n of them, (n, batch, dimensions)."""
        standard = normal((batch, self.dimensions))
        return standard if self.deviation == 1 else lambda rng, n: standard(rng, n) * np.float32(self.deviation)

    @property
    def span(self) -> tuple[float, float]:
        """Where 99 % of the numbers lie."""
        return -2.5 * self.deviation, 2.5 * self.deviation

    def levelled(self, z: Tensor) -> Tensor:
        """Each number's share of smaller ones, uniform on [0, 1] for latents: (..., dimensions)."""
        return torch.special.ndtr(z / self.deviation)


@dataclass(frozen=True)
class Uniform:
    """The uniform distribution from `low` to `high` in each of so many `dimensions`.

    Raises StudyError where `high` is not above `low`.
    """

    dimensions: Count
    low: Number = 0.0
    high: Number = 1.0

    def __post_init__(self) -> None:
        if self.high <= self.low:
            raise StudyError(f"uniform from {self.low} to {self.high}: allowed is a `high` above `low`")

    def draw(self, batch: int) -> Draw:
        """Batches for `Stream`: n of them, (n, batch, dimensions)."""
        unit, low, width = (uniform((batch, self.dimensions)), np.float32(self.low), np.float32(self.high - self.low))
        return lambda rng, n: low + width * unit(rng, n)

    @property
    def span(self) -> tuple[float, float]:
        """Where the numbers lie."""
        return self.low, self.high

    def levelled(self, z: Tensor) -> Tensor:
        """Each number's share of smaller ones, uniform on [0, 1] for latents: (..., dimensions)."""
        return ((z - self.low) / (self.high - self.low)).clamp(0, 1)


@dataclass(frozen=True)
class Coded:
    """A class's code followed by `noise` standard normal numbers: (classes + noise,)."""

    classes: Count
    noise: Annotated[int, whole(0)]

    @property
    def dimensions(self) -> int:
        return self.classes + self.noise

    def labels(self, z: Tensor) -> Tensor:
        """Which class each latent asks for: (..., classes + noise) -> int64 (...)."""
        return z[..., : self.classes].argmax(-1)

    def draw(self, batch: int) -> Draw:
        """Batches for `Stream`: n of them, (n, batch, classes + noise)."""
        labels = np.arange(batch) % self.classes
        code, seen = np.eye(self.classes, dtype=np.float32)[labels], self.seen()[labels]

        def drawn(rng: np.random.Generator, n: int) -> np.ndarray:
            noise = rng.standard_normal((n, batch, self.noise), dtype=np.float32) * seen
            return np.concatenate([np.broadcast_to(code, (n, *code.shape)), noise], 2)

        return drawn

    def seen(self) -> np.ndarray:
        """The part of the noise that each class is given, the rest being 0: float32 (classes, noise)."""
        return np.ones((self.classes, self.noise), np.float32)


@dataclass(frozen=True)
class Sectioned(Coded):
    """As `Coded`, but the noise is cut into one section a class, as even as can be, and is 0 outside that class's own.

    Raises StudyError where there are fewer numbers than sections.
    """

    def __post_init__(self) -> None:
        if self.noise < self.classes:
            raise StudyError(
                f"{self.noise} latent dimensions for {self.classes} sections: allowed is at least one a section"
            )

    def seen(self) -> np.ndarray:
        """The part of the noise that each class is given, its section: float32 (classes, noise)."""
        return np.float32(self.sections() == np.arange(self.classes)[:, None])

    def sections(self) -> np.ndarray:
        """Which class each number of the noise belongs to, (noise,)."""
        return np.arange(self.noise) * self.classes // self.noise


def labelled_latents(latents: object) -> Coded:
    """The latents, if they ask for classes; StudyError if not."""
    if not isinstance(latents, Coded):
        raise StudyError("this needs latents that ask for a class: allowed are 'coded' and 'sectioned'")
    return latents
