"""Latents that lie apart are to be drawn apart (Mao et al. 2019)."""

from typing import Annotated

from torch import Tensor

from gancore.errors import StudyError
from gancore.games.gan import Batch, Discriminator, Game
from gancore.remedies.remedy import Learners, PerRun, Remedy, per_run
from gancore.values import number

FINITE = 1e-5  # keeps the quotient finite where all fakes are one


def closeness(x: Tensor, z: Tensor) -> Tensor:
    """1 / (E |G(z_1) - G(z_2)|_1 / E |z_1 - z_2|_1), means over pairs and dimensions: (R, B, D), (R, B, d) -> (R,).

    The ratio that Mao et al. 2019 raise, turned over to be minimised, as in their code. A pair is a point of the
    batch's first half and its like in the second. Raises StudyError where there is no pair.
    """
    half = x.shape[1] // 2
    if not half:
        raise StudyError("the remedy 'mode_seeking' compares 1 point with none: allowed are 2 or more, or packs")
    # Along the last axis of the transposed points, where gradients have the layout of all others.
    apart, between = ((part.mT[..., :half] - part.mT[..., half : 2 * half]).abs().mean((1, 2)) for part in (x, z))
    return 1 / (apart / between + FINITE)


class ModeSeeking(Remedy):
    """The generator's loss and `weight` times the `closeness` of its fakes."""

    def __init__(self, weight: Annotated[PerRun, number(least=0)] = 1.0):
        super().__init__()
        self.weight = weight

    def begin(self, runs: Learners, batch: Batch) -> None:
        """Raises StudyError where a batch is a single point."""
        closeness(batch.fake, batch.z)
        self.register_buffer("weights", per_run(self.weight, batch.fake))

    def reshaped(self, loss: Tensor, game: Game, batch: Batch, discriminator: Discriminator) -> Tensor:
        return loss + self.weights * closeness(batch.fake, batch.z)
