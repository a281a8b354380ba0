"""The game of Odena et al. 2017, AC-GAN: the discriminator has an auxiliary classifier."""

from torch import Tensor

from gancore.games.classifying import ClassifyingGAN, named
from gancore.games.labelled import Labelled


class ACGAN(ClassifyingGAN):
    """The discriminator raises L_S + L_C, the generator L_C - L_S (Odena et al. 2017, section 3).

    L_S = E log P(real | real) + E log P(fake | fake) is the objective's (equation 2), with the last of the outputs as
    the score, and L_C = E log P(class | real) + E log P(class | fake) that of the other outputs (equation 3). The
    discriminator's are halved here, as `cross_entropy` is, so that weights of 1 are the paper's.
    """

    def score(self, outputs: Tensor) -> Tensor:
        return outputs[..., -1:]

    def class_loss(self, real: Tensor, fake: Tensor, batch: Labelled) -> Tensor:
        return (named(real, batch.real_code) + named(fake, batch.fake_code)) / 2
