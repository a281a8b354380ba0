"""A small arm of the moons GAN, and its runs taken apart into ordinary torch networks."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gancore.recipes import population
from gancore.train import Population

CPU = torch.device("cpu")
SGD = {"name": "sgd", "rate": 5e-4}
ADAM = {"name": "adam", "rate": 1e-3, "beta1": 0.5}
NORMAL = {"name": "normal", "weight": 1.0, "bias": 0.01}
NORMAL_THROUGHOUT = {"name": "normal_throughout", "weight": 0.5, "bias": 0.5}

MODULES = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "tanh": nn.Tanh,
}


def player(hidden: Sequence[int], activation: str, optimiser=SGD, initialiser=NORMAL) -> dict[str, Any]:
    return {"hidden": hidden, "activation": activation, "initialiser": initialiser, "optimiser": optimiser}


def moons(
    latent: int = 2,
    points: int | None = 32,
    objective: str = "non_saturating",
    activations: tuple[str, str] = ("relu", "tanh"),
    steps: int = 200,
    observe: Mapping[str, Any] | None = None,
    **common: Any,
) -> dict[str, Any]:
    """The recipe of the moons GAN; `common` goes to both players."""
    return {
        "target": {"name": "moons", "points": points},
        "latent": latent,
        "batch": 32,
        "objective": objective,
        "players": {
            "generator": player([8, 4], activations[0], **common),
            "discriminator": player([64, 8], activations[1], **common),
        },
        "steps": steps,
        "observe": observe or {},
    }


def runs_of(seeds: Sequence[int], device: torch.device = CPU, **arm: Any) -> Population:
    """A population of the moons GAN at step 0."""
    return population(moons(**arm), seeds, device)


def ordinary(stacked: nn.Sequential, run: int, activation: str, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    """One run of a stacked mlp as `torch.nn.Linear` layers with `activation` between them."""
    layers = []
    for replicas in stacked:
        _, out_features, in_features = replicas.weight.shape
        linear = nn.Linear(in_features, out_features)
        linear.load_state_dict({"weight": replicas.weight[run].detach(), "bias": replicas.bias[run, :, 0].detach()})
        layers += [linear, MODULES[activation]()]
    return nn.Sequential(*layers[:-1]).to(dtype)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers in double precision."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


class Flattened(nn.Module):
    """An mlp of images, which is no `Sequential`: (R, B, ...) -> (R, B, 1)."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return self.body(x.flatten(2))


def same(found: Sequence[Tensor], expected: Sequence[Tensor]) -> bool:
    """Whether two lists of tensors agree bit for bit, NaN included."""
    return len(found) == len(expected) and all(
        torch.equal(a.nan_to_num(), b.nan_to_num()) and torch.equal(a.isnan(), b.isnan())
        for a, b in zip(found, expected, strict=True)
    )
