"""A recipe with other settings at some places, and what differs between recipes.

A place is written with dots, as sweeps write it: "players.generator.optimiser.rate", "penalties.0.weight".
"""

from collections.abc import Iterator, Mapping, Sequence
from inspect import signature
from typing import Any

from gancore.data.targets import TARGETS
from gancore.errors import StudyError
from gancore.recipes.checks import check_settings_alone
from gancore.remedies import REMEDIES
from gancore.training.optimisers import OPTIMISERS
from gancore.values import values_of

ABSENT = "absent"


def changed(recipe: Mapping[str, Any], places: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe of its own, with these values at these places, put in order; the given one stays what it is.

    A value may be one that a recipe has, or may have, there: a number, a text, or a whole list or dictionary. None
    takes an optional setting away, and is put where None is a value, as for the `points` of moons. Raises StudyError
    for a place that no recipe of its kind has, and for a value that cannot be meant there.
    """
    new = _copied(recipe)
    for place, value in places.items():
        _put(new, place, _copied(value))
    check_settings_alone(new)
    return new


def _copied(value: Any) -> Any:
    """A copy that shares nothing, not even what the original holds twice."""
    if isinstance(value, Mapping):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list | tuple) else value


def _put(recipe: dict[str, Any], place: str, value: Any) -> None:
    *path, last = str(place).split(".")
    holder: Any = recipe
    for depth, part in enumerate(path):
        holder = holder[_found(holder, part, path[:depth])]
    if isinstance(holder, list):
        holder[_found(holder, last, path)] = value
    elif not isinstance(holder, dict):
        _found(holder, last, path)
    elif value is not None or _may_be_none(holder, last):
        holder[last] = value
    else:
        del holder[_found(holder, last, path)]


def _found(holder: Any, part: str, path: Sequence[str]) -> Any:
    """The key or index of a part of a place. Raises StudyError where the holder has no such part."""
    there = [str(key) for key in _parts(holder)]
    if part not in there:
        where = ".".join(path) or "the recipe"
        raise StudyError(f"{part!r} is not in {where}: allowed are {', '.join(there) or 'no places below it'}")
    return int(part) if isinstance(holder, list) else part


def _parts(holder: Any) -> Sequence[Any]:
    return list(holder) if isinstance(holder, Mapping) else range(len(holder)) if isinstance(holder, list) else []


def _may_be_none(holder: Mapping[str, Any], key: str) -> bool:
    """Whether None is a value of a setting of what is chosen by name."""
    for table in (TARGETS, OPTIMISERS, REMEDIES):
        if holder.get("name") in table:
            parameter = signature(table[holder["name"]]).parameters.get(key)
            return parameter is not None and any(values.holds(None) for values in values_of(parameter.annotation))
    return False


def differences(arms: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """A table of what differs between recipes, as its header and rows: a place, and what each arm has there, in order.

    Lists of numbers or texts are one value; what an arm does not have is ABSENT.
    """
    flat = [dict(_leaves(_copied(recipe))) for recipe in arms.values()]
    places = list(dict.fromkeys(place for leaves in flat for place in leaves))
    rows = [[place, *(_shown(leaves, place) for leaves in flat)] for place in places if _differ(flat, place)]
    return ["place", *arms], rows


def _differ(flat: Sequence[Mapping[str, Any]], place: str) -> bool:
    return len({repr(leaves[place]) if place in leaves else None for leaves in flat}) > 1


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """The places below a part of a recipe and what stands there."""
    inside = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict | list) for v in value))
    if not inside or not value:
        yield place, value
        return
    for key in _parts(value):
        yield from _leaves(value[key], f"{place}.{key}" if place else str(key))


def _shown(leaves: Mapping[str, Any], place: str) -> str:
    return str(leaves[place]).replace("|", "\\|") if place in leaves else ABSENT
