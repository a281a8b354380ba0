"""What is added to a discriminator's loss, as functions of (discriminator, real, fake).

Points are `(R, B, ...)`, scores `(R, B, 1)`, penalties `(R,)`: the mean over each run's own batch. A
gradient's norm is taken over all dimensions of a point. A penalty is multiplied by its weight, a
number or one for each run; the papers' factors of a half are part of the penalty.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gancore.objectives import batch_mean

Function = Callable[[nn.Module, Tensor, Tensor], Tensor]


def squared_slope(discriminator: nn.Module, x: Tensor) -> Tensor:
    """E |grad D(x)|^2 over each run's points: (R, B, ...) -> (R,); differentiable."""
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return batch_mean(slope.flatten(2).square().sum(2))


def r1(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """E |grad D(real)|^2 / 2 (Mescheder et al. 2018, equation 9)."""
    return squared_slope(discriminator, real) / 2


def r2(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """E |grad D(fake)|^2 / 2 (Mescheder et al. 2018, equation 10)."""
    return squared_slope(discriminator, fake) / 2


PENALTIES: dict[str, Function] = {"r1": r1, "r2": r2}


@dataclass(frozen=True)
class Penalty:
    """A penalty and its weight, one for all runs, (), or one each, (R,); on the device, as a CUDA graph needs it."""

    function: Function
    weight: Tensor

    def __call__(self, discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        return self.weight * self.function(discriminator, real, fake)
