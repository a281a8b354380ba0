"""The game of Srivastava et al. 2017: an encoder that reconstructs noise keeps a generator from dropping modes."""

from torch import Tensor

from gancore.games.bigan import BiGAN, Pairs
from gancore.games.gan import Discriminator
from gancore.objectives import squared_error


class VEEGAN(BiGAN):
    """BiGAN's discriminator of pairs, and an encoder, here the reconstructor, that learns to find z again in G(z).

    The generator's loss has E |z - E(G(z))|^2 added to it, and the encoder minimises that alone (Srivastava et al.
    2017, algorithm 1). In the paper the discriminator learns by cross-entropy and the generator minimises its score.
    """

    def generator_loss(self, batch: Pairs, discriminator: Discriminator) -> Tensor:
        return super().generator_loss(batch, discriminator) + squared_error(batch.z, self.encoder(batch.fake))

    def encoder_loss(self, batch: Pairs, discriminator: Discriminator) -> Tensor:
        # The generator has moved since the batch was made, and is not to move with the encoder.
        return squared_error(batch.z, self.encoder(batch.fake.detach()))
