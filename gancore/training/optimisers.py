"""Elementwise optimisers over stacked parameters; rates and momenta may differ from run to run.

Updates equal `torch.optim`'s, run by run, in the precision of the parameters. All state is tensors, so that a CUDA
graph replays it.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from gancore.values import NOTHING, Positive, number, whole

PerRun = float | Sequence[float]  # a recipe says one number, and what sweeps it makes that one for each run
Tensors = Sequence[Tensor]
SMALLEST = 1e-36  # under the root of Adam's `stepped`: its own root, 1e-18, is nothing beside epsilon
Rate = Annotated[PerRun, number(least=0)]
Momentum = Annotated[PerRun, number(above=-1, below=1)]


def _per_run(value: PerRun, parameters: Sequence[Tensor]) -> list[Tensor]:
    """A number, or one for each run, shaped to multiply each parameter (R, ...)."""
    values = torch.as_tensor(value, dtype=parameters[0].dtype, device=parameters[0].device)
    return [values.reshape(-1, *[1] * (p.dim() - 1)) if values.dim() else values for p in parameters]


class SGD:
    """Gradient descent with heavy-ball momentum: v <- momentum v + g, w <- w - rate v."""

    def __init__(self, parameters: Sequence[Tensor], rate: Rate, momentum: Momentum = 0.0):
        self.parameters = list(parameters)
        self.rates, self.momenta = _per_run(rate, self.parameters), _per_run(momentum, self.parameters)
        self.velocity = [torch.zeros_like(p) for p in self.parameters] if self.momenta[0].any() else []

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        if self.velocity:
            torch._foreach_mul_(self.velocity, self.momenta)
            torch._foreach_add_(self.velocity, gradients)
            gradients = self.velocity
        torch._foreach_sub_(self.parameters, torch._foreach_mul(gradients, self.rates))

    def stepped(self, parameters: Tensors, gradients: Tensors, state: Tensors) -> tuple[list[Tensor], list[Tensor]]:
        """What `step` would make of these parameters and this state, as functions that can be differentiated."""
        if state:
            state = gradients = [m * v + g for m, v, g in zip(self.momenta, state, gradients, strict=True)]
        return [w - rate * g for w, rate, g in zip(parameters, self.rates, gradients, strict=True)], list(state)

    def state(self) -> list[Tensor]:
        """What a checkpoint must keep, in place."""
        return self.velocity


class Adam:
    """Adam with bias correction (Kingma & Ba 2015, algorithm 1); `rate` and `beta1` may differ from run to run.

    The rate falls linearly to 0 over `until` updates, or stays what it is where that is None. A recipe says in how many
    steps of the training, whatever the turns that its player has in each.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        rate: Rate,
        beta1: Momentum = 0.9,
        beta2: Annotated[float, number(least=0, below=1)] = 0.999,
        epsilon: Positive = 1e-8,
        until: Annotated[int | None, whole(1) | NOTHING] = None,
    ):
        self.parameters, self.beta2, self.epsilon = list(parameters), beta2, epsilon
        self.rates, self.momenta = _per_run(rate, self.parameters), _per_run(beta1, self.parameters)
        self.beta1 = torch.as_tensor(beta1, dtype=torch.float64, device=self.parameters[0].device)
        self.rests = [1 - momentum for momentum in self.momenta]
        self.mean = [torch.zeros_like(p) for p in self.parameters]
        self.square = [torch.zeros_like(p) for p in self.parameters]
        self.steps = torch.zeros((), dtype=torch.float64, device=self.parameters[0].device)
        self.until = until

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        self.steps += 1
        torch._foreach_mul_(self.mean, self.momenta)
        torch._foreach_add_(self.mean, torch._foreach_mul(gradients, self.rests))
        torch._foreach_mul_(self.square, self.beta2)
        torch._foreach_addcmul_(self.square, gradients, gradients, 1 - self.beta2)
        correction1 = _per_run(1 - self.beta1**self.steps, self.parameters)
        correction2 = (1 - self.beta2**self.steps).sqrt().to(self.mean[0].dtype)
        root = torch._foreach_div(torch._foreach_sqrt(self.square), correction2)
        torch._foreach_add_(root, self.epsilon)
        rates = torch._foreach_div(self.rates, correction1)
        if self.until is not None:
            left = (1 - (self.steps - 1) / self.until).clamp(min=0).to(self.mean[0].dtype)
            rates = torch._foreach_mul(rates, left)
        update = torch._foreach_mul(self.mean, rates)
        torch._foreach_sub_(self.parameters, torch._foreach_div(update, root))

    def stepped(self, parameters: Tensors, gradients: Tensors, state: Tensors) -> tuple[list[Tensor], list[Tensor]]:
        """What `step` would make of these parameters and this state, as functions that can be differentiated."""
        count, steps = len(self.parameters), state[-1] + 1
        mean, square = state[:count], state[count:-1]
        mean = [b * m + (1 - b) * g for b, m, g in zip(self.momenta, mean, gradients, strict=True)]
        square = [self.beta2 * s + (1 - self.beta2) * g * g for s, g in zip(square, gradients, strict=True)]
        correction1 = _per_run(1 - self.beta1**steps, self.parameters)
        correction2 = (1 - self.beta2**steps).sqrt().to(mean[0].dtype)
        left = 1 if self.until is None else (1 - (steps - 1) / self.until).clamp(min=0).to(mean[0].dtype)
        rates = [left * rate / correction for rate, correction in zip(self.rates, correction1, strict=True)]
        roots = [s.clamp(min=SMALLEST).sqrt() / correction2 + self.epsilon for s in square]  # sqrt is steep at 0
        moved = [w - rate * m / root for w, rate, m, root in zip(parameters, rates, mean, roots, strict=True)]
        return moved, [*mean, *square, steps]

    def state(self) -> list[Tensor]:
        """What a checkpoint must keep, in place."""
        return [*self.mean, *self.square, self.steps]


class Clipped:
    """An optimiser whose parameters are put back into [-bound, bound] after each update (Arjovsky et al. 2017)."""

    def __init__(self, optimiser: SGD | Adam, bound: float):
        self.optimiser, self.bound, self.parameters = optimiser, bound, optimiser.parameters

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        self.optimiser.step(gradients)
        torch._foreach_clamp_min_(self.parameters, -self.bound)
        torch._foreach_clamp_max_(self.parameters, self.bound)

    def stepped(self, parameters: Tensors, gradients: Tensors, state: Tensors) -> tuple[list[Tensor], list[Tensor]]:
        """What `step` would make of these parameters and this state, as functions that can be differentiated."""
        moved, state = self.optimiser.stepped(parameters, gradients, state)
        return [w.clamp(-self.bound, self.bound) for w in moved], state

    def state(self) -> list[Tensor]:
        """What a checkpoint must keep, in place."""
        return self.optimiser.state()


Optimiser = SGD | Adam | Clipped
OPTIMISERS = {"sgd": SGD, "adam": Adam}
