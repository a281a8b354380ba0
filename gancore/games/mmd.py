"""The game of Li et al. 2017: two samples are compared by a kernel, and the discriminator learns what of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar

from torch import Tensor, nn

from gancore.games.gan import GAN
from gancore.objectives import Objective, batch_mean
from gancore.values import each, number

Kernel = Callable[[Tensor], Tensor]  # of squared distances
Scales = Annotated[Sequence[float], each(number(above=0))]


def gaussian(widths: Scales = (1, 2, 4, 8, 16)) -> Kernel:
    """sum_s exp(-|x - y|^2 / (2 s^2)) over the widths s (Li et al. 2017, section 5)."""
    return lambda squares: sum((-squares / (2 * width**2)).exp() for width in widths)


def rational_quadratic(exponents: Scales = (0.2, 0.5, 1, 2, 5)) -> Kernel:
    """sum_a (1 + |x - y|^2 / (2 a))^-a over the exponents a (Binkowski et al. 2018, equation 8)."""
    return lambda squares: sum((1 + squares / (2 * a)) ** -a for a in exponents)


KERNELS: Mapping[str, Callable[..., Kernel]] = {"gaussian": gaussian, "rational_quadratic": rational_quadratic}


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """|x_i - y_j|^2, run by run: (R, B, J), (R, C, J) -> (R, B, C)."""
    return (x.unsqueeze(2) - y.unsqueeze(1)).square().sum(3)


def within(kernel: Kernel, x: Tensor) -> Tensor:
    """E k(x, x') over the pairs of different points: (R, B, J) -> (R,)."""
    pairs, points = kernel(squared_distances(x, x)), x.shape[1]
    return (pairs.sum((1, 2)) - pairs.diagonal(dim1=1, dim2=2).sum(1)) / (points * (points - 1))


def squared_mmd(kernel: Kernel, x: Tensor, y: Tensor) -> Tensor:
    """E k(x, x') + E k(y, y') - 2 E k(x, y), the unbiased estimate (Gretton et al. 2012, equation 3): (R,)."""
    return within(kernel, x) + within(kernel, y) - 2 * batch_mean(kernel(squared_distances(x, y)))


class MMDGAN(GAN):
    """A generator that lowers the squared MMD of real and fake points as the discriminator maps them, which raises it.

    `discriminator` maps (R, B, D) to outputs (R, B, J) (Li et al. 2017, equation 4). The paper clips its weights, which
    a recipe can, and also makes it invertible by a decoder, which has no place here.
    """

    PLAYERS: ClassVar = {"generator": "generator", "discriminator": "embedding_discriminator"}
    PENALTIES: ClassVar = {}
    ASKS: ClassVar = {"kernel"}
    TAKES: ClassVar = {"turns", "remedies"}

    def __init__(self, players: Mapping[str, nn.Module], kernel: Kernel):
        def apart(real: Tensor, fake: Tensor) -> Tensor:
            return squared_mmd(kernel, real, fake)

        super().__init__(players, Objective(lambda real, fake: -apart(real, fake), apart, compares=True))
