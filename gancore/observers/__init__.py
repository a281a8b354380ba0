"""What is watched while a population trains, as a recipe's `observe` asks for it.

An entry of `observe` names a kind of observer, when it looks, and its settings: so many `times` evenly spaced,
or `at` given steps. Kinds with the same clock are observed at the same steps. A kind's settings are those
in the signature of its function.

A kind is a function that gives a `Measure`, entered in the KINDS of its room with its clock and with a description of
every quantity that it gives.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gancore.choices import choose
from gancore.errors import StudyError
from gancore.metrics import MEASURES
from gancore.metrics.described import Quantity
from gancore.metrics.finite import all_finite, blanked
from gancore.observers import (
    classes,
    flows,
    lines,
    pairs,
    pictures,
    planes,
    points,
    realism,
    representation,
    segments,
    spaces,
)
from gancore.observers.clocks import CLOCK, check_clock, moments
from gancore.observers.kinds import Kind
from gancore.training.loop import LOSS_CLOCK, Earlier, Measure, Observer
from gancore.training.population import Population
from gancore.values import DICTIONARY, check_settings

ROOMS = (points, lines, planes, flows, pictures, pairs, segments, classes, realism, spaces, representation)
KINDS: dict[str, Kind] = {name: kind for room in ROOMS for name, kind in room.KINDS.items()}


def observers(observe: Mapping[str, Any], steps: int, runs: Population) -> dict[str, Observer]:
    """What `observe` asks for of a training of so many steps, by kind; whether a recipe has made the runs or not.

    Raises StudyError as `check_observe` does, and where a kind needs what the game or the target does not have.
    """
    check_observe(observe, steps)
    watching = {}
    for name, spec in observe.items():
        at = moments(steps, spec)
        measure = KINDS[name].made(runs, at, _settings(spec))
        watching[name] = Observer(at, _while_finite(_as_described(measure, name), runs))
    return watching


def check_observe(observe: Mapping[str, Any], steps: int) -> None:
    """Raises StudyError for an unknown kind or setting, and for kinds of the same clock at different steps."""
    clocks = {}
    for name, spec in DICTIONARY.check("observe", observe).items():
        kind = choose(KINDS, name, "kind of observation")
        check_settings(kind.measure, len(kind.given), spec, name, beside=CLOCK)
        check_clock(steps, spec, name)
        at = moments(steps, spec)
        other, its = clocks.setdefault(kind.clock, (name, at))
        if at != its:
            raise StudyError(f"{other} and {name} share the clock {kind.clock!r}: observe them at the same steps")


def quantities_of(kind: str) -> dict[str, Quantity]:
    """What a kind of observation may give, by name; `measures` those of all MEASURES."""
    families = MEASURES.values() if kind == "measures" else ()
    measured = {name: quantity for family in families for name, quantity in family.quantities.items()}
    return {**KINDS[kind].quantities, **measured}


def described() -> dict[str, tuple[str, Quantity]]:
    """Every quantity that can be observed, by name, with its clock."""
    return {name: (kind.clock, found) for key, kind in KINDS.items() for name, found in quantities_of(key).items()}


def clocks() -> set[str]:
    """Whatever counts steps in stored runs."""
    return {LOSS_CLOCK, *(kind.clock for kind in KINDS.values())}


def _as_described(measure: Measure, kind: str) -> Measure:
    """The measure; StudyError at its first observation, before anything is lost, where a quantity is not described."""
    known = quantities_of(kind)

    def measured(earlier: Earlier) -> Mapping[str, Tensor]:
        found = measure(earlier)
        for name, value in found.items():
            if name.startswith("_"):
                continue
            axes = choose(known, name, f"quantity of {kind}").dimensions
            if value.dim() != 1 + len(axes):
                raise StudyError(f"{name} of {kind} is {tuple(value.shape)}: described are {('runs', *axes)}")
        return found

    return measured


def _while_finite(measure: Measure, runs: Population) -> Measure:
    """The measure, NaN for the runs of which a player has a parameter that is not finite: they have diverged."""

    def measured(earlier: Earlier) -> Mapping[str, Tensor]:
        parameters = [p.detach() for optimiser in runs.optimisers.values() for p in optimiser.parameters]
        return blanked(measure(earlier), torch.stack([all_finite(p) for p in parameters]).all(0))

    return measured


def _settings(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {setting: value for setting, value in spec.items() if setting not in CLOCK}
