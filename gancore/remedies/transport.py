"""A fake is not to be carried farther from its latent than it must (Rout et al. 2022)."""

from typing import Annotated

from torch import Tensor

from gancore.errors import StudyError
from gancore.games.gan import Batch, Discriminator, Game
from gancore.objectives import squared_error
from gancore.remedies.remedy import Learners, PerRun, Remedy, per_run
from gancore.values import number


class Transport(Remedy):
    """The generator's loss and `weight` times E |G(z) - z|^2 / 2, the cost of a transport map (Rout et al. 2022).

    The generator then looks for the nearest place that the discriminator takes for real, so that latents far apart have
    no reason to meet. It wants latents of as many dimensions as the points have.
    """

    def __init__(self, weight: Annotated[PerRun, number(least=0)] = 0.1):
        super().__init__()
        self.weight = weight

    def begin(self, runs: Learners, batch: Batch) -> None:
        """Raises StudyError where latents and points differ in their dimensions."""
        if batch.z.shape != batch.fake.shape:
            raise StudyError(
                f"latents of {batch.z.shape[-1]} dimensions with the remedy 'transport': allowed are as many as the "
                f"points have, {batch.fake.shape[-1]}"
            )
        self.register_buffer("weights", per_run(self.weight, batch.fake))

    def reshaped(self, loss: Tensor, game: Game, batch: Batch, discriminator: Discriminator) -> Tensor:
        return loss + self.weights * squared_error(batch.fake, batch.z) / 2
