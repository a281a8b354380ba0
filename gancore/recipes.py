"""A recipe is a plain dictionary that says everything about an arm but its seeds.

Two recipes compared line by line are the experiment. A recipe is stored with its results, so that
they can be trained again from what the file itself says.
"""

import copy
from collections.abc import Mapping, Sequence, Set
from typing import Any

import torch
from torch import Tensor, nn

from gancore.choices import choose, make
from gancore.errors import StudyError
from gancore.games import GAMES, Game
from gancore.games.guided import BALANCES, Guidance
from gancore.guide import Guide, Real, guide_of
from gancore.latents import labelled_latents
from gancore.nets import NETWORKS
from gancore.objectives import OBJECTIVES, Objective
from gancore.optimisers import OPTIMISERS, Clipped, Optimiser
from gancore.penalties import Penalty
from gancore.replicas import ACTIVATIONS, INITIALISERS, initialise
from gancore.streams import Stream, uniform
from gancore.sweeps import spread
from gancore.targets import latent_of, target_of
from gancore.train import Population

KEYS = {"target", "latent", "batch", "players", "steps", "observe"}
OPTIONAL = {"game", "sweep"}
PLAYER_KEYS = {"activation", "initialiser", "optimiser"}
OPTIONAL_FOR_PLAYERS = {"network", "output", "clip"}


def check(recipe: Mapping[str, Any]) -> None:
    """Raises StudyError where a recipe misses a key, has one too many, or a size or guidance that is impossible."""
    game = game_of(recipe)
    _same_keys(recipe, KEYS | game.ASKS, "the recipe", OPTIONAL | game.TAKES)
    _same_keys(recipe["players"], set(game.PLAYERS), "players")
    for name, player in recipe["players"].items():
        sizes = choose(NETWORKS, player.get("network", "mlp"), "network").sizes(game.PLAYERS[name])
        _same_keys(player, PLAYER_KEYS | sizes, f"the {name}", OPTIONAL_FOR_PLAYERS)
        choose(ACTIVATIONS, player["activation"], "activation")
        choose(ACTIVATIONS, player.get("output", "identity"), "output")
        if player.get("network") == "convolutional" and not hasattr(target_of(recipe), "image"):
            raise StudyError(f"the {name} is convolutional, and {recipe['target']['name']!r} has no images")
    for player, turns in recipe.get("turns", {}).items():
        if player != "discriminator" or not isinstance(turns, int) or turns < 1:
            raise StudyError(f"turns of the {player} {turns!r}: allowed is a number from 1 up, of the discriminator")
    counts = {"batch": "batch size", "steps": "number of steps"}
    if not isinstance(recipe["latent"], Mapping):
        counts = {"latent": "latent dimension", **counts}
    for size, meaning in counts.items():
        if not isinstance(recipe[size], int) or recipe[size] < 1:
            raise StudyError(f"{meaning} {recipe[size]!r}: allowed is a whole number from 1 up")
    latent_of(recipe)
    if "guidance" in recipe:
        _check_guidance(recipe)


def _check_guidance(recipe: Mapping[str, Any]) -> None:
    spec, latents = recipe["guidance"], labelled_latents(latent_of(recipe))
    _same_keys(spec, {"images", "weights"}, "the guidance", {"balance", "file", "digest"})
    needed = game_of(recipe).TERMS & {"adversarial"}
    _same_keys(spec["weights"], needed, "the guidance's weights", game_of(recipe).TERMS - needed)
    choose(BALANCES, spec.get("balance", "fixed"), "balance")
    if not spec["weights"]:
        raise StudyError("a guided generator alone needs a term: allowed are classification and statistics, or both")
    if spec["images"] != recipe["target"].get("images"):
        raise StudyError(f"the guide knows images of {spec['images']}, and the target is {recipe['target']}")
    if recipe["batch"] < 2 * latents.classes:
        raise StudyError(
            f"batch size {recipe['batch']} for {latents.classes} classes: allowed is two a class or more, since one "
            "point has no variance"
        )
    _guide(recipe)


def _same_keys(found: Mapping[str, Any], expected: Set[str], where: str, optional: Set[str] = frozenset()) -> None:
    for key in sorted((set(found) - optional) ^ expected):
        fault = "is missing from" if key in expected else "is unknown in"
        raise StudyError(f"{key!r} {fault} {where}: allowed are {', '.join(sorted(expected | optional))}")


def game_of(recipe: Mapping[str, Any]) -> type[Game]:
    """The class of the game that is played. Raises StudyError for an unknown one."""
    return choose(GAMES, recipe.get("game", "gan"), "game")


def population(
    recipe: Mapping[str, Any], seeds: Sequence[int], device: torch.device, dtype: torch.dtype = torch.float32
) -> Population:
    """The runs of a recipe at step 0: one a seed, or one a seed and cell of its sweep.

    Weights and draws are made in single precision and then cast to the `dtype`; the recipe's own numbers are
    rounded to it. Raises StudyError where the recipe is impossible.
    """
    check(recipe)
    recipe, seeds = spread(recipe, seeds)
    target, latent, turns = target_of(recipe), latent_of(recipe), recipe.get("turns", {})
    players, optimisers = {}, {}
    for name, role in game_of(recipe).PLAYERS.items():
        spec = recipe["players"][name]
        network = _network(role, len(seeds), target, latent.dimensions, spec)
        initialise(network, seeds, name, make(INITIALISERS, spec["initialiser"], "initialiser"))
        players[name] = network.to(device, dtype)
        optimisers[name] = _optimiser(spec, list(network.parameters()))
    drawn = recipe["batch"] * max(turns.values(), default=1)
    return Population(
        seeds=seeds,
        game=_game(recipe, players),
        optimisers=optimisers,
        real=Stream(seeds, "data", target.draw(drawn), device, dtype),
        noise=Stream(seeds, "latents", latent.draw(drawn), device, dtype),
        mixing=Stream(seeds, "mixing", uniform((drawn, 1)), device, dtype),
        turns=turns,
    )


def _network(role: str, replicas: int, target: Any, latent: int, spec: Mapping[str, Any]) -> nn.Module:
    architecture = NETWORKS[spec.get("network", "mlp")]
    return getattr(architecture(replicas, target, latent, spec), role)()


def _optimiser(spec: Mapping[str, Any], parameters: Sequence[Tensor]) -> Optimiser:
    optimiser = make(OPTIMISERS, spec["optimiser"], "optimiser", parameters)
    return Clipped(optimiser, spec["clip"]) if "clip" in spec else optimiser


def _game(recipe: Mapping[str, Any], players: Mapping[str, nn.Module]) -> Game:
    like = next(parameter for player in players.values() for parameter in player.parameters())
    parts = {name: made(recipe, like) for name, made in PARTS.items() if name in recipe}
    return game_of(recipe)(players, **parts)


def _objective(recipe: Mapping[str, Any], like: Tensor) -> Objective:
    return choose(OBJECTIVES, recipe["objective"], "objective")


def _penalties(recipe: Mapping[str, Any], like: Tensor) -> list[Penalty]:
    known = game_of(recipe).PENALTIES
    return [
        Penalty(choose(known, spec["name"], "penalty"), _weight(spec["weight"], like)) for spec in recipe["penalties"]
    ]


def _reconstruction(recipe: Mapping[str, Any], like: Tensor) -> Tensor:
    return _weight(recipe["reconstruction"], like)


def _guidance(recipe: Mapping[str, Any], like: Tensor) -> Guidance:
    spec, (guide, real) = recipe["guidance"], _guide(recipe)
    weights = {name: _weight(weight, like) for name, weight in spec["weights"].items()}
    labels, balance = latent_of(recipe).labels, BALANCES[spec.get("balance", "fixed")]
    return Guidance(copy.deepcopy(guide).to(like), real.to(like), labels, weights, balance)


def _guide(recipe: Mapping[str, Any]) -> tuple[Guide, Real]:
    spec = recipe["guidance"]
    return guide_of(spec["images"], spec.get("file"), spec.get("digest"))


PARTS = {
    "objective": _objective,
    "penalties": _penalties,
    "reconstruction": _reconstruction,
    "guidance": _guidance,
}


def _weight(value: float | Sequence[float], like: Tensor) -> Tensor:
    """A weight, () or (R,), on the device and in the precision of a player's parameter."""
    return like.new_tensor(value)
