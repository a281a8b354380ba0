"""A recipe is a plain dictionary that says everything about an arm but its seeds.

Two recipes compared line by line are the experiment. A recipe is stored with its results, so that
they can be trained again from what the file itself says.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import torch

from gancore.choices import choose, make
from gancore.errors import StudyError
from gancore.games import GAN
from gancore.nets import mlp
from gancore.objectives import OBJECTIVES
from gancore.optimisers import OPTIMISERS
from gancore.penalties import PENALTIES, Penalty
from gancore.replicas import ACTIVATIONS, INITIALISERS, initialise
from gancore.streams import Stream, latents
from gancore.sweeps import spread
from gancore.targets import target_of
from gancore.train import Population

KEYS = {"target", "latent", "batch", "objective", "players", "steps", "observe"}
OPTIONAL = {"penalties", "sweep"}
PLAYER_KEYS = {"hidden", "activation", "initialiser", "optimiser"}


def check(recipe: Mapping[str, Any]) -> None:
    """Raises StudyError where a recipe misses a key, has one too many, or a size that is impossible."""
    _same_keys(recipe, KEYS, "the recipe", OPTIONAL)
    _same_keys(recipe["players"], {"generator", "discriminator"}, "players")
    for name, player in recipe["players"].items():
        _same_keys(player, PLAYER_KEYS, f"the {name}", {"output"})
        choose(ACTIVATIONS, player["activation"], "activation")
    for size, meaning in (("latent", "latent dimension"), ("batch", "batch size"), ("steps", "number of steps")):
        if not isinstance(recipe[size], int) or recipe[size] < 1:
            raise StudyError(f"{meaning} {recipe[size]!r}: allowed is a whole number from 1 up")


def _same_keys(found: Mapping[str, Any], expected: set[str], where: str, optional: Set[str] = frozenset()) -> None:
    for key in sorted((set(found) - optional) ^ expected):
        fault = "is missing from" if key in expected else "is unknown in"
        raise StudyError(f"{key!r} {fault} {where}: allowed are {', '.join(sorted(expected | optional))}")


def population(recipe: Mapping[str, Any], seeds: Sequence[int], device: torch.device) -> Population:
    """The runs of a recipe at step 0: one a seed, or one a seed and cell of its sweep.

    Raises StudyError where the recipe is impossible.
    """
    check(recipe)
    recipe, seeds = spread(recipe, seeds)
    target = target_of(recipe)
    ends = {"generator": (recipe["latent"], target.dimensions), "discriminator": (target.dimensions, 1)}
    players, optimisers = {}, {}
    for name, (first, last) in ends.items():  # the order in which they move; a stored recipe's keys are sorted
        spec = recipe["players"][name]
        output = spec.get("output", "identity")
        network = mlp(len(seeds), [first, *spec["hidden"], last], spec["activation"], output)
        initialise(network, seeds, name, make(INITIALISERS, spec["initialiser"], "initialiser"))
        players[name] = network.to(device)
        optimisers[name] = make(OPTIMISERS, spec["optimiser"], "optimiser", list(network.parameters()))
    weights = [torch.tensor(spec["weight"], dtype=torch.float32, device=device) for spec in recipe.get("penalties", [])]
    functions = [choose(PENALTIES, spec["name"], "penalty") for spec in recipe.get("penalties", [])]
    return Population(
        seeds=seeds,
        game=GAN(players, choose(OBJECTIVES, recipe["objective"], "objective"), list(map(Penalty, functions, weights))),
        optimisers=optimisers,
        real=Stream(seeds, "data", target.draw(recipe["batch"]), device),
        noise=Stream(seeds, "latents", latents((recipe["batch"], recipe["latent"])), device),
    )
