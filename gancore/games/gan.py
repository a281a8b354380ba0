"""The game of Goodfellow et al. 2014: a generator against a discriminator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from gancore.objectives import Objective
from gancore.penalties import OF_POINTS, Penalty

Discriminator = Callable[..., Tensor]  # of points, or of what goes with them too: (R, B, ...) each -> scores (R, B, 1)


@dataclass
class Batch:
    """What one turn shows the players: real points (R, B, D), latents (R, B, d), and their fakes (R, B, D).

    epsilon, uniform on [0, 1], (R, B, 1), says where penalties look between two points. `chance` has more such
    numbers, (R, B, n), for whoever is its key. `turn` counts the discriminator's turns since the training began.
    """

    real: Tensor
    z: Tensor
    epsilon: Tensor
    fake: Tensor  # carries the generator's graph
    chance: Mapping[Any, Tensor] = field(default_factory=dict, kw_only=True)
    turn: int = field(default=0, kw_only=True)

    def detached(self) -> "Batch":
        """The same without the graphs of the other players, as a discriminator learns from it."""
        return replace(self, fake=self.fake.detach())


class Game(Protocol):
    """Players, in the order in which they move, and what each minimises."""

    players: Mapping[str, nn.Module]

    def batch(self, real: Tensor, z: Tensor, epsilon: Tensor) -> Batch:
        """What the losses share, computed once."""

    def loss(self, player: str, batch: Batch, discriminator: Discriminator | None) -> Tensor:
        """The loss (R,) that `player` minimises, against this discriminator in the place of the game's own."""


def scores_of(discriminator: Discriminator, real: Sequence[Tensor], fake: Sequence[Tensor]) -> Sequence[Tensor]:
    """Scores of real and of fake points, or of what goes with them too, in one pass over both.

    A discriminator that `looks_across` its batch is shown them apart, so that no point's score hangs on the others'
    kind; one that looks at packs of points gives as many scores as there are packs.
    """
    if getattr(discriminator, "looks_across", False):
        return discriminator(*real), discriminator(*fake)
    both = [torch.cat([a.mT, b.mT], 2).mT for a, b in zip(real, fake, strict=True)]  # (R, 2B, D), feature-major
    scores = discriminator(*both)
    return scores.tensor_split([scores.shape[1] * real[0].shape[1] // both[0].shape[1]], dim=1)


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
    TAKES: ClassVar = {"penalties", "turns", "remedies"}
    # Remedies that would not be what they are called in this game, and why.
    UNSUITED: ClassVar[Mapping[str, str]] = {}

    def __init__(self, players: Mapping[str, nn.Module], objective: Objective, penalties: Sequence[Penalty] = ()):
        self.players, self.objective, self.penalties = players, objective, penalties
        self.generator, self.discriminator = players["generator"], players["discriminator"]

    def batch(self, real: Tensor, z: Tensor, epsilon: Tensor) -> Batch:
        return Batch(real, z, epsilon, self.generator(z))

    def pairs(self, batch: Batch) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """What the discriminator is shown as real, and what as fake."""
        return [batch.real], [batch.fake]

    def scoring(self, discriminator: Discriminator) -> Discriminator:
        """What gives points their scores, (R, B, 1), where a discriminator gives them more."""
        return discriminator

    def loss(self, player: str, batch: Batch, discriminator: Discriminator | None = None) -> Tensor:
        shown = batch.detached() if player == "discriminator" else batch
        return getattr(self, f"{player}_loss")(shown, discriminator or self.discriminator)

    def generator_loss(self, batch: Batch, discriminator: Discriminator) -> Tensor:
        real, fake = self.pairs(batch)
        shown = [real, fake] if self.objective.compares else [fake]
        return self.objective.generator(*(discriminator(*points) for points in shown))

    def discriminator_loss(self, batch: Batch, discriminator: Discriminator) -> Tensor:
        loss = self.objective.discriminator(*scores_of(discriminator, *self.pairs(batch)))
        return self.penalised(loss, batch, discriminator)

    def penalised(self, loss: Tensor, batch: Batch, discriminator: Discriminator) -> Tensor:
        """The loss, (R,), and the penalties that are due of what gives points their scores."""
        due = [penalty for penalty in self.penalties if penalty.due(batch.turn)]
        return sum((penalty(discriminator, batch) for penalty in due), loss)
