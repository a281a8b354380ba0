"""Strided convolutions with a replica axis: R independent layers computed as one batched product.

Batches are `(R, B, C, H, W)` in meaning and lie as `(R, C, H, W, B)` in memory, as those of
`gancore.nets.layers` do: between images and flat points there are only views. A convolution cuts its
input into patches, `(R, C k k, H' W' B)`, and multiplies them by the weights; rows of B numbers are
what is copied, which makes the patches cheap. A transposed convolution multiplies first and adds the
patches up where they overlap. The two steps are each other's adjoint, so each is the other's
gradient, to any order.
"""

from functools import partial
from itertools import product

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

# By the names of `gancore.nets.layers.ACTIVATIONS`; in place, on what a layer has just made.
ACTIVATIONS = {
    "identity": lambda y: y,
    "relu": torch.relu_,
    "leaky_relu": partial(functional.leaky_relu_, negative_slope=0.2),
    "tanh": torch.tanh_,
    "sigmoid": torch.sigmoid_,
}

Window = tuple[int, int, int]  # kernel, stride, padding


class _Patches(Function):
    """The windows that a convolution sees: (R, C, H, W, B) -> (R, C, k, k, H', W', B)."""

    @staticmethod
    def forward(ctx, x: Tensor, window: Window) -> Tensor:
        ctx.window, ctx.size = window, x.shape[2:4]
        kernel, stride, padding = window
        padded = functional.pad(x, [0, 0] + [padding] * 4)
        windows = padded.unfold(2, kernel, stride).unfold(3, kernel, stride)  # (R, C, H', W', B, k, k)
        return windows.permute(0, 1, 5, 6, 2, 3, 4).contiguous()

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return _Overlaid.apply(gradient, ctx.window, ctx.size), None


class _Overlaid(Function):
    """Patches laid where `_Patches` found them and added up: (R, C, k, k, H', W', B) -> (R, C, H, W, B)."""

    @staticmethod
    def forward(ctx, patches: Tensor, window: Window, size: tuple[int, int]) -> Tensor:
        ctx.window = window
        kernel, stride, padding = window
        *ends, rows, columns, batch = patches.shape
        height, width = size
        x = patches.new_zeros(*ends[:2], height + 2 * padding, width + 2 * padding, batch)
        for i, j in product(range(kernel), repeat=2):
            x[:, :, i : i + stride * rows : stride, j : j + stride * columns : stride] += patches[:, :, i, j]
        return x[:, :, padding : padding + height, padding : padding + width]

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return _Patches.apply(gradient, ctx.window), None, None


class _Layer(nn.Module):
    """What the layers hold: weights (R, *channels, k, k), biases, a window, and the nonlinearity."""

    def __init__(
        self,
        replicas: int,
        channels: tuple[int, int],
        out_channels: int,
        activation: str = "identity",
        kernel: int = 4,
        stride: int = 2,
        padding: int = 1,
    ):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(replicas, *channels, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(replicas, out_channels, 1))
        self.activation = ACTIVATIONS[activation]
        self.window = (kernel, stride, padding)


class Conv2d(_Layer):
    """R strided convolutions and a nonlinearity: (R, B, C, H, W) -> (R, B, C', H', W').

    The weights are (R, C', C, k, k), for each run as `torch.nn.Conv2d` has them. After the channels come
    activation, kernel, stride and padding.
    """

    def __init__(self, replicas: int, in_channels: int, out_channels: int, *how, **named):
        super().__init__(replicas, (out_channels, in_channels), out_channels, *how, **named)

    @property
    def inputs(self) -> int:
        """How many numbers one number of the output is made of."""
        return self.weight[0, 0].numel()

    def forward(self, x: Tensor) -> Tensor:
        patches = _Patches.apply(x.permute(0, 2, 3, 4, 1), self.window)
        y = torch.baddbmm(self.bias, self.weight.flatten(2), patches.flatten(4).flatten(1, 3))
        y = self.activation(y)
        return y.unflatten(2, patches.shape[4:]).permute(0, 4, 1, 2, 3)


class ConvTranspose2d(_Layer):
    """R transposed convolutions and a nonlinearity: (R, B, C, H, W) -> (R, B, C', H', W').

    The weights are (R, C, C', k, k), for each run as `torch.nn.ConvTranspose2d` has them. After the channels
    come activation, kernel, stride and padding.
    """

    def __init__(self, replicas: int, in_channels: int, out_channels: int, *how, **named):
        super().__init__(replicas, (in_channels, out_channels), out_channels, *how, **named)

    @property
    def inputs(self) -> int:
        """How many numbers one number of the output is made of."""
        return self.weight[0, :, 0].numel() // self.window[1] ** 2

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride, padding = self.window
        size = tuple((side - 1) * stride + kernel - 2 * padding for side in x.shape[3:])
        x = x.permute(0, 2, 3, 4, 1)
        patches = torch.bmm(self.weight.flatten(2).mT, x.flatten(2))
        patches = patches.unflatten(2, x.shape[2:]).unflatten(1, self.weight.shape[2:])
        y = self.activation(_Overlaid.apply(patches, self.window, size) + self.bias[..., None, None])
        return y.permute(0, 4, 1, 2, 3)
