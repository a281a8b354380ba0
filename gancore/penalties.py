"""What is added to a discriminator's loss, as functions of the discriminator and of points.

Points are `(R, B, ...)`, scores `(R, B, 1)`, penalties `(R,)`: the mean over each run's own batch. A
gradient's norm is taken over all dimensions of a point. A penalty is multiplied by its weight, a
number or one for each run; the papers' factors of a half are part of the penalty. A gradient is that of the sum of a
batch's scores: where a network looks across its batch, a point's has a part from the scores of the others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gancore.objectives import batch_mean
from gancore.values import NotNegative


def slope_at(discriminator: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """grad D at each point: (R, B, ...) -> (R, B, ...); differentiable."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)[0]


def squared_slope(discriminator: Callable, x: Tensor) -> Tensor:
    """E |grad D(x)|^2 over each run's points: (R, B, ...) -> (R,); differentiable."""
    return batch_mean(slope_at(discriminator, x).flatten(2).square().sum(2))


def r1(discriminator: Callable, real: Tensor) -> Tensor:
    """E |grad D(real)|^2 / 2 (Mescheder et al. 2018, equation 9)."""
    return squared_slope(discriminator, real) / 2


def r2(discriminator: nn.Module, fake: Tensor) -> Tensor:
    """E |grad D(fake)|^2 / 2 (Mescheder et al. 2018, equation 10)."""
    return squared_slope(discriminator, fake) / 2


def between(x: Tensor, x_hat: Tensor, epsilon: Tensor) -> Tensor:
    """epsilon x + (1 - epsilon) x_hat, a point of each pair's segment: epsilon (R, B, 1), points (R, B, ...)."""
    epsilon = epsilon.reshape(*epsilon.shape[:2], *[1] * (x.dim() - 2))
    return epsilon * x + (1 - epsilon) * x_hat


def wgan_gp(discriminator: nn.Module, real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    """E (|grad D| - 1)^2 between real and fake points paired at random (Gulrajani et al. 2017, equation 3)."""
    slope = slope_at(discriminator, between(real, fake, epsilon)).flatten(2)
    return batch_mean((slope.norm(dim=2) - 1).square())


def zero_centred(discriminator: nn.Module, real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    """E |grad D|^2 between real and fake points paired at random (Thanh-Tung et al. 2019, section 5)."""
    return squared_slope(discriminator, between(real, fake, epsilon))


def pairwise(
    discriminator: Callable, x: Tensor, z: Tensor, x_hat: Tensor, epsilon: Tensor, beyond: float = 0.0
) -> Tensor:
    """E |grad_x D(x', z) - (x - x_hat) / |x - x_hat||^2 at x' between x and its reconstruction (PGP, Sharma 2018).

    `discriminator` maps (x, z) to (R, B, 1); z = E(x), x_hat = G(E(x)) and epsilon in [0, 1] are held
    fixed. Pairs no farther apart than `beyond` count as 0; those of identical points, which have no direction, always.
    """
    slope = slope_at(lambda point: discriminator(point, z), between(x, x_hat, epsilon)).flatten(2)
    delta = (x - x_hat).flatten(2)
    distance = delta.norm(dim=2, keepdim=True)
    apart = distance > beyond
    unit = delta / distance.where(apart, 1)
    return batch_mean((slope - unit).square() * apart) * delta.shape[2]


def pairwise_zero(discriminator: Callable, x: Tensor, z: Tensor, x_hat: Tensor, epsilon: Tensor) -> Tensor:
    """E |grad_x D(x', z)|^2 where `pairwise` looks: it holds the slope down there and aims at nothing."""
    return squared_slope(lambda point: discriminator(point, z), between(x, x_hat, epsilon))


def r1_of_pairs(discriminator: Callable, x: Tensor, z: Tensor) -> Tensor:
    """E |grad_x D(x, z)|^2 / 2 at points x with what stands beside each, z, held fixed: R1 for a judge of pairs."""
    return r1(lambda point: discriminator(point, z), x)


def probability(discriminator: nn.Module) -> Callable[..., Tensor]:
    """The discriminator's probability of real, sigmoid(score), in place of its score."""
    return lambda *x: discriminator(*x).sigmoid()


def _held(batch: Any) -> tuple[Tensor, ...]:
    return batch.real, batch.code.detach(), batch.reconstruction.detach(), batch.epsilon


def _pairwise(discriminator: Callable, batch: Any, beyond: NotNegative = 0.0) -> Tensor:
    return pairwise(discriminator, *_held(batch), beyond)


Function = Callable[[nn.Module, Any], Tensor]

# What a recipe may name, as functions of (discriminator, batch): where a point is judged, where a pair is, and where a
# point is with the code of its class, (R, B, classes). Between a real point and a fake there would be two codes.
OF_POINTS: Mapping[str, Function] = {
    "r1": lambda discriminator, batch: r1(discriminator, batch.real),
    "r2": lambda discriminator, batch: r2(discriminator, batch.fake),
    "wgan_gp": lambda discriminator, batch: wgan_gp(discriminator, batch.real, batch.fake, batch.epsilon),
    "zero_centred": lambda discriminator, batch: zero_centred(discriminator, batch.real, batch.fake, batch.epsilon),
}
OF_PAIRS: Mapping[str, Function] = {
    "pairwise": _pairwise,
    "pairwise_probability": lambda discriminator, batch: _pairwise(probability(discriminator), batch),
    "pairwise_zero": lambda discriminator, batch: pairwise_zero(discriminator, *_held(batch)),
    "r1_of_pairs": lambda discriminator, batch: r1_of_pairs(discriminator, batch.real, batch.code.detach()),
}


OF_LABELLED: Mapping[str, Function] = {
    "r1": lambda discriminator, batch: r1_of_pairs(discriminator, batch.real, batch.real_code),
    "r2": lambda discriminator, batch: r2(lambda x: discriminator(x, batch.fake_code), batch.fake),
}


@dataclass(frozen=True)
class Penalty:
    """A penalty and its weight, one for all runs, (), or one each, (R,); on the device, as a CUDA graph needs it.

    It is added at the first of `every` so many turns of the discriminator, so many times as heavy: on average as if it
    always were, at a fraction of the cost (lazy regularisation, Karras et al. 2020, section 3.1). It begins at the turn
    `start` and ends before the turn `stop`, None: never.
    """

    function: Function
    weight: Tensor
    every: int = 1
    start: int = 0
    stop: int | None = None

    def due(self, turn: int) -> bool:
        """Whether it is added at this turn of the discriminator, counted from 0 at the start of the training."""
        on = turn >= self.start and (self.stop is None or turn < self.stop)
        return on and turn % self.every == 0

    def __call__(self, discriminator: nn.Module, batch: Any) -> Tensor:
        return self.every * self.weight * self.function(discriminator, batch)
