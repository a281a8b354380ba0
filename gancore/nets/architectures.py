"""The architectures that the sources name, each with a replica axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gancore.nets.autoencoding import Autoencoding
from gancore.nets.dcgan import JointConvolutional, convolutional_encoder, convolutional_generator
from gancore.nets.layers import Linear
from gancore.nets.minibatch import Closeness, MinibatchDiscriminator
from gancore.values import Values, each, one_of, whole


def mlp(replicas: int, widths: Sequence[int], activation: str, output: str = "identity") -> nn.Sequential:
    """R fully connected networks: (R, B, widths[0]) -> (R, B, widths[-1]).

    `widths` lists every layer's size, input and output included; `activation` and, for the last
    layer, `output` name one of `gancore.nets.layers.ACTIVATIONS`.
    """
    sizes = list(pairwise(widths))
    activations = [activation] * (len(sizes) - 1) + [output]
    return nn.Sequential(*(Linear(replicas, *size, kind) for size, kind in zip(sizes, activations, strict=True)))


class Joint(nn.Module):
    """R networks of pairs, whose body sees the two side by side: (R, B, D), (R, B, d) -> (R, B, 1)."""

    def __init__(self, body: nn.Module):
        super().__init__()
        self.body = body

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.body(torch.cat([x.mT, z.mT], 1).mT)


# What a player of these roles is asked for beside the sizes of its layers, whatever its architecture.
OF_ROLES = {"autoencoding_discriminator": {"code": whole(1)}, "embedding_discriminator": {"outputs": whole(1)}}


@dataclass(frozen=True)
class Architecture:
    """The networks of R runs' players, for points of a target and latents of a dimension, as a player's recipe says.

    It has a method for each role in which it can be.
    """

    replicas: int
    target: Any
    latent: int
    spec: Mapping[str, Any]

    def _activations(self) -> tuple[str, str]:
        return self.spec["activation"], self.spec.get("output", "identity")


class FullyConnected(Architecture):
    """Players of `hidden` layers."""

    @staticmethod
    def sizes(role: str) -> dict[str, Values]:
        """The keys of a player's recipe that say how large its layers are, and what each may be."""
        return {"hidden": each(whole(1), least=0)} | OF_ROLES.get(role, {})

    def generator(self) -> nn.Module:
        return self._mlp(self.latent, self.target.dimensions)

    def encoder(self) -> nn.Module:
        return self._mlp(self.target.dimensions, self.latent)

    def discriminator(self) -> nn.Module:
        return self._mlp(self.target.dimensions, 1)

    def embedding_discriminator(self) -> nn.Module:
        return self._mlp(self.target.dimensions, self.spec["outputs"])

    def classifying_discriminator(self) -> nn.Module:
        return self._mlp(self.target.dimensions, self.target.classes + 1)

    def autoencoding_discriminator(self) -> nn.Module:
        """An encoder to a code, and a decoder with its layers in the other order, which has the player's output."""
        activation, output = self._activations()
        widths = [self.target.dimensions, *self.spec["hidden"], self.spec["code"]]
        encoder = mlp(self.replicas, widths, activation, activation)
        return Autoencoding(encoder, mlp(self.replicas, widths[::-1], activation, output))

    def pair_discriminator(self) -> nn.Module:
        return self._joint(self.latent)

    def conditional_discriminator(self) -> nn.Module:
        return self._joint(self.target.classes)

    def _joint(self, beside: int) -> nn.Module:
        return Joint(self._mlp(self.target.dimensions + beside, 1))

    def _mlp(self, inputs: int, outputs: int) -> nn.Sequential:
        widths = [inputs, *self.spec["hidden"], outputs]
        return mlp(self.replicas, widths, *self._activations())


class Convolutional(Architecture):
    """Players of strided convolutions, for targets that are images: `channels` and `strides` from the image inwards."""

    @staticmethod
    def sizes(role: str) -> dict[str, Values]:
        """The keys of a player's recipe that say how large its layers are, and what each may be."""
        joint = role in ("pair_discriminator", "conditional_discriminator")
        sizes = {"channels": each(whole(1)), "strides": each(one_of(2, 4))} | OF_ROLES.get(role, {})
        return sizes | {"hidden": whole(1)} if joint else sizes

    def generator(self) -> nn.Module:
        return self._outwards(self.latent)

    def encoder(self) -> nn.Module:
        return self._inwards(self.latent, *self._activations())

    def discriminator(self) -> nn.Module:
        return self._inwards(1, *self._activations())

    def embedding_discriminator(self) -> nn.Module:
        return self._inwards(self.spec["outputs"], *self._activations())

    def classifying_discriminator(self) -> nn.Module:
        return self._inwards(self.target.classes + 1, *self._activations())

    def autoencoding_discriminator(self) -> nn.Module:
        code, activation = self.spec["code"], self.spec["activation"]
        return Autoencoding(self._inwards(code, activation, activation), self._outwards(code))

    def pair_discriminator(self) -> nn.Module:
        return self._joint(self.latent)

    def conditional_discriminator(self) -> nn.Module:
        return self._joint(self.target.classes)

    def _joint(self, beside: int) -> nn.Module:
        shape = self.target.image, self.spec["channels"], self.spec["strides"]
        return JointConvolutional(self.replicas, *shape, beside, self.spec["hidden"], self.spec["activation"])

    def _inwards(self, outputs: int, activation: str, output: str) -> nn.Module:
        shape = self.target.image, self.spec["channels"], self.spec["strides"]
        return convolutional_encoder(self.replicas, *shape, outputs, activation, output)

    def _outwards(self, inputs: int) -> nn.Module:
        shape = self.target.image, self.spec["channels"][::-1], self.spec["strides"][::-1]
        return convolutional_generator(self.replicas, inputs, *shape, *self._activations())


class Minibatch(Architecture):
    """Discriminators of `hidden` layers, the last of which is compared across the batch by `kernels`."""

    @staticmethod
    def sizes(role: str) -> dict[str, Values]:
        """The keys of a player's recipe that say how large its layers are, and what each may be."""
        return {"hidden": each(whole(1)), "kernels": whole(1), "kernel_dimensions": whole(1)}

    def discriminator(self) -> nn.Module:
        (activation, output), widths = self._activations(), [self.target.dimensions, *self.spec["hidden"]]
        kernels, dimensions = self.spec["kernels"], self.spec["kernel_dimensions"]
        return MinibatchDiscriminator(
            mlp(self.replicas, widths, activation, activation),
            Closeness(self.replicas, widths[-1], kernels, dimensions),
            Linear(self.replicas, widths[-1] + kernels, 1, output),
        )


# What a player's recipe may name as its `network`.
NETWORKS = {"mlp": FullyConnected, "convolutional": Convolutional, "minibatch": Minibatch}


def networks_for(role: str) -> dict[str, type[Architecture]]:
    """The architectures that a player in this role can have."""
    return {name: architecture for name, architecture in NETWORKS.items() if hasattr(architecture, role)}


def network_of(role: str, replicas: int, target: Any, latent: int, spec: Mapping[str, Any]) -> nn.Module:
    """R networks of a player in this role, for points of the target and latents of a dimension, as its recipe says."""
    architecture = NETWORKS[spec.get("network", "mlp")]
    return getattr(architecture(replicas, target, latent, spec), role)()
