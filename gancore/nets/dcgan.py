"""Small convolutional networks of images, each with a replica axis.

They follow the pattern of DCGAN (Radford et al. 2016): 4x4 convolutions of stride 2 in the
discriminator, transposed ones in the generator, no pooling. They are smaller, and without batch
normalisation: where the data have one heavy mode, a batch holds nearly equal images, whose small
variance normalisation would blow up; and a gradient penalty wants each point's score to depend on
that point alone.

Images are flat, (R, B, C side side), channel by channel, on the outside: games, penalties and
observers need not know of shapes. An `image` is given as (channels, side). Of several layers, `channels`
lists the maps and `strides` by how much each divides the side: 2, or 4, at which neighbouring windows
share no pixel, so that a CPU is through with the large maps in a third of the time.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from gancore.errors import StudyError
from gancore.nets.convolutions import Conv2d, ConvTranspose2d
from gancore.nets.layers import Linear

Image = tuple[int, int]  # channels, side
KERNEL = 4


def convolutional_generator(
    replicas: int,
    latent: int,
    image: Image,
    channels: Sequence[int],
    strides: Sequence[int],
    activation: str,
    output: str,
) -> nn.Sequential:
    """R generators of images: (R, B, latent) -> (R, B, C side side).

    A linear layer makes `channels[0]` maps, each later layer multiplies their side by its stride, and the
    last makes the image; `channels` and `strides` are listed from the smallest maps outwards. Raises
    StudyError where the side is no multiple of all strides together, or a stride is not 2 or 4.
    """
    smallest = smallest_side(image, channels, strides)
    pairs = list(pairwise([*channels, image[0]]))
    activations = [activation] * (len(pairs) - 1) + [output]
    layers = zip(pairs, activations, strides, strict=True)
    return nn.Sequential(
        Linear(replicas, latent, channels[0] * smallest**2, activation),
        nn.Unflatten(2, (channels[0], smallest, smallest)),
        *(ConvTranspose2d(replicas, *pair, kind, *_window(stride)) for pair, kind, stride in layers),
        nn.Flatten(2),
    )


def convolutional_encoder(
    replicas: int,
    image: Image,
    channels: Sequence[int],
    strides: Sequence[int],
    outputs: int,
    activation: str,
    output: str,
) -> nn.Sequential:
    """R networks that look at images: (R, B, C side side) -> (R, B, outputs).

    Each convolution divides the side by its stride, and a linear layer ends it; `channels` and `strides` are
    listed from the image inwards. With one output it is a discriminator. Raises StudyError where the side
    is no multiple of all strides together, or a stride is not 2 or 4.
    """
    smallest, (depth, side) = smallest_side(image, channels, strides), image
    layers = zip(pairwise([depth, *channels]), strides, strict=True)
    return nn.Sequential(
        nn.Unflatten(2, (depth, side, side)),
        *(Conv2d(replicas, *pair, activation, *_window(stride)) for pair, stride in layers),
        nn.Flatten(2),
        Linear(replicas, channels[-1] * smallest**2, outputs, output),
    )


class JointConvolutional(nn.Module):
    """R discriminators of pairs: x (R, B, C side side) and z (R, B, latent) -> scores (R, B, 1).

    Image and latent are each reduced to `hidden` features, so that neither drowns the other; a layer
    of `hidden` units sees both, as in ALI (Dumoulin et al. 2017). Raises StudyError as
    `convolutional_encoder` does.
    """

    def __init__(
        self,
        replicas: int,
        image: Image,
        channels: Sequence[int],
        strides: Sequence[int],
        latent: int,
        hidden: int,
        activation: str,
    ):
        super().__init__()
        self.image = convolutional_encoder(replicas, image, channels, strides, hidden, activation, activation)
        self.latent = Linear(replicas, latent, hidden, activation)
        self.both = nn.Sequential(Linear(replicas, 2 * hidden, hidden, activation), Linear(replicas, hidden, 1))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        features = torch.cat([self.image(x).mT, self.latent(z).mT], 1).mT
        return self.both(features)


def _window(stride: int) -> tuple[int, int, int]:
    """Kernel, stride and padding of a layer that divides the side by its stride."""
    return KERNEL, stride, (KERNEL - stride) // 2


def smallest_side(image: Image, channels: Sequence[int], strides: Sequence[int]) -> int:
    """The side of the smallest maps. Raises StudyError as `convolutional_encoder` does."""
    side = image[1]
    if not channels or len(channels) != len(strides) or not set(strides) <= {2, 4} or side % prod(strides):
        raise StudyError(
            f"images of side {side} through convolutions with {list(channels)} maps and strides {list(strides)}: "
            "allowed are one or more, with a stride of 2 or 4 each, and a side that is a multiple of all together"
        )
    return side // prod(strides)
