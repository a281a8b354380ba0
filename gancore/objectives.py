"""What the players minimise, as functions of the discriminator's scores (logits).

Scores are `(R, B, 1)`, losses `(R,)`: the mean over each run's own batch.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus


@dataclass(frozen=True)
class Objective:
    """A pair of losses: the discriminator's of (real, fake) scores, the generator's of fake scores.

    The generator's is of (real, fake) too where it `compares` the two.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[..., Tensor]
    compares: bool = False


def batch_mean(x: Tensor) -> Tensor:
    """The mean over all but the replica axis: (R, ...) -> (R,)."""
    return x.flatten(1).mean(1)


def squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """E |x - x_hat|^2, summed over a point's own dimensions: (R, B, ...) twice -> (R,)."""
    return batch_mean((x - x_hat).flatten(2).square().sum(2))


def cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """-(E log D(real) + E log(1 - D(fake))) / 2 with D = sigmoid(score).

    Goodfellow et al. 2014, equation 1, halved: the mean of the losses on real and on fake points.
    """
    return (batch_mean(softplus(-real)) + batch_mean(softplus(fake))) / 2


def saturating(fake: Tensor) -> Tensor:
    """E log(1 - D(fake)): the generator's half of the minimax game (Goodfellow et al. 2014, equation 1)."""
    return -batch_mean(softplus(fake))


def non_saturating(fake: Tensor) -> Tensor:
    """-E log D(fake) (Goodfellow et al. 2014, section 3)."""
    return batch_mean(softplus(-fake))


def unseen_fakes(real: Tensor, fake: Tensor) -> Tensor:
    """-E log D(real) alone: what is left of `cross_entropy` for a discriminator that is never shown a fake."""
    return batch_mean(softplus(-real))


def critic(real: Tensor, fake: Tensor) -> Tensor:
    """E D(fake) - E D(real): the critic's half of the Wasserstein game (Arjovsky et al. 2017, equation 2)."""
    return batch_mean(fake) - batch_mean(real)


def wasserstein(fake: Tensor) -> Tensor:
    """-E D(fake): the generator's half of the Wasserstein game (Arjovsky et al. 2017, equation 2)."""
    return -batch_mean(fake)


OBJECTIVES = {
    "minimax": Objective(cross_entropy, saturating),
    "non_saturating": Objective(cross_entropy, non_saturating),
    "unseen_fakes": Objective(unseen_fakes, non_saturating),
    "wasserstein": Objective(critic, wasserstein),
}
