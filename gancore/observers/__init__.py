"""What is watched while a population trains, as a recipe's `observe` asks for it.

An entry of `observe` names a kind of observer and its settings: so many `times` evenly spaced, or
`at` given steps. Kinds with the same clock are observed at the same steps.
"""

from collections.abc import Mapping
from typing import Any

from gancore.choices import choose
from gancore.errors import StudyError
from gancore.observers import classes, pairs, pictures, planes, points, spaces
from gancore.observers.clocks import moments
from gancore.train import Observer, Population

ROOMS = (points, planes, pictures, pairs, classes, spaces)
KINDS = {kind: measure for room in ROOMS for kind, measure in room.KINDS.items()}
CLOCKS = {kind: clock for room in ROOMS for kind, clock in room.CLOCKS.items()}
# Dimensions of what is stored; what is not named here is a number a run and step.
DIMENSIONS = {name: dimensions for room in ROOMS for name, dimensions in room.DIMENSIONS.items()}


def observers(recipe: Mapping[str, Any], runs: Population) -> dict[str, Observer]:
    """The recipe's observers, by kind.

    Raises StudyError for an unknown kind, and for kinds of the same clock at different steps.
    """
    found, clocks = {}, {}
    for kind, spec in recipe["observe"].items():
        measure = choose(KINDS, kind, "kind of observation")(recipe, runs, spec)
        at = moments(recipe["steps"], spec)
        other, its = clocks.setdefault(CLOCKS[kind], (kind, at))
        if at != its:
            raise StudyError(f"{other} and {kind} share the clock {CLOCKS[kind]!r}: observe them at the same steps")
        found[kind] = Observer(at, measure)
    return found
