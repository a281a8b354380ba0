"""What a recipe may say: at every depth each setting must be known, there and possible.

Settings of what is chosen by name are those in its signature. A sweep is checked value by value.
"""

import inspect
import json
from collections.abc import Mapping
from typing import Any

from torch import nn

from gancore.choices import check_choice, choose, settings_of
from gancore.data.images import CLASSES
from gancore.data.latents import labelled_latents
from gancore.data.mixtures import Gaussians
from gancore.data.targets import latent_of, target_of
from gancore.errors import StudyError
from gancore.games import GAMES, Game
from gancore.games.guided import BALANCES
from gancore.games.labelled import LabelledGAN
from gancore.games.mmd import KERNELS
from gancore.judges.guide import Real, guide_of
from gancore.judges.posterior import posterior_of
from gancore.nets.architectures import NETWORKS, networks_for
from gancore.nets.dcgan import smallest_side
from gancore.nets.from_mean import INVERSES
from gancore.nets.layers import ACTIVATIONS, INITIALISERS
from gancore.nets.own import check_own, is_own
from gancore.objectives import objective_of
from gancore.observers import check_observe, clocks, described
from gancore.recipes.sweeps import singly
from gancore.remedies import REMEDIES
from gancore.training.optimisers import OPTIMISERS
from gancore.values import DICTIONARY, TEXT, Values, check_settings, each, number, one_of, same_keys, whole

KEYS = {"target", "latent", "batch", "players", "steps", "observe"}
OPTIONAL = {"game", "sweep"}
PLAYER_KEYS = {"activation", "initialiser", "optimiser"}
OPTIONAL_FOR_PLAYERS = {"network", "output", "clip"}
OPTIONAL_FOR_GENERATORS = OPTIONAL_FOR_PLAYERS | {"starts"}
WINDOW = ("start", "stop")  # steps from and before which a penalty is added
PENALTY_KEYS = {"weight", "every", "falls", *WINDOW}  # of every penalty, beside its name and its own settings
WEIGHT = number(least=0)
PLACE = Values("a place such as 'penalties.0.weight'", lambda value: isinstance(value, str))


def game_of(recipe: Mapping[str, Any]) -> type[Game]:
    """The class of the game that is played. Raises StudyError for an unknown one."""
    return choose(GAMES, recipe.get("game", "gan"), "game")


def guide_for(recipe: Mapping[str, Any]) -> tuple[nn.Module, Real]:
    """A recipe's guide and what it measures of real points. Raises StudyError as `guide_of` does."""
    spec, target = recipe["guidance"], target_of(recipe)
    if isinstance(target, Gaussians):
        return posterior_of(target, spec["deviation"])
    return guide_of(spec["images"], spec.get("file"), spec.get("digest"))


def check(recipe: Mapping[str, Any]) -> None:
    """Raises StudyError, which names it and what is allowed, for the first thing in a recipe that cannot be meant, and
    where its data are not there."""
    check_settings_alone(recipe)
    for source in (target_of(recipe), latent_of(recipe)):
        source.draw(recipe["batch"])
    if "guidance" in recipe:
        guide_for(recipe)


def check_settings_alone(recipe: Mapping[str, Any]) -> None:
    """As `check`, without a look at the data."""
    game = game_of(DICTIONARY.check("the recipe", recipe))
    _check_keys(recipe, game)
    try:
        json.dumps(recipe, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise StudyError(f"a recipe is made of numbers, texts, None, lists and dictionaries alone: {error}") from error
    for name in ("batch", "steps"):
        whole(1).check(name, recipe[name])
    _check_data(recipe, game)
    _check_sweep(recipe)
    for alone in singly(recipe):
        _check_game(alone, game)
    check_observe(recipe["observe"], recipe["steps"])


def _check_keys(recipe: Mapping[str, Any], game: type[Game]) -> None:
    of_others = {key for other in GAMES.values() for key in other.ASKS | other.TAKES} - game.ASKS - game.TAKES
    of_none = {key: value for key, value in recipe.items() if key not in of_others}
    for part in (of_none, recipe):  # a misspelt 'game' is named before what is then another game's
        same_keys(part, KEYS | game.ASKS, "the recipe", OPTIONAL | game.TAKES)


def _check_data(recipe: Mapping[str, Any], game: type[Game]) -> None:
    """The target and the latents, and whether they have the classes that the game is about."""
    target, latent, labelled = target_of(recipe), latent_of(recipe), issubclass(game, LabelledGAN)
    if labelled != hasattr(target, "classes"):
        games = " or ".join(repr(name) for name, other in GAMES.items() if issubclass(other, LabelledGAN))
        raise StudyError(
            f"the target {recipe['target']['name']!r} in the game {recipe.get('game', 'gan')!r}: allowed are "
            f"'labelled_pictures' in the game {games}, and other targets in other games"
        )
    if labelled or "guidance" in game.ASKS:
        classes = labelled_latents(latent).classes
        whole(_classes(target), _classes(target)).check("classes of the latents", classes)


def _classes(target: Any) -> int:
    """How many classes a generator can be asked for: the modes of Gaussians, or those of images."""
    return len(target.means()) if isinstance(target, Gaussians) else CLASSES


def _check_sweep(recipe: Mapping[str, Any]) -> None:
    sweep, places = DICTIONARY.check("the sweep", recipe.get("sweep", {})), []
    along = {dim for _, quantity in described().values() for dim in quantity.dimensions}
    taken = {"seed", "drawn", "player", "first_step", "first_losses", "losses", "diverged"}
    taken |= clocks() | described().keys() | along  # what results have, and what they are stored along
    for name, axis in sweep.items():
        if name in taken:
            raise StudyError(f"the sweep's axis {name!r}: allowed is a name that results do not have already")
        same_keys(axis, {"sets", "values"}, f"the sweep's axis {name!r}")
        places += each(PLACE).check(f"sets of the sweep's axis {name!r}", axis["sets"])
        each(number()).check(f"values of the sweep's axis {name!r}", axis["values"])
    for place in places:
        if places.count(place) > 1:
            raise StudyError(f"the sweep sets {place!r} twice: allowed is once")


def _check_game(recipe: Mapping[str, Any], game: type[Game]) -> None:
    """The players, and what they minimise, with a number wherever a sweep may set one."""
    same_keys(recipe["players"], set(game.PLAYERS), "players")
    for name, player in recipe["players"].items():
        _check_player(recipe, name, game.PLAYERS[name], player)
    for player, turns in DICTIONARY.check("turns", recipe.get("turns", {})).items():
        if player != "discriminator" or not whole(1).holds(turns):
            raise StudyError(f"turns of the {player} {turns!r}: allowed is a number from 1 up, of the discriminator")
    if "objective" in recipe:
        objective_of(recipe["objective"])
    for penalty in each(DICTIONARY, least=0).check("penalties", recipe.get("penalties", [])):
        _check_penalty(penalty, game)
    for remedy in each(DICTIONARY, least=0).check("remedies", recipe.get("remedies", [])):
        _check_remedy(remedy, recipe, game)
    if "reconstruction" in recipe:
        WEIGHT.check("reconstruction", recipe["reconstruction"])
    if "margin" in recipe:
        number(above=0).check("margin", recipe["margin"])
    if "kernel" in recipe:
        check_choice(KERNELS, recipe["kernel"], "kernel")
        whole(2).check("batch, of which the kernel compares pairs,", recipe["batch"])
    if "classification" in recipe:
        _check_classification(recipe["classification"], game)
    if "guidance" in recipe:
        _check_guidance(recipe, game)


def _check_penalty(penalty: Mapping[str, Any], game: type[Game]) -> None:
    """What all penalties have, and the settings of its own function, after the discriminator and the batch."""
    if not {"name", "weight"} <= penalty.keys():
        own = {key for of in game.PENALTIES.values() for key in list(inspect.signature(of).parameters)[2:]}
        same_keys(penalty, {"name", "weight"}, "a penalty", PENALTY_KEYS | own)
    function = choose(game.PENALTIES, penalty["name"], "penalty")
    where = f"the penalty {penalty['name']!r}"
    WEIGHT.check(f"weight of {where}", penalty["weight"])
    for key in ("every", "falls"):
        whole(1).check(f"{key} of {where}", penalty.get(key, 1))
    start = whole(0).check(f"start of {where}", penalty.get("start", 0))
    if "stop" in penalty:
        whole(start + 1).check(f"stop of {where}", penalty["stop"])
    check_settings(function, 2, settings_of(penalty), where, beside=PENALTY_KEYS)


def _check_remedy(remedy: Mapping[str, Any], recipe: Mapping[str, Any], game: type[Game]) -> None:
    check_choice(REMEDIES, remedy, "remedy")
    if why := game.UNSUITED.get(remedy["name"]):
        allowed = ", ".join(name for name in REMEDIES if name not in game.UNSUITED)
        raise StudyError(f"the remedy {remedy['name']!r} in the game {recipe['game']!r}: {why}; allowed are {allowed}")


def _check_player(recipe: Mapping[str, Any], name: str, role: str, player: Any) -> None:
    if is_own(player):
        check_own(player, f"the {name}")
    else:
        _check_architecture(recipe, name, role, player)
    check_choice(OPTIMISERS, player["optimiser"], "optimiser", f"the {name}'s", given=1)
    if "clip" in player:
        number(above=0).check(f"clip of the {name}", player["clip"])


def _check_architecture(recipe: Mapping[str, Any], name: str, role: str, player: Any) -> None:
    any_size = {key for network in NETWORKS.values() for key in network.sizes(role)}
    optional = OPTIONAL_FOR_GENERATORS if role == "generator" else OPTIONAL_FOR_PLAYERS
    same_keys(player, PLAYER_KEYS, f"the {name}", optional | any_size)
    sizes = choose(networks_for(role), player.get("network", "mlp"), f"network of the {name}").sizes(role)
    same_keys(player, PLAYER_KEYS | sizes.keys(), f"the {name}", optional)
    if "starts" in player:
        _check_start(recipe, name, player)
    for key, allowed in sizes.items():
        allowed.check(f"{key} of the {name}", player[key])
    choose(ACTIVATIONS, player["activation"], "activation")
    choose(ACTIVATIONS, player.get("output", "identity"), "output")
    check_choice(INITIALISERS, player["initialiser"], "initialiser", f"the {name}'s")
    if player.get("network") == "convolutional":
        target = target_of(recipe)
        if not hasattr(target, "image"):
            raise StudyError(f"the {name} is convolutional, and {recipe['target']['name']!r} has no images")
        smallest_side(target.image, player["channels"], player["strides"])


def _check_start(recipe: Mapping[str, Any], name: str, player: Mapping[str, Any]) -> None:
    """A generator may start at the mean of the real points where that is known, and its output can draw it."""
    one_of("mean").check(f"starts of the {name}", player["starts"])
    choose(INVERSES, player.get("output", "identity"), f"output of the {name}, which starts at the mean,")
    if not hasattr(target_of(recipe), "mean"):
        raise StudyError(
            f"the {name} starts at the mean of {recipe['target']['name']!r}: allowed for images of any kind"
        )


def _check_classification(weights: Any, game: type[Game]) -> None:
    same_keys(weights, game.PLAYERS.keys(), "the classification")
    for player, weight in weights.items():
        WEIGHT.check(f"the {player}'s weight of the classification", weight)


def _check_guidance(recipe: Mapping[str, Any], game: type[Game]) -> None:
    spec, needed, target = recipe["guidance"], game.TERMS & {"adversarial"}, target_of(recipe)
    of_modes = isinstance(target, Gaussians)
    of_images = set() if of_modes else {"file", "digest"}
    same_keys(spec, {"weights", "deviation" if of_modes else "images"}, "the guidance", {"balance"} | of_images)
    same_keys(spec["weights"], needed, "the guidance's weights", game.TERMS - needed)
    choose(BALANCES, spec.get("balance", "fixed"), "balance")
    for name in spec.keys() & {"file", "digest"}:
        TEXT.check(f"{name} of the guidance", spec[name])
    for name, weight in spec["weights"].items():
        WEIGHT.check(f"the guidance's weight of the {name}", weight)
    if not spec["weights"]:
        raise StudyError("a guided generator alone needs a term: allowed are classification and statistics, or both")
    if of_modes:
        number(above=0).check("deviation of the guidance", spec["deviation"])
    elif spec["images"] != recipe["target"].get("images"):
        raise StudyError(f"the guide knows images of {spec['images']}, and the target is {recipe['target']}")
    if recipe["batch"] < 2 * _classes(target):
        raise StudyError(
            f"batch size {recipe['batch']} for {_classes(target)} classes: allowed is two a class or more, since one "
            "point has no variance"
        )
