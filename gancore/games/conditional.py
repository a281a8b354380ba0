"""The game of Mirza & Osindero 2014: generator and discriminator are both told the class."""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from gancore.games.labelled import Labelled, LabelledGAN
from gancore.penalties import OF_LABELLED


class Conditional(LabelledGAN):
    """A GAN whose generator's latents begin with a class's code, and whose discriminator sees (x, code).

    Mirza & Osindero 2014, equation 2. Penalties are of x, with the code held fixed.
    """

    PLAYERS: ClassVar = {"generator": "generator", "discriminator": "conditional_discriminator"}
    PENALTIES = OF_LABELLED

    def pairs(self, batch: Labelled) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        return [batch.real, batch.real_code], [batch.fake, batch.fake_code]
