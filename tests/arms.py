"""Small arms of the moons GAN and of a BiGAN, and their runs taken apart into ordinary torch networks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gancore.recipes.build import assembled, population
from gancore.training.loop import Record, train
from gancore.training.population import Population

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
    "sigmoid": nn.Sigmoid,
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


def bigan(steps: int = 20, observe: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The recipe of a BiGAN of a line of Gaussians; `more` replaces or adds whole entries."""
    players = {
        "generator": player([8], "tanh", ADAM, NORMAL_THROUGHOUT),
        "encoder": player([7, 5], "tanh", ADAM, NORMAL_THROUGHOUT) | {"output": "sigmoid"},
        "discriminator": player([9, 4], "tanh", ADAM, NORMAL_THROUGHOUT),
    }
    return {
        "game": "bigan",
        "target": {"name": "line", "modes": 5, "deviation": 0.05},
        "latent": {"name": "uniform", "dimensions": 1},
        "batch": 16,
        "objective": "non_saturating",
        "players": players,
        "steps": steps,
        "observe": observe or {},
    } | more


def encoder_alone(**more: Any) -> dict[str, Any]:
    """The recipe of an encoder that makes a line of Gaussians uniform; `more` replaces or adds whole entries."""
    line, uniform = bigan()["target"], bigan()["latent"]
    players = {"generator": bigan()["players"]["encoder"], "discriminator": bigan()["players"]["discriminator"]}
    return {key: value for key, value in bigan().items() if key != "game"} | {
        "target": uniform,
        "latent": line,
        "players": players,
        **more,
    }


def runs_of(seeds: Sequence[int], device: torch.device = CPU, **arm: Any) -> Population:
    """A population of the moons GAN at step 0."""
    return population(moons(**arm), seeds, device)


def ordinary(
    stacked: nn.Sequential, run: int, activation: str, dtype: torch.dtype = torch.float64, output: str = "identity"
) -> nn.Sequential:
    """One run of a stacked mlp as `torch.nn.Linear` layers with `activation` between them and `output` at the end."""
    layers = []
    for replicas in stacked:
        _, out_features, in_features = replicas.weight.shape
        linear = nn.Linear(in_features, out_features)
        linear.load_state_dict({"weight": replicas.weight[run].detach(), "bias": replicas.bias[run, :, 0].detach()})
        layers += [linear, MODULES[activation]()]
    return nn.Sequential(*layers[:-1], MODULES[output]()).to(dtype)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers in double precision."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


class Flattened(nn.Module):
    """An mlp of images, or of images and codes, which is no `Sequential`: (R, B, ...), ... -> (R, B, 1)."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, *x):
        return self.body(torch.cat([part.flatten(2) for part in x], 2))


def slope_alone(network: nn.Module, point: Tensor) -> Tensor:
    """The gradient of one ordinary network at one point, differentiable."""
    point = point.detach().requires_grad_()
    return torch.autograd.grad(network(point).sum(), point, create_graph=True)[0]


def penalty_alone(name: str, network: nn.Module, shown: Mapping[str, Tensor]) -> Tensor:
    """A penalty at one point of one ordinary network, written out; `shown` are the parts of a batch, flat."""
    x, epsilon = shown["real"], shown["epsilon"]
    if name in ("r1", "r2"):
        return slope_alone(network, {"r1": x, "r2": shown["fake"]}[name]).square().sum() / 2
    if name == "zero_centred":
        return slope_alone(network, epsilon * x + (1 - epsilon) * shown["fake"]).square().sum()
    if name == "wgan_gp":
        return (slope_alone(network, epsilon * x + (1 - epsilon) * shown["fake"]).square().sum().sqrt() - 1) ** 2
    if name == "r1_of_pairs":
        return slope_alone(lambda point: network(torch.cat([point, shown["code"]])), x).square().sum() / 2
    judge = nn.Sequential(network, nn.Sigmoid()) if name == "pairwise_probability" else network
    at = epsilon * x + (1 - epsilon) * shown["reconstruction"]
    direction = x - shown["reconstruction"]
    slope = slope_alone(lambda point: judge(torch.cat([point, shown["code"]])), at)
    aim = 0 if name == "pairwise_zero" else direction / direction.square().sum().sqrt()
    return (slope - aim).square().sum()


def penalty_of_run(name: str, network: nn.Module, parts: Mapping[str, Tensor]) -> Tensor:
    """The mean of a penalty over one run's points, one by one; `parts` (B, ...) of its batch."""
    points = [{key: part[k].detach().flatten() for key, part in parts.items()} for k in range(len(parts["real"]))]
    return torch.stack([penalty_alone(name, network, point) for point in points]).mean()


def same(found: Sequence[Tensor], expected: Sequence[Tensor]) -> bool:
    """Whether two lists of tensors agree bit for bit, NaN included."""
    return len(found) == len(expected) and all(
        torch.equal(a.nan_to_num(), b.nan_to_num()) and torch.equal(a.isnan(), b.isnan())
        for a, b in zip(found, expected, strict=True)
    )


def weights_of(runs: Population) -> list[Tensor]:
    """The weights of all players."""
    return [weight.detach() for network in runs.game.players.values() for weight in network.parameters()]


def trained(recipe: Mapping[str, Any], seeds: Sequence[int], steps: int) -> list[Tensor]:
    """The weights of all players of a recipe's runs after so many steps."""
    runs = population(recipe, seeds, CPU)
    train(runs, steps)
    return weights_of(runs)


def whole_and_resumed(
    recipe: Mapping[str, Any], steps: int, stop: int, device: torch.device, folder: Path
) -> tuple[Record, Population, Population]:
    """Two populations of two runs: trained at a stretch, with its record, and cut off at `stop` and resumed."""
    whole, begun, resumed = (assembled(recipe, range(2), device) for _ in range(3))
    record = train(whole, steps)
    train(begun, stop, checkpoint=folder / "checkpoint", every_seconds=0.0)
    train(resumed, steps, checkpoint=folder / "checkpoint")
    return record, whole, resumed
