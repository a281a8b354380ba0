"""The game of Mirza & Osindero 2014: generator and discriminator are both told the class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gancore.games.gan import GAN, Batch


@dataclass
class Labelled(Batch):
    """A batch with the codes of the real points' classes and of those that were asked for, (R, B, classes) both."""

    real_code: Tensor
    fake_code: Tensor


class Conditional(GAN):
    """A GAN whose generator's latents begin with a class's code, and whose discriminator sees (x, code).

    Real points come with their code behind them, (R, B, D + classes) (Mirza & Osindero 2014, equation 2).
    """

    PLAYERS: ClassVar = {"generator": "generator", "discriminator": "conditional_discriminator"}
    PENALTIES: ClassVar = {}
    TAKES: ClassVar = {"turns", "remedies"}

    def batch(self, real: Tensor, z: Tensor, epsilon: Tensor) -> Labelled:
        fake = self.generator(z)
        x, code = real.tensor_split([fake.shape[2]], dim=2)
        return Labelled(x, z, epsilon, fake, code, z[..., : code.shape[2]])

    def pairs(self, batch: Labelled) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        return [batch.real, batch.real_code], [batch.fake, batch.fake_code]
