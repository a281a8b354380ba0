"""Layers with a replica axis: R independent networks computed as one batched network.

Every tensor leads with R: weights `(R, out, in)`, biases `(R, out, 1)`, batches `(R, B, in)`. The
gradient of the sum of the R losses is each run's own gradient.

Batches are `(R, B, features)` in meaning and feature-major in memory: a layer multiplies
`weight @ x.mT` and returns the transposed view. BLAS computes `(out, in) @ (in, B)` three to five
times faster than `(B, in) @ (in, out)` when `out` is small, and the views cost nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd import Function

from gancore.streams import generator_of
from gancore.values import NotNegative, Number

aten = torch.ops.aten
_MINUS_ONE = torch.tensor(-1.0)


@dataclass(frozen=True)
class Activation:
    """A nonlinearity fused into the layer before it.

    `forward` maps (bias, weight, x) to the activated output and may work in place on what it made;
    `backward` maps (gradient, output) to the gradient before the nonlinearity and is differentiable.
    """

    forward: Callable[[Tensor, Tensor, Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]


def _tanh(bias: Tensor, weight: Tensor, x: Tensor) -> Tensor:
    # tanh(a) = 2 sigmoid(2a) - 1: to 1e-7 the same, at a third of the cost of torch.tanh on a CPU.
    y = torch.baddbmm(bias, weight, x, beta=2, alpha=2).sigmoid_()
    return torch.add(_MINUS_ONE, y, alpha=2, out=y)


ACTIVATIONS = {
    "identity": Activation(torch.baddbmm, lambda gradient, y: gradient),
    "relu": Activation(
        lambda bias, weight, x: torch.baddbmm(bias, weight, x).relu_(),
        lambda gradient, y: aten.threshold_backward(gradient, y, 0),
    ),
    "leaky_relu": Activation(
        lambda bias, weight, x: nn.functional.leaky_relu_(torch.baddbmm(bias, weight, x), 0.2),
        lambda gradient, y: aten.leaky_relu_backward(gradient, y, 0.2, True),
    ),
    "tanh": Activation(_tanh, aten.tanh_backward),
    "sigmoid": Activation(lambda bias, weight, x: torch.baddbmm(bias, weight, x).sigmoid_(), aten.sigmoid_backward),
}


class _Dense(Function):
    """activation(x weight^T + bias) for R networks; differentiable twice, as gradient penalties need."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor, activation: Activation) -> Tensor:
        y = activation.forward(bias, weight, x.mT).mT
        ctx.activation = activation
        ctx.save_for_backward(x, weight, y)
        return y

    @staticmethod
    def backward(ctx, gradient: Tensor):
        x, weight, y = ctx.saved_tensors
        x_moves, weight_moves, bias_moves, _ = ctx.needs_input_grad
        gradient = ctx.activation.backward(gradient, y).mT  # (R, out, B)
        return (
            torch.bmm(weight.mT, gradient).mT if x_moves else None,
            torch.bmm(gradient, x) if weight_moves else None,
            gradient.sum(2, keepdim=True) if bias_moves else None,
            None,
        )


# `_Dense.apply` without what it does for torch.func, which costs a twentieth of a small network's step.
_dense = super(Function, _Dense).apply


class Linear(nn.Module):
    """R affine maps and a nonlinearity: (R, B, in_features) -> (R, B, out_features)."""

    def __init__(self, replicas: int, in_features: int, out_features: int, activation: str = "identity"):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(replicas, out_features, in_features))
        self.bias = nn.Parameter(torch.empty(replicas, out_features, 1))
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        return _dense(x, self.weight, self.bias, self.activation)


# Draws one parameter of a layer: (generator, "weight" or "bias", shape, inputs of the layer).
Initialiser = Callable[[np.random.Generator, str, tuple[int, ...], int], np.ndarray]


def normal(weight: NotNegative, bias: Number) -> Initialiser:
    """Weights from N(0, weight^2), every bias the constant `bias`."""

    def draw(rng: np.random.Generator, kind: str, shape: tuple[int, ...], inputs: int) -> np.ndarray:
        return rng.normal(0, weight, shape) if kind == "weight" else np.full(shape, bias)

    return draw


def normal_throughout(weight: NotNegative, bias: NotNegative) -> Initialiser:
    """Weights from N(0, weight^2), biases from N(0, bias^2)."""

    def draw(rng: np.random.Generator, kind: str, shape: tuple[int, ...], inputs: int) -> np.ndarray:
        return rng.normal(0, weight if kind == "weight" else bias, shape)

    return draw


def he() -> Initialiser:
    """Weights from N(0, 2 / inputs), biases 0 (He et al. 2015, equation 10)."""

    def draw(rng: np.random.Generator, kind: str, shape: tuple[int, ...], inputs: int) -> np.ndarray:
        return rng.normal(0, np.sqrt(2 / inputs), shape) if kind == "weight" else np.zeros(shape)

    return draw


def uniform() -> Initialiser:
    """Weights and biases from U(-1 / sqrt(inputs), 1 / sqrt(inputs)), as `torch.nn.Linear` starts by default."""

    def draw(rng: np.random.Generator, kind: str, shape: tuple[int, ...], inputs: int) -> np.ndarray:
        return rng.uniform(-1 / np.sqrt(inputs), 1 / np.sqrt(inputs), shape)

    return draw


INITIALISERS = {"normal": normal, "normal_throughout": normal_throughout, "he": he, "uniform": uniform}


@torch.no_grad()
def initialise(network: nn.Module, seeds: Sequence[int], stream: str, draw: Initialiser) -> None:
    """Fill every parameter of `network`, replica by replica, each from its seed's own generator.

    A replica's weights depend on its seed and on `stream` (the player's name) alone.
    """
    for replica, seed in enumerate(seeds):
        rng = generator_of(seed, f"weights of the {stream}")
        for name, parameter in network.named_parameters():
            layer, kind = name.rsplit(".", 1)
            module = network.get_submodule(layer)
            inputs = getattr(module, "inputs", module.weight.shape[-1])  # a convolution says how many it sees
            drawn = draw(rng, kind, tuple(parameter.shape[1:]), inputs)
            parameter[replica] = torch.from_numpy(drawn.astype(np.float32))
