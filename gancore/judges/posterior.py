"""The guide for mixtures: a classifier that is known without training.

Points are their own features here, in units of their deviation over the whole mixture.
"""

import torch
from torch import Tensor, nn

from gancore.data.mixtures import Gaussians
from gancore.judges.guide import Moments, Real


class Posterior(nn.Module):
    """P(mode | x) for modes of the given `deviation` around `means` (modes, D), so likely: (..., D) -> logits.

    With the mixture's own deviation it is the best classifier that there is; a larger one makes it softer, so that its
    word still has a slope where no real point lies.
    """

    def __init__(self, means: Tensor, weights: Tensor, deviation: float):
        super().__init__()
        self.register_buffer("means", means)
        self.register_buffer("log_weights", weights.log())
        self.deviation = deviation

    def features(self, x: Tensor) -> Tensor:
        """The points themselves: (..., D) -> (..., D)."""
        return x

    def head(self, x: Tensor) -> Tensor:
        """log weight - |x - mean|^2 / (2 deviation^2) for each mode: (..., D) -> (..., modes)."""
        return self.log_weights - (x.unsqueeze(-2) - self.means).square().sum(-1) / (2 * self.deviation**2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x)


def posterior_of(target: Gaussians, deviation: float) -> tuple[Posterior, Real]:
    """The guide for a mixture, and the moments of its features by mode, which need no points."""
    means, weights = target.means(), target.weights()
    variance = torch.full_like(means, target.deviation**2)
    between = weights @ (means - weights @ means).square()
    unit = (target.deviation**2 + between).sqrt()
    return Posterior(means, weights, deviation), Real(Moments(means / unit, variance / unit.square()), unit)
