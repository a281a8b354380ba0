"""The game of Zhao et al. 2017: the discriminator gives low energy to what it can draw again."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import relu

from gancore.games.gan import GAN
from gancore.objectives import Objective, batch_mean, wasserstein
from gancore.penalties import Penalty


def energy(margin: Tensor) -> Objective:
    """E E(real) + E max(0, margin - E(fake)) and E E(fake), with the energy E = -score (equations 1 and 2).

    The margin is one number or one for each run, () or (R,).
    """
    margin = margin.reshape(-1, 1, 1)
    return Objective(
        lambda real, fake: batch_mean(-real) + batch_mean(relu(margin + fake)), wasserstein, symmetric=False
    )


class EBGAN(GAN):
    """A generator against an autoencoder that draws real points well, and fakes badly up to a margin.

    `discriminator` maps (R, B, D) to minus the error of its reconstructions, (R, B, 1). The paper's repelling term is
    the remedy "pulling_away".
    """

    PLAYERS: ClassVar = {"generator": "generator", "discriminator": "autoencoding_discriminator"}
    ASKS: ClassVar = {"margin"}

    def __init__(self, players: Mapping[str, nn.Module], margin: Tensor, penalties: Sequence[Penalty] = ()):
        super().__init__(players, energy(margin), penalties)
