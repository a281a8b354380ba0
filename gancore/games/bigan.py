"""The game of Donahue et al. 2017: a discriminator of pairs between a generator and an encoder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor, nn

from gancore.errors import StudyError
from gancore.games.gan import GAN, Batch, Discriminator
from gancore.objectives import Objective, squared_error
from gancore.penalties import OF_PAIRS, Penalty


@dataclass
class Pairs(Batch):
    """A batch with codes E(x) (R, B, d) and reconstructions G(E(x)) (R, B, D) of the real points."""

    code: Tensor  # carries the encoder's graph
    reconstruction: Tensor  # carries the generator's graph

    def detached(self) -> "Pairs":
        code, reconstruction = self.code.detach(), self.reconstruction.detach()
        return replace(self, fake=self.fake.detach(), code=code, reconstruction=reconstruction)


class BiGAN(GAN):
    """Generator and encoder against a discriminator that tells (x, E(x)) from (G(z), z) (Donahue et al. 2017).

    `generator` maps (R, B, d) to (R, B, D), `encoder` the other way, `discriminator` a pair to scores
    (R, B, 1), high for (x, E(x)). The `penalties` are added to the discriminator's loss, and
    `reconstruction`, one weight or one each run, times E |x - G(E(x))|^2 to the generator's. Raises StudyError for an
    objective that is not symmetric.
    """

    # In the order in which they move, and what network each is.
    PLAYERS: ClassVar = {"generator": "generator", "encoder": "encoder", "discriminator": "pair_discriminator"}
    PENALTIES = OF_PAIRS
    TAKES: ClassVar = GAN.TAKES | {"reconstruction"}

    def __init__(
        self,
        players: Mapping[str, nn.Module],
        objective: Objective,
        penalties: Sequence[Penalty] = (),
        reconstruction: Tensor | None = None,
    ):
        if not objective.symmetric:
            raise StudyError(
                "a BiGAN's encoder plays the generator's part with the sign of scores changed, which this objective "
                "does not bear: allowed is one in which real and fake then change places, such as 'non_saturating'"
            )
        super().__init__(players, objective, penalties)
        self.encoder, self.reconstruction = players["encoder"], reconstruction

    def batch(self, real: Tensor, z: Tensor, epsilon: Tensor) -> Pairs:
        code = self.encoder(real)
        return Pairs(real, z, epsilon, self.generator(z), code, self.generator(code.detach()))

    def pairs(self, batch: Pairs) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        return [batch.real, batch.code], [batch.fake, batch.z]

    def generator_loss(self, batch: Pairs, discriminator: Discriminator) -> Tensor:
        """The generator's pairs are to be taken for the encoder's, and its reconstructions to be true."""
        loss = super().generator_loss(batch, discriminator)
        if self.reconstruction is None:
            return loss
        return loss + self.reconstruction * squared_error(batch.real, batch.reconstruction)

    def encoder_loss(self, batch: Pairs, discriminator: Discriminator) -> Tensor:
        """The encoder's pairs are to be taken for the generator's: the same loss with the roles exchanged."""
        real, fake = self.pairs(batch)
        shown = [fake, real] if self.objective.compares else [real]
        return self.objective.generator(*(-discriminator(*pair) for pair in shown))
