"""Small convolutional networks of images, each with a replica axis.

They follow the pattern of DCGAN (Radford et al. 2016): 4x4 convolutions of stride 2 in the
discriminator, transposed ones in the generator, no pooling. They are smaller, and without batch
normalisation: where the data have one heavy mode, a batch holds nearly equal images, whose small
variance normalisation would blow up; and a gradient penalty wants each point's score to depend on
that point alone.

Images are flat, (R, B, C side side), channel by channel, on the outside: games, penalties and
observers need not know of shapes. An `image` is given as (channels, side).
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gancore.convolutions import Conv2d, ConvTranspose2d
from gancore.errors import StudyError
from gancore.replicas import Linear

Image = tuple[int, int]  # channels, side


def convolutional_generator(
    replicas: int, latent: int, image: Image, channels: Sequence[int], activation: str, output: str
) -> nn.Sequential:
    """R generators of images: (R, B, latent) -> (R, B, C side side).

    A linear layer makes `channels[0]` maps, each later layer doubles their side, and the last makes
    the image; `channels` lists the maps from the smallest outwards. Raises StudyError where the side
    cannot be halved so often.
    """
    smallest = _smallest(image, channels)
    pairs = list(pairwise([*channels, image[0]]))
    activations = [activation] * (len(pairs) - 1) + [output]
    return nn.Sequential(
        Linear(replicas, latent, channels[0] * smallest**2, activation),
        nn.Unflatten(2, (channels[0], smallest, smallest)),
        *(ConvTranspose2d(replicas, *pair, kind) for pair, kind in zip(pairs, activations, strict=True)),
        nn.Flatten(2),
    )


def convolutional_encoder(
    replicas: int, image: Image, channels: Sequence[int], outputs: int, activation: str, output: str
) -> nn.Sequential:
    """R networks that look at images: (R, B, C side side) -> (R, B, outputs).

    Each convolution halves the side, and a linear layer ends it; `channels` lists the maps from the
    image inwards. With one output it is a discriminator. Raises StudyError where the side cannot be
    halved so often.
    """
    smallest, (depth, side) = _smallest(image, channels), image
    return nn.Sequential(
        nn.Unflatten(2, (depth, side, side)),
        *(Conv2d(replicas, *pair, activation) for pair in pairwise([depth, *channels])),
        nn.Flatten(2),
        Linear(replicas, channels[-1] * smallest**2, outputs, output),
    )


class JointConvolutional(nn.Module):
    """R discriminators of pairs: x (R, B, C side side) and z (R, B, latent) -> scores (R, B, 1).

    Image and latent are each reduced to `hidden` features, so that neither drowns the other; a layer
    of `hidden` units sees both, as in ALI (Dumoulin et al. 2017). Raises StudyError where the side
    cannot be halved as often as there are `channels`.
    """

    def __init__(self, replicas: int, image: Image, channels: Sequence[int], latent: int, hidden: int, activation: str):
        super().__init__()
        self.image = convolutional_encoder(replicas, image, channels, hidden, activation, activation)
        self.latent = Linear(replicas, latent, hidden, activation)
        self.both = nn.Sequential(Linear(replicas, 2 * hidden, hidden, activation), Linear(replicas, hidden, 1))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        features = torch.cat([self.image(x).mT, self.latent(z).mT], 1).mT
        return self.both(features)


def _smallest(image: Image, channels: Sequence[int]) -> int:
    """The side of the smallest maps."""
    side, halvings = image[1], len(channels)
    if not halvings or side % 2**halvings:
        raise StudyError(
            f"images of side {side} through {halvings} strided convolutions: allowed are one or more, "
            f"and a side that is a multiple of {2**halvings}"
        )
    return side // 2**halvings
