"""What is watched while a population trains, as a recipe's `observe` asks for it.

An entry of `observe` names a kind of observer, when it looks, and its settings: so many `times` evenly spaced,
or `at` given steps. Kinds with the same clock are observed at the same steps. A kind's settings are those
in the signature of its function.

A kind is a function that gives a `Measure`, entered in the KINDS of its room with its clock in CLOCKS, and with the
dimensions of what it observes in DIMENSIONS where that is more than a number a run and step.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gancore.choices import choose
from gancore.errors import StudyError
from gancore.metrics.finite import all_finite, blanked
from gancore.observers import classes, pairs, pictures, planes, points, spaces
from gancore.observers.clocks import CLOCK, check_clock, moments
from gancore.training.loop import Earlier, Measure, Observer, Population
from gancore.values import DICTIONARY, check_settings

ROOMS = (points, planes, pictures, pairs, classes, spaces)
KINDS = {kind: measure for room in ROOMS for kind, measure in room.KINDS.items()}
CLOCKS = {kind: clock for room in ROOMS for kind, clock in room.CLOCKS.items()}
# Dimensions of what is stored; what is not named here is a number a run and step.
DIMENSIONS = {name: dimensions for room in ROOMS for name, dimensions in room.DIMENSIONS.items()}


def observers(recipe: Mapping[str, Any], runs: Population) -> dict[str, Observer]:
    """The recipe's observers, by kind.

    Raises StudyError as `check_observe` does, and where a kind needs what the game or the target does not have.
    """
    check_observe(recipe)
    return {
        kind: Observer(
            moments(recipe["steps"], spec), _while_finite(KINDS[kind](recipe, runs, **_settings(spec)), runs)
        )
        for kind, spec in recipe["observe"].items()
    }


def check_observe(recipe: Mapping[str, Any]) -> None:
    """Raises StudyError for an unknown kind or setting, and for kinds of the same clock at different steps."""
    clocks = {}
    for kind, spec in DICTIONARY.check("observe", recipe["observe"]).items():
        function = choose(KINDS, kind, "kind of observation")
        check_settings(function, 2, spec, kind, beside=CLOCK)
        check_clock(recipe["steps"], spec, kind)
        at = moments(recipe["steps"], spec)
        other, its = clocks.setdefault(CLOCKS[kind], (kind, at))
        if at != its:
            raise StudyError(f"{other} and {kind} share the clock {CLOCKS[kind]!r}: observe them at the same steps")


def _while_finite(measure: Measure, runs: Population) -> Measure:
    """The measure, NaN for the runs of which a player has a parameter that is not finite: they have diverged."""

    def measured(earlier: Earlier) -> Mapping[str, Tensor]:
        parameters = [p.detach() for optimiser in runs.optimisers.values() for p in optimiser.parameters]
        return blanked(measure(earlier), torch.stack([all_finite(p) for p in parameters]).all(0))

    return measured


def _settings(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {setting: value for setting, value in spec.items() if setting not in CLOCK}
