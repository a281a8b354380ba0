"""Things chosen by name, as recipes choose them."""

from collections.abc import Mapping
from typing import Any

from gancore.errors import StudyError
from gancore.values import check_settings


def choose(table: Mapping[str, Any], name: Any, what: str) -> Any:
    """`table[name]`, or a StudyError that lists what is allowed."""
    if not isinstance(name, str) or name not in table:
        raise StudyError(f"unknown {what} {name!r}: allowed are {', '.join(table)}")
    return table[name]


def settings_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What a spec such as `{"name": "sgd", "rate": 5e-4}` says beside the name."""
    return {key: value for key, value in spec.items() if key != "name"}


def check_choice(table: Mapping[str, Any], spec: Any, what: str, whose: str = "the", given: int = 0) -> None:
    """Raises StudyError unless `spec` names an entry of `table` and just the settings that its signature asks for.

    The entry's first `given` arguments are no settings.
    """
    if not isinstance(spec, Mapping) or "name" not in spec:
        raise StudyError(f"{what} {spec!r}: allowed is a dictionary with a 'name', one of {', '.join(table)}")
    entry = choose(table, spec["name"], what)
    check_settings(entry, given, settings_of(spec), f"{whose} {what} {spec['name']!r}")


def make(table: Mapping[str, Any], spec: Mapping[str, Any], what: str) -> Any:
    """Call the entry of `table` that `spec` names with its settings. Raises StudyError as `check_choice` does."""
    check_choice(table, spec, what)
    return table[spec["name"]](**settings_of(spec))
