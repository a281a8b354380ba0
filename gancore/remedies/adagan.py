"""AdaGAN: a mixture of generators, each trained on what those before it miss (Tolstikhin et al. 2017)."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from gancore.errors import StudyError
from gancore.games.gan import Batch, scores_of
from gancore.nets.weighted import Weighted
from gancore.objectives import cross_entropy
from gancore.remedies.remedy import Learners, Remedy
from gancore.remedies.replay import rows
from gancore.values import whole


def next_weights(ratio: Tensor, share: float) -> Tensor:
    """What each training point weighs for the component that will have this `share` of the mixture: (R, N) -> (R, N).

    w_i = (lambda - (1 - share) ratio_i)_+ / (N share), where lambda makes them sum to 1 (Tolstikhin et al. 2017,
    algorithm 2); `ratio` is the density of the mixture so far over that of the data. Each choice of the points that
    weigh anything gives a lambda, and the right one is the smallest.
    """
    points = ratio.shape[1]
    sums = points * share + (1 - share) * ratio.sort(1).values.cumsum(1)
    threshold = (sums / torch.arange(1, points + 1, device=ratio.device)).amin(1, keepdim=True)
    return (threshold - (1 - share) * ratio).clamp(min=0) / (points * share)


class AdaGAN(Remedy):
    """A new component every so many `steps`, until there are `components`; what is observed is their even mixture.

    A run's training set is its first so many `points`. Between two components the discriminator starts anew, learns for
    `classifier_steps` to tell the target from the mixture, and says by exp(-score), the ratio of their densities, how
    the points are weighted; then all players start anew. The share of component t is 1 / t, the paper's heuristic.
    """

    DRAWS = 1

    def __init__(
        self,
        components: Annotated[int, whole(1)],
        steps: Annotated[int, whole(1)],
        points: Annotated[int, whole(1)] = 1024,
        classifier_steps: Annotated[int, whole(1)] = 1000,
    ):
        super().__init__()
        self.components, self.pause, self.points, self.classifier_steps = components, steps, points, classifier_steps

    def begin(self, runs: Learners, batch: Batch) -> None:
        _check_judges_points(runs.game.players.get("discriminator"), batch)
        self.game = runs.game
        self.first = {name: [w.clone() for w in each.parameters] for name, each in runs.optimisers.items()}
        training = torch.cat([runs.draw(step)[0] for step in range(-(-self.points // batch.real.shape[1]))], 1)
        self.register_buffer("known", training[:, : self.points].clone())  # (R, N, D)
        even = torch.full_like(self.known[..., 0], 1 / self.points)
        self.register_buffer("weighs", even)  # (R, N)
        self.register_buffer("done", torch.zeros(len(runs.seeds), dtype=torch.int64, device=even.device))
        for i, weight in enumerate(self._generator().parameters()):
            self.register_buffer(f"old_{i}", torch.stack([weight.detach()] * self.components, 1))  # (R, T, ...)

    def drawn(self, real: Tensor, chance: Mapping[Any, Tensor]) -> Tensor:
        """Training points, as often as they weigh."""
        which = torch.searchsorted(self.weighs.cumsum(1), chance[self][..., 0].contiguous(), right=True)
        return rows(self.known, which.clamp(max=self.points - 1))

    def between(self, runs: Learners, step: int) -> None:
        done = int(self.done[0])
        if done + 1 == self.components:
            return
        for i, weight in enumerate(self._generator().parameters()):
            getattr(self, f"old_{i}")[:, done].copy_(weight.detach())
        self.done.add_(1)
        self._start_anew(runs)
        ratio = self._ratio(runs, step, self._mixture(done + 1))
        self.weighs.copy_(next_weights(ratio, 1 / (done + 2)))
        self._start_anew(runs)

    def _generator(self) -> nn.Module:
        return self.game.players["generator"]

    def _start_anew(self, runs: Learners) -> None:
        for name, optimiser in runs.optimisers.items():
            for weight, first in zip(optimiser.parameters, self.first[name], strict=True):
                weight.copy_(first)
            for part in optimiser.state():
                part.zero_()

    def _ratio(self, runs: Learners, step: int, mixture: Callable[[Tensor], Tensor]) -> Tensor:
        """The mixture's density over the data's at the training points, as a new discriminator learns it: (R, N)."""
        discriminator, optimiser = runs.game.players["discriminator"], runs.optimisers["discriminator"]
        for weight in optimiser.parameters:
            weight.requires_grad_()
        for real, z, *_ in map(runs.draw, range(step, step + self.classifier_steps)):
            fake = mixture(z)
            with torch.enable_grad():
                loss = cross_entropy(*scores_of(discriminator, [real], [fake]))
                gradients = torch.autograd.grad(loss, optimiser.parameters, torch.ones_like(loss))
            optimiser.step(gradients)
        return torch.cat([(-discriminator(x)[..., 0]).exp() for x in self.known.split(real.shape[1], 1)], 1)

    def shown(self, player: str) -> Callable[..., Tensor] | None:
        return self._mixture(int(self.done[0]) + 1) if player == "generator" else None

    def _mixture(self, size: int) -> Callable[[Tensor], Tensor]:
        """The components so far, the one in training last; of a batch each draws every so many-th point."""
        old = [getattr(self, f"old_{i}") for i in range(len(self.first["generator"]))]
        then = [Weighted(self._generator(), [w[:, k] for w in old]) for k in range(int(self.done[0]))]
        parts = [*then, self._generator()][:size]

        def fakes(z: Tensor) -> Tensor:
            drawn = [part(z[:, k::size]) for k, part in zip(count(), parts)]
            x = drawn[0].new_empty(*z.shape[:2], *drawn[0].shape[2:])
            for k, points in enumerate(drawn):
                x[:, k::size] = points
            return x

        return fakes


def _check_judges_points(discriminator: Any, batch: Batch) -> None:
    try:
        discriminator(batch.real)
    except (RuntimeError, TypeError) as error:
        raise StudyError("adagan asks a discriminator about single points, and this game has none of these") from error
