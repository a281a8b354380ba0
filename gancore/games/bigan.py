"""The game of Donahue et al. 2017: a discriminator of pairs between a generator and an encoder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from gancore.games.gan import Batch, scores_of
from gancore.objectives import Objective, squared_error
from gancore.penalties import OF_PAIRS, Penalty


@dataclass
class Pairs(Batch):
    """A batch with codes E(x) (R, B, d) and reconstructions G(E(x)) (R, B, D) of the real points."""

    code: Tensor  # carries the encoder's graph
    reconstruction: Tensor  # carries the generator's graph


class BiGAN:
    """Generator and encoder against a discriminator that tells (x, E(x)) from (G(z), z) (Donahue et al. 2017).

    `generator` maps (R, B, d) to (R, B, D), `encoder` the other way, `discriminator` a pair to scores
    (R, B, 1), high for (x, E(x)). The `penalties` are added to the discriminator's loss, and
    `reconstruction`, one weight or one each run, times E |x - G(E(x))|^2 to the generator's.
    """

    # In the order in which they move, and what network each is.
    PLAYERS: ClassVar = {"generator": "generator", "encoder": "encoder", "discriminator": "pair_discriminator"}
    PENALTIES = OF_PAIRS
    ASKS: ClassVar = {"objective"}
    TAKES: ClassVar = {"penalties", "turns", "reconstruction"}

    def __init__(
        self,
        players: Mapping[str, nn.Module],
        objective: Objective,
        penalties: Sequence[Penalty] = (),
        reconstruction: Tensor | None = None,
    ):
        self.players, self.objective, self.penalties = players, objective, penalties
        self.generator, self.encoder, self.discriminator = (players[name] for name in self.PLAYERS)
        self.reconstruction = reconstruction

    def batch(self, real: Tensor, z: Tensor, epsilon: Tensor) -> Pairs:
        code = self.encoder(real)
        return Pairs(real, z, epsilon, self.generator(z), code, self.generator(code.detach()))

    def loss(self, player: str, batch: Pairs) -> Tensor:
        return getattr(self, f"{player}_loss")(batch)

    def generator_loss(self, batch: Pairs) -> Tensor:
        """The generator's pairs are to be taken for the encoder's, and its reconstructions to be true."""
        loss = self.objective.generator(self.discriminator(batch.fake, batch.z))
        if self.reconstruction is None:
            return loss
        return loss + self.reconstruction * squared_error(batch.real, batch.reconstruction)

    def encoder_loss(self, batch: Pairs) -> Tensor:
        """The encoder's pairs are to be taken for the generator's: the same loss with the roles exchanged."""
        return self.objective.generator(-self.discriminator(batch.real, batch.code))

    def discriminator_loss(self, batch: Pairs) -> Tensor:
        real, fake = (batch.real, batch.code.detach()), (batch.fake.detach(), batch.z)
        loss = self.objective.discriminator(*scores_of(self.discriminator, real, fake))
        return sum((penalty(self.discriminator, batch) for penalty in self.penalties), loss)
