"""Players built by the reader's own code: a recipe's `network` is `"module:function"`.

The function maps (role, inputs, outputs), and whatever settings of its own it names, to an `nn.Module` that maps points
(B, inputs) to (B, outputs); a discriminator that judges a point with something beside it sees the two side by side. The
recipe holds the digest of the module's file, so that what is stored is found by code as well as by name, and what runs
is what was digested.
"""

import functools
import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from gancore.errors import StudyError
from gancore.nets.architectures import Joint
from gancore.nets.stacked import Stacked
from gancore.values import check_settings, same_keys

KEYS = {"network", "digest", "optimiser"}  # of a player's recipe, beside the settings of the function
OPTIONAL = {"clip"}
GIVEN = ("role", "inputs", "outputs")


def own(network: str, **settings: Any) -> dict[str, Any]:
    """What a player's recipe says of its network: `own("mine:mlp", width=64) | {"optimiser": ...}`.

    Raises StudyError where there is no such function, or it has no such settings.
    """
    spec = {"network": network, "digest": _digest(_file(network)), **settings}
    _check_settings(network, spec)
    return spec


def is_own(player: Any) -> bool:
    """Whether a player's recipe names the reader's own code."""
    network = player.get("network") if isinstance(player, Mapping) else None
    return isinstance(network, str) and ":" in network


def check_own(player: Mapping[str, Any], whose: str) -> None:
    """Raises StudyError unless the player's function is there, as the recipe knows it, with these settings."""
    same_keys({key: player[key] for key in player if key in KEYS}, KEYS, whose)
    if _digest(_file(player["network"])) != player["digest"]:
        raise StudyError(
            f"the code of {player['network']} is not that of the recipe, whose digest is {player['digest']}: "
            f"`own({player['network']!r})` makes a recipe of the code as it is"
        )
    _check_settings(player["network"], player)


def own_network(
    player: Mapping[str, Any], seeds: Sequence[int], name: str, role: str, target: Any, latent: int
) -> nn.Module:
    """The networks of a player of this `name`, one a seed, for points of the target and latents of a dimension."""
    classes = getattr(target, "classes", 0)
    beside = {"pair_discriminator": latent, "conditional_discriminator": classes}
    sizes = {"generator": (latent, target.dimensions), "encoder": (target.dimensions, latent)}
    sizes["classifying_discriminator"] = target.dimensions, classes + 1
    inputs, outputs = sizes.get(role, (target.dimensions + beside.get(role, 0), 1))
    function, settings = _function(player["network"]), _settings(player)
    networks = Stacked(lambda: function(role, inputs, outputs, **settings), seeds, name)
    return Joint(networks) if role in beside else networks


def _settings(player: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in player.items() if key not in KEYS | OPTIONAL}


def _check_settings(network: str, player: Mapping[str, Any]) -> None:
    function = _function(network)
    kinds = {parameter.kind for parameter in inspect.signature(function).parameters.values()}
    first = tuple(inspect.signature(function).parameters)[: len(GIVEN)]
    if first != GIVEN or kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
        raise StudyError(
            f"{network} takes {inspect.signature(function)}: allowed are {', '.join(GIVEN)}, and settings one by one"
        )
    check_settings(function, len(GIVEN), _settings(player), network)


def _function(network: str) -> Callable[..., nn.Module]:
    """The function that the text names. Raises StudyError where there is none."""
    file, name = _file(network), network.split(":")[1]
    function = getattr(_loaded(network.split(":")[0], file, _digest(file)), name, None)
    if not inspect.isfunction(function):
        raise StudyError(f"{network} names no function of {file}")
    return function


def _file(network: str) -> Path:
    """The file of the module that the text names. Raises StudyError where none can be imported."""
    module, _, name = network.partition(":")
    if not all(part.isidentifier() for part in [*module.split("."), name]):
        raise StudyError(f"network {network!r}: allowed is 'module:function', as Python imports them")
    importlib.invalidate_caches()
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        found = None
    if found is None or not found.has_location or not str(found.origin).endswith(".py"):
        raise StudyError(f"network {network!r}: there is no file of a module {module} that can be imported from here")
    script = getattr(sys.modules["__main__"], "__file__", None)
    if script and Path(script).resolve() == Path(found.origin).resolve():
        raise StudyError(f"network {network!r}: {module} is the script that runs; allowed is a file of its own")
    return Path(found.origin)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@functools.cache
def _loaded(module: str, file: Path, digest: str) -> Any:
    """The module as its file is now, whatever of it was imported before the file changed."""
    spec = importlib.util.spec_from_file_location(module, file)
    loaded = importlib.util.module_from_spec(spec)
    known = sys.modules.setdefault(module, loaded)
    try:
        exec(compile(file.read_bytes(), file, "exec"), vars(loaded))
    except Exception as error:
        if known is loaded:
            del sys.modules[module]
        raise StudyError(f"{module} cannot be imported: {type(error).__name__}: {error}") from error
    return loaded
