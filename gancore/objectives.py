"""What the players minimise, as functions of the discriminator's scores.

Scores are `(R, B, 1)`, high for real, losses `(R,)`: the mean over each run's own batch. A recipe's objective is an
entry of OBJECTIVES: a function of its settings, each with what it may be, that gives an `Objective`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from torch import Tensor
from torch.nn.functional import relu, softplus

from gancore.choices import check_choice, settings_of
from gancore.divergences import DIVERGENCES
from gancore.values import Number, one_of


@dataclass(frozen=True)
class Objective:
    """A pair of losses: the discriminator's of (real, fake) scores, the generator's of fake scores.

    The generator's is of (real, fake) too where it `compares` the two. It is `symmetric` where real and fake change
    places when scores change sign, as a BiGAN's encoder takes it.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[..., Tensor]
    compares: bool = False
    symmetric: bool = True


def batch_mean(x: Tensor) -> Tensor:
    """The mean over all but the replica axis: (R, ...) -> (R,)."""
    return x.mean(tuple(range(1, x.dim())))


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


def hinge_critic(real: Tensor, fake: Tensor) -> Tensor:
    """E max(0, 1 - D(real)) + E max(0, 1 + D(fake)) (Lim & Ye 2017; Miyato et al. 2018, equation 16)."""
    return batch_mean(relu(1 - real)) + batch_mean(relu(1 + fake))


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """-E log sigmoid(D(real) - D(fake)), each real point paired with one fake (Jolicoeur-Martineau 2018, RSGAN)."""
    return batch_mean(softplus(-(real - fake)))


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """-E log sigmoid(D(fake) - D(real)) (Jolicoeur-Martineau 2018, RSGAN)."""
    return batch_mean(softplus(-(fake - real)))


def average_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The cross-entropy of D(real) - E D(fake) and D(fake) - E D(real) (Jolicoeur-Martineau 2018, RaSGAN).

    Halved, as `cross_entropy` is, and as in the paper's code.
    """
    return cross_entropy(real - fake.mean(1, keepdim=True), fake - real.mean(1, keepdim=True))


def average_generator(real: Tensor, fake: Tensor) -> Tensor:
    """The same with real and fake in each other's places."""
    return average_discriminator(fake, real)


def least_squares(a: Number = 0, b: Number = 1, c: Number = 1) -> Objective:
    """(E (D(real) - b)^2 + E (D(fake) - a)^2) / 2 and E (D(fake) - c)^2 / 2 (LSGAN, Mao et al. 2017, equation 9)."""
    return Objective(
        lambda real, fake: (batch_mean((real - b).square()) + batch_mean((fake - a).square())) / 2,
        lambda fake: batch_mean((fake - c).square()) / 2,
        symmetric=a == -b,
    )


NamedDivergence = Annotated[str, one_of(*DIVERGENCES)]


def f_gan(divergence: NamedDivergence) -> Objective:
    """E g(D(real)) - E f*(g(D(fake))), which the discriminator raises and the generator lowers.

    Nowozin et al. 2016, equations 4 and 6: the saddle point itself, as in the paper's algorithm 1; g and f* are those
    of the `gancore.divergences`.
    """
    f = DIVERGENCES[divergence]
    return Objective(
        lambda real, fake: batch_mean(f.conjugate(fake)) - batch_mean(f.activation(real)),
        lambda fake: -batch_mean(f.conjugate(fake)),
        symmetric=divergence in ("squared_hellinger", "jensen_shannon", "gan", "total_variation"),
    )


def f_gan_non_saturating(divergence: NamedDivergence) -> Objective:
    """The discriminator of `f_gan` against a generator that raises E g(D(fake)) (Nowozin et al. 2016, section 3.2)."""
    f, game = DIVERGENCES[divergence], f_gan(divergence)
    return Objective(game.discriminator, lambda fake: -batch_mean(f.activation(fake)), symmetric=game.symmetric)


# What a recipe may name, alone or with settings.
OBJECTIVES: Mapping[str, Callable[..., Objective]] = {
    "minimax": lambda: Objective(cross_entropy, saturating),
    "non_saturating": lambda: Objective(cross_entropy, non_saturating),
    "unseen_fakes": lambda: Objective(unseen_fakes, non_saturating),
    "wasserstein": lambda: Objective(critic, wasserstein),
    "hinge": lambda: Objective(hinge_critic, wasserstein),
    "relativistic": lambda: Objective(relativistic_discriminator, relativistic_generator, compares=True),
    "relativistic_average": lambda: Objective(average_discriminator, average_generator, compares=True),
    "least_squares": least_squares,
    "f_gan": f_gan,
    "f_gan_non_saturating": f_gan_non_saturating,
}


def objective_of(spec: str | Mapping[str, Any]) -> Objective:
    """The objective that a recipe names, `"hinge"` or `{"name": "f_gan", "divergence": "kl"}`.

    Raises StudyError, which says what is allowed, for an unknown one and for settings that are not its own.
    """
    named = {"name": spec} if isinstance(spec, str) else spec
    check_choice(OBJECTIVES, named, "objective")
    return OBJECTIVES[named["name"]](**settings_of(named))
