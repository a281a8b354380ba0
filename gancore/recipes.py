"""A recipe is a plain dictionary that says everything about an arm but its seeds.

Two recipes compared line by line are the experiment. A recipe is stored with its results, so that
they can be trained again from what the file itself says.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gancore.errors import StudyError
from gancore.games import GAN
from gancore.metrics.coverage import MEASURES
from gancore.mixtures import TARGETS
from gancore.nets import mlp
from gancore.objectives import OBJECTIVES
from gancore.optimisers import OPTIMISERS
from gancore.replicas import ACTIVATIONS, INITIALISERS, initialise
from gancore.streams import Stream, generator_of, latents
from gancore.train import Observer, Population

KEYS = {"target", "latent", "batch", "objective", "players", "steps", "observe"}
# What `observe` may ask for, and the dimensions of what it then stores.
DIMENSIONS = {
    "measures": ("seed", "step"),
    "snapshots": ("drawn", "frame", "point", "axis"),
    "portraits": ("seed", "moment", "place", "axis"),
}
PLAYER_KEYS = {"hidden", "activation", "initialiser", "optimiser"}


def choose(table: Mapping[str, Any], name: str, what: str) -> Any:
    """`table[name]`, or a StudyError that lists what is allowed."""
    if name not in table:
        raise StudyError(f"unknown {what} {name!r}: allowed are {', '.join(table)}")
    return table[name]


def make(table: Mapping[str, Any], spec: Mapping[str, Any], what: str, *first: Any) -> Any:
    """Call the entry of `table` that `spec` names, as in `{"name": "sgd", "rate": 5e-4}`."""
    arguments = {key: value for key, value in spec.items() if key != "name"}
    return choose(table, spec["name"], what)(*first, **arguments)


def check(recipe: Mapping[str, Any]) -> None:
    """Raises StudyError where a recipe misses a key, has one too many, or a size that is impossible."""
    _same_keys(recipe, KEYS, "the recipe")
    _same_keys(recipe["players"], {"generator", "discriminator"}, "players")
    for name, player in recipe["players"].items():
        _same_keys(player, PLAYER_KEYS, f"the {name}")
        choose(ACTIVATIONS, player["activation"], "activation")
    for size, meaning in (("latent", "latent dimension"), ("batch", "batch size"), ("steps", "number of steps")):
        if not isinstance(recipe[size], int) or recipe[size] < 1:
            raise StudyError(f"{meaning} {recipe[size]!r}: allowed is a whole number from 1 up")


def _same_keys(found: Mapping[str, Any], expected: set[str], where: str) -> None:
    for key in sorted(set(found) ^ expected):
        fault = "is missing from" if key in expected else "is unknown in"
        raise StudyError(f"{key!r} {fault} {where}: allowed are {', '.join(sorted(expected))}")


def population(recipe: Mapping[str, Any], seeds: Sequence[int], device: torch.device) -> Population:
    """The runs of a recipe at step 0, one a seed. Raises StudyError where the recipe is impossible."""
    check(recipe)
    target = make(TARGETS, recipe["target"], "target")
    ends = {"generator": (recipe["latent"], target.dimensions), "discriminator": (target.dimensions, 1)}
    players, optimisers = {}, {}
    for name, (first, last) in ends.items():  # the order in which they move; a stored recipe's keys are sorted
        spec = recipe["players"][name]
        network = mlp(len(seeds), [first, *spec["hidden"], last], spec["activation"])
        initialise(network, seeds, name, make(INITIALISERS, spec["initialiser"], "initialiser"))
        players[name] = network.to(device)
        optimisers[name] = make(OPTIMISERS, spec["optimiser"], "optimiser", list(network.parameters()))
    return Population(
        seeds=seeds,
        game=GAN(players, choose(OBJECTIVES, recipe["objective"], "objective")),
        optimisers=optimisers,
        real=Stream(seeds, "data", target.draw(recipe["batch"]), device),
        noise=Stream(seeds, "latents", latents((recipe["batch"], recipe["latent"])), device),
    )


def observers(recipe: Mapping[str, Any], runs: Population) -> dict[str, Observer]:
    """What the recipe's `observe` asks for, by name.

    `measures`: numbers so many `times`, evenly spaced; `snapshots`: points of the first run often
    enough to animate; `portraits`: points of all runs `at` a few steps.
    """
    observe, target = recipe["observe"], make(TARGETS, recipe["target"], "target")
    found = {}
    if "measures" in observe:
        spec = observe["measures"]
        measure = choose(MEASURES, recipe["target"]["name"], "target with measures")
        sample = _sampler(runs, spec["points"], recipe["latent"])
        found["measures"] = Observer(evenly(recipe["steps"], spec["times"]), lambda: measure(sample(), target))
    if "snapshots" in observe:
        spec = observe["snapshots"]
        drawn = _sampler(runs, spec["points"], recipe["latent"])
        found["snapshots"] = Observer(evenly(recipe["steps"], spec["times"]), lambda: {"snapshots": drawn()[:1]})
    if "portraits" in observe:
        spec = observe["portraits"]
        posed = _sampler(runs, spec["points"], recipe["latent"])
        found["portraits"] = Observer(sorted(set(spec["at"])), lambda: {"portraits": posed()})
    return found


def evenly(steps: int, times: int) -> list[int]:
    """Step 0 and `times` more that divide `steps` evenly, the last one included."""
    return sorted({round(steps * i / times) for i in range(times + 1)})


def _sampler(runs: Population, points: int, latent: int):
    """Generated points (R, points, D) from latents that stay the same over a run's whole life."""
    draws = [generator_of(seed, "evaluation").standard_normal((points, latent), np.float32) for seed in runs.seeds]
    z = torch.from_numpy(np.stack(draws)).to(runs.noise.device)

    @torch.no_grad()
    def sample() -> Tensor:
        return runs.game.players["generator"](z)

    return sample
