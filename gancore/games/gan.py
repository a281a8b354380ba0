"""The game of Goodfellow et al. 2014: a generator against a discriminator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor, nn

from gancore.objectives import Objective
from gancore.penalties import OF_POINTS, Penalty


@dataclass
class Batch:
    """What one turn shows the players: real points (R, B, D), latents (R, B, d), and their fakes (R, B, D).

    epsilon, uniform on [0, 1], (R, B, 1), says where penalties look between two points.
    """

    real: Tensor
    z: Tensor
    epsilon: Tensor
    fake: Tensor  # carries the generator's graph; the discriminator detaches it


class Game(Protocol):
    """Players, in the order in which they move, and what each minimises."""

    players: Mapping[str, nn.Module]

    def batch(self, real: Tensor, z: Tensor, epsilon: Tensor) -> Batch:
        """What the losses share, computed once."""

    def loss(self, player: str, batch: Batch) -> Tensor:
        """The loss (R,) that `player` minimises."""


def scores_of(discriminator: nn.Module, real: Sequence[Tensor], fake: Sequence[Tensor]) -> Sequence[Tensor]:
    """Scores (R, B, 1) of real and of fake points, or of what goes with them too, in one pass over both."""
    both = [torch.cat([a.mT, b.mT], 2).mT for a, b in zip(real, fake, strict=True)]  # (R, 2B, D), feature-major
    return discriminator(*both).tensor_split([real[0].shape[1]], dim=1)


class GAN:
    """One generator and one discriminator under an objective (Goodfellow et al. 2014).

    `generator` maps (R, B, d) to (R, B, D), `discriminator` (R, B, D) to scores (R, B, 1); the
    `penalties` are added to the discriminator's loss.
    """

    # In the order in which they move, and what network each is.
    PLAYERS: ClassVar = {"generator": "generator", "discriminator": "discriminator"}
    PENALTIES = OF_POINTS
    # What its recipe must say beside what every recipe does, and what it may.
    ASKS: ClassVar = {"objective"}
    TAKES: ClassVar = {"penalties", "turns"}

    def __init__(self, players: Mapping[str, nn.Module], objective: Objective, penalties: Sequence[Penalty] = ()):
        self.players, self.objective, self.penalties = players, objective, penalties
        self.generator, self.discriminator = players["generator"], players["discriminator"]

    def batch(self, real: Tensor, z: Tensor, epsilon: Tensor) -> Batch:
        return Batch(real, z, epsilon, self.generator(z))

    def loss(self, player: str, batch: Batch) -> Tensor:
        return getattr(self, f"{player}_loss")(batch)

    def generator_loss(self, batch: Batch) -> Tensor:
        return self.objective.generator(self.discriminator(batch.fake))

    def discriminator_loss(self, batch: Batch) -> Tensor:
        loss = self.objective.discriminator(*scores_of(self.discriminator, [batch.real], [batch.fake.detach()]))
        return sum((penalty(self.discriminator, batch) for penalty in self.penalties), loss)
