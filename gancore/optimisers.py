"""Elementwise optimisers over stacked parameters; a learning rate may differ from run to run.

Updates equal `torch.optim`'s, run by run. All state is tensors, so that a CUDA graph replays it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

Rate = float | Sequence[float]


def _per_run(rate: Rate, parameters: Sequence[Tensor]) -> list[Tensor]:
    """The rate, a number or one for each run, shaped to multiply each parameter (R, ...)."""
    rates = torch.as_tensor(rate, dtype=torch.float32, device=parameters[0].device)
    return [rates.reshape(-1, *[1] * (p.dim() - 1)) if rates.dim() else rates for p in parameters]


class SGD:
    """Gradient descent with heavy-ball momentum: v <- momentum v + g, w <- w - rate v."""

    def __init__(self, parameters: Sequence[Tensor], rate: Rate, momentum: float = 0.0):
        self.parameters, self.momentum = list(parameters), momentum
        self.rates = _per_run(rate, self.parameters)
        self.velocity = [torch.zeros_like(p) for p in self.parameters] if momentum else []

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        if self.velocity:
            torch._foreach_mul_(self.velocity, self.momentum)
            torch._foreach_add_(self.velocity, gradients)
            gradients = self.velocity
        torch._foreach_sub_(self.parameters, torch._foreach_mul(gradients, self.rates))

    def state(self) -> list[Tensor]:
        """What a checkpoint must keep, in place."""
        return self.velocity


class Adam:
    """Adam with bias correction (Kingma & Ba 2015, algorithm 1)."""

    def __init__(
        self,
        parameters: Sequence[Tensor],
        rate: Rate,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ):
        self.parameters, self.betas, self.epsilon = list(parameters), betas, epsilon
        self.rates = _per_run(rate, self.parameters)
        self.mean = [torch.zeros_like(p) for p in self.parameters]
        self.square = [torch.zeros_like(p) for p in self.parameters]
        self.steps = torch.zeros((), dtype=torch.float64, device=self.parameters[0].device)

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        beta1, beta2 = self.betas
        self.steps += 1
        torch._foreach_lerp_(self.mean, gradients, 1 - beta1)
        torch._foreach_mul_(self.square, beta2)
        torch._foreach_addcmul_(self.square, gradients, gradients, 1 - beta2)
        correction1 = (1 - beta1**self.steps).float()
        correction2 = (1 - beta2**self.steps).sqrt().float()
        root = torch._foreach_div(torch._foreach_sqrt(self.square), correction2)
        torch._foreach_add_(root, self.epsilon)
        update = torch._foreach_div(torch._foreach_mul(self.mean, self.rates), root)
        torch._foreach_sub_(self.parameters, torch._foreach_div(update, correction1))

    def state(self) -> list[Tensor]:
        """What a checkpoint must keep, in place."""
        return [*self.mean, *self.square, self.steps]


OPTIMISERS = {"sgd": SGD, "adam": Adam}
