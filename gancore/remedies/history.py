"""An old opponent now and then: kept discriminators for the generator, kept generators for the discriminator."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import torch
from torch import Tensor

from gancore.games.gan import Batch, Discriminator
from gancore.nets.weighted import Weighted
from gancore.remedies.remedy import Learners, PerRun, Remedy, per_run
from gancore.values import number, whole


class History(Remedy):
    """Weights of a player from every so many steps, of which a `share` of its games is played (Metz et al. 2017, 2.4).

    `kept` are remembered; a new one takes the place of the oldest.
    """

    DRAWS = 2
    player: str

    def __init__(
        self,
        share: Annotated[PerRun, number(least=0, most=1)] = 0.5,
        every: Annotated[int, whole(1)] = 100,
        kept: Annotated[int, whole(1)] = 10,
    ):
        super().__init__()
        self.share, self.every, self.kept = share, every, kept

    def begin(self, runs: Learners, batch: Batch) -> None:
        network = runs.game.players[self.player]
        self.with_weights = lambda weights: Weighted(network, weights)
        self.weights = list(network.parameters())
        for number_of, weight in enumerate(self.weights):
            self.register_buffer(f"old_{number_of}", torch.stack([weight.detach()] * self.kept, 1))  # (R, kept, ...)
        self.register_buffer("step", torch.zeros(len(runs.seeds), dtype=torch.int64, device=batch.fake.device))
        self.register_buffer("shares", per_run(self.share, batch.fake))

    def again(self, batch: Batch) -> Tensor:
        """Which runs meet an old opponent in this step, by chance, (R,); none before one is kept."""
        return (batch.chance[self][:, 0, 0] < self.shares) & (self.step > 0)

    def earlier(self, batch: Batch) -> Callable[..., Tensor]:
        """The player with the weights of one of its kept moments, by chance, where a run is to meet it; else of now."""
        there = ((self.step + self.every - 1) // self.every).clamp(max=self.kept)
        place = (batch.chance[self][:, 0, 1] * there).long()  # (R,)
        again = self.again(batch)
        return self.with_weights([self._chosen(i, weight, place, again) for i, weight in enumerate(self.weights)])

    def _chosen(self, i: int, weight: Tensor, place: Tensor, again: Tensor) -> Tensor:
        own = getattr(self, f"old_{i}")[torch.arange(len(place), device=place.device), place]
        return torch.where(_along(again, weight), own, weight.detach())

    def remember(self, batch: Batch) -> None:
        place = (self.step // self.every) % self.kept  # (R,)
        due = (self.step % self.every) == 0
        for i, weight in enumerate(self.weights):
            old, run = getattr(self, f"old_{i}"), torch.arange(len(place), device=place.device)
            old[run, place] = torch.where(_along(due, weight), weight.detach(), old[run, place])
        self.step.add_(1)


def _along(which: Tensor, like: Tensor) -> Tensor:
    """(R,) shaped to choose runs of a tensor (R, ...)."""
    return which.reshape(-1, *[1] * (like.dim() - 1))


class OldDiscriminators(History):
    """In a `share` of the steps the generator plays against a discriminator that was."""

    player = "discriminator"

    def opponent(self, learning: Callable[[Discriminator], Tensor], batch: Batch) -> Discriminator:
        return self.earlier(batch)


class OldGenerators(History):
    """In a `share` of the steps the discriminator learns from the fakes of a generator that was."""

    player = "generator"

    @torch.no_grad()
    def lesson(self, batch: Batch) -> Batch:
        fake = self.earlier(batch)(batch.z)
        return replace(batch, fake=torch.where(_along(self.again(batch), fake), fake, batch.fake))
