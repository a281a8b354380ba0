"""Penalties whose weight falls during the training."""

from dataclasses import dataclass

from gancore.penalties import Penalty

STAIRS = 16


@dataclass(frozen=True)
class Falling(Penalty):
    """A penalty whose weight falls to 0 over the first `falls` turns of the discriminator, in STAIRS even stairs.

    Stairs, since what a CUDA graph has captured stays as it is: there is one graph for each.
    """

    falls: int = 1

    def due(self, turn: int) -> float:
        """The part of its weight that is left at this turn, 0 where it is not due."""
        left = 1 - STAIRS * turn // self.falls / STAIRS
        return max(left, 0.0) if super().due(turn) else 0.0

    def __call__(self, discriminator, batch):
        return self.due(batch.turn) * super().__call__(discriminator, batch)
