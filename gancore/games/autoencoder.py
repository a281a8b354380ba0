"""Generator and encoder without a game between them: what the networks can draw when they are told what to draw."""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from gancore.games.gan import Batch, Discriminator
from gancore.objectives import squared_error


class Autoencoder:
    """Generator and encoder that minimise E |x - G(E(x))|^2 in turn (Rumelhart et al. 1986).

    `generator` maps (R, B, d) to (R, B, D), `encoder` the other way. Nothing holds the codes to the
    distribution of the latents, so it is a control for the networks and no way to generate.
    """

    # In the order in which they move, and what network each is.
    PLAYERS: ClassVar = {"generator": "generator", "encoder": "encoder"}
    PENALTIES: ClassVar = {}
    ASKS: ClassVar = set()
    TAKES: ClassVar = set()

    def __init__(self, players: Mapping[str, nn.Module]):
        self.players = players
        self.generator, self.encoder = players["generator"], players["encoder"]

    def batch(self, real: Tensor, z: Tensor, epsilon: Tensor) -> Batch:
        """The fakes are reconstructions."""
        return Batch(real, z, epsilon, self.generator(self.encoder(real).detach()))

    def loss(self, player: str, batch: Batch, discriminator: Discriminator | None = None) -> Tensor:
        return getattr(self, f"{player}_loss")(batch)

    def generator_loss(self, batch: Batch) -> Tensor:
        return squared_error(batch.real, batch.fake)

    def encoder_loss(self, batch: Batch) -> Tensor:
        # The generator has moved since the batch was made.
        return squared_error(batch.real, self.generator(self.encoder(batch.real)))
