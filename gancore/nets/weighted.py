"""A network with other weights than its own, and what its last layer sees."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

from gancore.errors import StudyError
from gancore.nets.layers import Linear


class Weighted:
    """`network` with these `weights` in the place of its parameters, in their order; gradients flow through them."""

    def __init__(self, network: nn.Module, weights: Sequence[Tensor]):
        self.network = network
        self.weights = dict(zip(dict(network.named_parameters()), weights, strict=True))
        self.looks_across = getattr(network, "looks_across", False)

    def __call__(self, *x: Tensor) -> Tensor:
        return functional_call(self.network, self.weights, x)


def features(judge: Any, *x: Tensor) -> Tensor:
    """What the last layer of a network, with its own weights or others, is shown: (R, B, D) -> (R, B, features).

    A network may say which of its modules is its `head`, to be looked at in the last layer's place. Raises StudyError
    where it does not, and its last layer is none of gancore's.
    """
    network = getattr(judge, "network", judge)
    caught = []
    hook = _head(network).register_forward_pre_hook(lambda layer, shown: caught.append(shown[0]))
    try:
        judge(*x)
    finally:
        hook.remove()
    return caught[0]


def _head(network: nn.Module) -> nn.Module:
    if hasattr(network, "head"):
        return network.head
    layers = [module for module in network.modules() if isinstance(module, Linear)]
    if not layers:
        raise StudyError("what the discriminator's last layer sees is asked for, and it has no gancore Linear layer")
    return layers[-1]
