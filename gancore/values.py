"""What a setting may be, said once: as an annotation in the signature of what it sets, or beside a parameter.

`modes: Annotated[int, whole(1)]` is read by whoever checks a recipe, so that signature and check cannot differ.
"""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from gancore.errors import StudyError


@dataclass(frozen=True)
class Values:
    """A set of values: `says` completes "allowed is ...", and `holds` tells whether a value is one of them."""

    says: str
    holds: Callable[[Any], bool]

    def check(self, name: str, value: Any) -> Any:
        """The value, if it is allowed. Raises StudyError, which names it and what is allowed, if not."""
        if not self.holds(value):
            raise StudyError(f"{name} = {value!r}: allowed is {self.says}")
        return value

    def __or__(self, other: "Values") -> "Values":
        return Values(f"{self.says} or {other.says}", lambda value: self.holds(value) or other.holds(value))


def whole(least: int, most: float = math.inf) -> Values:
    """Whole numbers from `least` to `most`."""
    ends = f"from {least} up" if most == math.inf else f"from {least} to {most}"
    return Values(f"a whole number {ends}", lambda value: _is(value, int) and least <= value <= most)


def number(
    least: float = -math.inf, most: float = math.inf, above: float = -math.inf, below: float = math.inf
) -> Values:
    """Finite numbers from `least` to `most`, and above and below what is named so."""
    up = "" if math.isfinite(min(most, below)) else " up"
    ends = {f" from {least}{up}": least, f" above {above}": above, f" to {most}": most, f", below {below}": below}
    says = "a number" + "".join(text for text, end in ends.items() if math.isfinite(end))

    def holds(value: Any) -> bool:
        return _is(value, int | float) and math.isfinite(value) and least <= value <= most and above < value < below

    return Values(says, holds)


def one_of(*allowed: Any) -> Values:
    """Just these, of the same type."""
    says = " or ".join(repr(value) for value in allowed)
    return Values(says, lambda value: any(type(value) is type(one) and value == one for one in allowed))


def each(values: Values, least: int = 1) -> Values:
    """Lists of `least` or more of these values."""
    return Values(
        f"a list of {least} or more, each {values.says}",
        lambda value: isinstance(value, list | tuple) and len(value) >= least and all(map(values.holds, value)),
    )


TEXT = Values("a text that is not empty", lambda value: isinstance(value, str) and bool(value.strip()))
TRUTH = Values("True or False", lambda value: isinstance(value, bool))
NOTHING = Values("None", lambda value: value is None)
DICTIONARY = Values("a dictionary", lambda value: isinstance(value, Mapping))

Count = Annotated[int, whole(1)]
Several = Annotated[int, whole(2)]
Centred = Annotated[
    int, Values("an odd whole number from 3 up", lambda value: _is(value, int) and value >= 3 and value % 2 == 1)
]
Positive = Annotated[float, number(above=0)]
NotNegative = Annotated[float, number(least=0)]
Number = Annotated[float, number()]


def _is(value: Any, kind: Any) -> bool:
    """Whether it is of that type, True and False being no numbers."""
    return isinstance(value, kind) and not isinstance(value, bool)


def same_keys(found: Any, expected: AbstractSet[str], where: str, optional: AbstractSet[str] = frozenset()) -> None:
    """Raises StudyError unless `found` is a dictionary of all `expected` keys and none but `optional` ones beside."""
    DICTIONARY.check(where, found)
    allowed = ", ".join(sorted(expected | optional)) or "none"
    for keys, fault in ((found.keys() - expected - optional, "unknown in"), (expected - found.keys(), "missing from")):
        for key in sorted(keys, key=str):
            raise StudyError(f"{key!r} is {fault} {where}: allowed are {allowed}")


def check_settings(
    function: Callable, given: int, settings: Any, where: str, beside: AbstractSet[str] = frozenset()
) -> None:
    """Raises StudyError unless `function` can be called with these `settings` after the first `given` arguments.

    They must be its own, none missing, and each must be one of the Values in its annotation, if that has any. Keys
    `beside` them are left to others.
    """
    parameters = list(inspect.signature(function).parameters.values())[given:]
    needed = {parameter.name for parameter in parameters if parameter.default is parameter.empty}
    same_keys(settings, needed, where, {parameter.name for parameter in parameters} - needed | beside)
    for parameter in parameters:
        if parameter.name in settings:
            for values in values_of(parameter.annotation):
                values.check(f"{parameter.name} of {where}", settings[parameter.name])


def values_of(annotation: Any) -> Sequence[Values]:
    """The Values that an annotation carries: one, or none."""
    return [part for part in get_args(annotation) if isinstance(part, Values)]
