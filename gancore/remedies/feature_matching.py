"""Feature matching: the fakes' mean features are to be the real ones' (Salimans et al. 2016)."""

from typing import Annotated

from torch import Tensor

from gancore.games.gan import Batch, Discriminator, Game
from gancore.nets.weighted import features
from gancore.remedies.remedy import Learners, PerRun, Remedy, per_run
from gancore.values import number


class FeatureMatching(Remedy):
    """`adversarial` times the generator's loss plus `weight` times |E f(real) - E f(fake)|^2.

    f is what the discriminator's last layer sees (Salimans et al. 2016, section 3.1). The paper's own form has an
    `adversarial` of 0.
    """

    def __init__(
        self,
        weight: Annotated[PerRun, number(least=0)] = 1.0,
        adversarial: Annotated[PerRun, number(least=0)] = 0.0,
    ):
        super().__init__()
        self.weight, self.adversarial = weight, adversarial

    def begin(self, runs: Learners, batch: Batch) -> None:
        self.register_buffer("weights", per_run(self.weight, batch.fake))
        self.register_buffer("shares", per_run(self.adversarial, batch.fake))

    def reshaped(self, loss: Tensor, game: Game, batch: Batch, discriminator: Discriminator) -> Tensor:
        real, fake = (features(discriminator, *shown).mean(1) for shown in game.pairs(batch))  # (R, J) each
        return self.shares * loss + self.weights * (real - fake).square().sum(1)
