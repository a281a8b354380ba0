"""Things chosen by name, as recipes choose them."""

from collections.abc import Mapping
from typing import Any

from gancore.errors import StudyError


def choose(table: Mapping[str, Any], name: str, what: str) -> Any:
    """`table[name]`, or a StudyError that lists what is allowed."""
    if name not in table:
        raise StudyError(f"unknown {what} {name!r}: allowed are {', '.join(table)}")
    return table[name]


def make(table: Mapping[str, Any], spec: Mapping[str, Any], what: str, *first: Any) -> Any:
    """Call the entry of `table` that `spec` names, as in `{"name": "sgd", "rate": 5e-4}`."""
    arguments = {key: value for key, value in spec.items() if key != "name"}
    return choose(table, spec["name"], what)(*first, **arguments)
