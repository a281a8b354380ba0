"""A recipe is a plain dictionary that says everything about an arm but its seeds.

Two recipes compared line by line are the experiment. A recipe is stored with its results, so that
they can be trained again from what the file itself says.
"""

import copy
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gancore.annealing import Falling
from gancore.choices import make, settings_of
from gancore.data.targets import latent_of, target_of
from gancore.games import Game
from gancore.games.guided import BALANCES, Guidance
from gancore.games.mmd import KERNELS, Kernel
from gancore.nets.architectures import network_of
from gancore.nets.from_mean import FromMean
from gancore.nets.layers import INITIALISERS, initialise
from gancore.nets.own import is_own, own_network
from gancore.objectives import Objective, objective_of
from gancore.penalties import Penalty
from gancore.recipes.checks import PENALTY_KEYS, WINDOW, check, game_of, guide_for
from gancore.recipes.sweeps import spread
from gancore.remedies import REMEDIES, Remedies
from gancore.training.optimisers import OPTIMISERS, Clipped, Optimiser
from gancore.training.population import Population
from gancore.training.populations import population_of


def population(
    recipe: Mapping[str, Any], seeds: Sequence[int], device: torch.device, dtype: torch.dtype = torch.float32
) -> Population:
    """The runs of a recipe at step 0: one a seed, or one a seed and cell of its sweep.

    Weights and draws are made in single precision and then cast to the `dtype`; the recipe's own numbers are
    rounded to it. Raises StudyError where the recipe is impossible.
    """
    check(recipe)
    return assembled(*spread(recipe, seeds), device, dtype)


def assembled(
    recipe: Mapping[str, Any], seeds: Sequence[int], device: torch.device, dtype: torch.dtype = torch.float32
) -> Population:
    """The runs of a recipe without a sweep, one a seed; what a sweep could set may be a list, a number for each run."""
    target, latent, turns = target_of(recipe), latent_of(recipe), recipe.get("turns")
    remedies = Remedies([REMEDIES[spec["name"]](**settings_of(spec)) for spec in recipe.get("remedies", [])])
    players, optimisers = {}, {}
    for name, role in game_of(recipe).PLAYERS.items():
        spec = recipe["players"][name]
        shown = (remedies.judged(target), remedies.judged(latent)) if name == "discriminator" else (target, latent)
        players[name] = _player(spec, seeds, name, role, shown[0], shown[1].dimensions).to(device, dtype)
        optimisers[name] = _optimiser(spec, list(players[name].parameters()), (turns or {}).get(name, 1))
    return population_of(
        seeds, _game(recipe, players), optimisers, target, latent, recipe["batch"], turns, remedies, device, dtype
    )


def _player(spec: Mapping[str, Any], seeds: Sequence[int], name: str, role: str, target: Any, latent: int) -> nn.Module:
    if is_own(spec):
        return own_network(spec, seeds, name, role, target, latent)
    from_mean = "starts" in spec
    network = network_of(role, len(seeds), target, latent, spec | ({"output": "identity"} if from_mean else {}))
    initialise(network, seeds, name, make(INITIALISERS, spec["initialiser"], "initialiser"))
    return FromMean(network, len(seeds), target.mean(), spec.get("output", "identity")) if from_mean else network


def _optimiser(spec: Mapping[str, Any], parameters: Sequence[Tensor], turns: int) -> Optimiser:
    settings = settings_of(spec["optimiser"])
    if settings.get("until") is not None:
        settings["until"] *= turns  # a recipe counts steps, an optimiser its own
    optimiser = OPTIMISERS[spec["optimiser"]["name"]](parameters, **settings)
    return Clipped(optimiser, spec["clip"]) if "clip" in spec else optimiser


def _game(recipe: Mapping[str, Any], players: Mapping[str, nn.Module]) -> Game:
    like = next(parameter for player in players.values() for parameter in player.parameters())
    parts = {name: made(recipe, like) for name, made in PARTS.items() if name in recipe}
    return game_of(recipe)(players, **parts)


def _objective(recipe: Mapping[str, Any], like: Tensor) -> Objective:
    return objective_of(recipe["objective"])


def _penalties(recipe: Mapping[str, Any], like: Tensor) -> list[Penalty]:
    return [_penalty(spec, game_of(recipe).PENALTIES, recipe, like) for spec in recipe["penalties"]]


def _penalty(spec: Mapping[str, Any], known: Mapping[str, Any], recipe: Mapping[str, Any], like: Tensor) -> Penalty:
    own = {key: value for key, value in settings_of(spec).items() if key not in PENALTY_KEYS}
    usual = partial(known[spec["name"]], **own), _weight(spec["weight"], like), spec.get("every", 1)
    turns = recipe.get("turns", {}).get("discriminator", 1)  # a recipe counts steps, a penalty the turns of its player
    window = {end: spec[end] * turns for end in WINDOW if end in spec}
    return Falling(*usual, **window, falls=spec["falls"] * turns) if "falls" in spec else Penalty(*usual, **window)


def _reconstruction(recipe: Mapping[str, Any], like: Tensor) -> Tensor:
    return _weight(recipe["reconstruction"], like)


def _margin(recipe: Mapping[str, Any], like: Tensor) -> Tensor:
    return _weight(recipe["margin"], like)


def _kernel(recipe: Mapping[str, Any], like: Tensor) -> Kernel:
    return make(KERNELS, recipe["kernel"], "kernel")


def _classification(recipe: Mapping[str, Any], like: Tensor) -> dict[str, Tensor]:
    return {player: _weight(weight, like) for player, weight in recipe["classification"].items()}


def _guidance(recipe: Mapping[str, Any], like: Tensor) -> Guidance:
    spec = recipe["guidance"]
    guide, real = guide_for(recipe)
    weights = {name: _weight(weight, like) for name, weight in spec["weights"].items()}
    labels, balance = latent_of(recipe).labels, BALANCES[spec.get("balance", "fixed")]
    return Guidance(copy.deepcopy(guide).to(like), real.to(like), labels, weights, balance)


PARTS = {
    "objective": _objective,
    "penalties": _penalties,
    "reconstruction": _reconstruction,
    "margin": _margin,
    "kernel": _kernel,
    "classification": _classification,
    "guidance": _guidance,
}


def _weight(value: float | Sequence[float], like: Tensor) -> Tensor:
    """A number, () or (R,), on the device and in the precision of a player's parameter."""
    return like.new_tensor(value)
