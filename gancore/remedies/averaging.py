"""Averages of a player's weights over its training, which are what is observed (Yazici et al. 2019)."""

from collections.abc import Callable, Sequence
from typing import Annotated

from torch import Tensor

from gancore.games.gan import Batch
from gancore.nets.weighted import Weighted
from gancore.remedies.remedy import Learners, Remedy
from gancore.values import TEXT, each, number


class Averaging(Remedy):
    """An exponential moving average of the `players`' weights, w' <- w' + share (w - w'): observed, not played with."""

    def __init__(
        self,
        share: Annotated[float, number(above=0, most=1)] = 0.005,
        players: Annotated[Sequence[str], each(TEXT)] = ("generator",),
    ):
        super().__init__()
        self.share, self.players = share, players

    def begin(self, runs: Learners, batch: Batch) -> None:
        self.game = runs.game
        self.weights = {player: list(runs.game.players[player].parameters()) for player in self.players}
        for player, weights in self.weights.items():
            for i, weight in enumerate(weights):
                self.register_buffer(f"{player}_{i}", weight.detach().clone())

    def remember(self, batch: Batch) -> None:
        for player, weights in self.weights.items():
            for average, weight in zip(self._averages(player), weights, strict=True):
                average.lerp_(weight.detach(), self.share)

    def shown(self, player: str) -> Callable[..., Tensor] | None:
        return Weighted(self.game.players[player], self._averages(player)) if player in self.players else None

    def _averages(self, player: str) -> list[Tensor]:
        return [getattr(self, f"{player}_{i}") for i in range(len(self.weights[player]))]
