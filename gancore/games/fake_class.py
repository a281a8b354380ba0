"""The game of Salimans et al. 2016 and Odena 2016: K classes of real points, and fakes as class K + 1."""

from torch import Tensor

from gancore.games.classifying import ClassifyingGAN, named
from gancore.games.labelled import Labelled


class FakeClass(ClassifyingGAN):
    """The discriminator names a real point's class, or calls it fake; the generator is asked for a class.

    With p the softmax of the K + 1 outputs l, D(x) = 1 - p(K + 1 | x) is the sigmoid of the score, and the loss
    -E log p(y | real) - E log p(K + 1 | fake) falls apart into -E log D(real) - E log(1 - D(fake)), the objective's,
    and -E log p(y | real, y <= K), the class loss (Salimans et al. 2016, section 5, with every real point labelled).
    The discriminator's are halved here, as `cross_entropy` is, so that weights of 1 are the paper's; the generator
    then lowers -E log p(y | fake) with y the class asked for, where its objective is `non_saturating`.
    """

    def score(self, outputs: Tensor) -> Tensor:
        """log sum_{k <= K} exp(l_k) - l_{K+1}; the paper may set l_{K+1} = 0, which loses nothing."""
        return outputs[..., :-1].logsumexp(-1, keepdim=True) - outputs[..., -1:]

    def class_loss(self, real: Tensor, fake: Tensor, batch: Labelled) -> Tensor:
        return named(real, batch.real_code) / 2
