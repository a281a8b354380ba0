"""The architectures that the sources name, each with a replica axis."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from gancore.replicas import Linear


def mlp(replicas: int, widths: Sequence[int], activation: str, output: str = "identity") -> nn.Sequential:
    """R fully connected networks: (R, B, widths[0]) -> (R, B, widths[-1]).

    `widths` lists every layer's size, input and output included; `activation` and, for the last
    layer, `output` name one of `gancore.replicas.ACTIVATIONS`.
    """
    sizes = list(pairwise(widths))
    activations = [activation] * (len(sizes) - 1) + [output]
    return nn.Sequential(*(Linear(replicas, *size, kind) for size, kind in zip(sizes, activations, strict=True)))
