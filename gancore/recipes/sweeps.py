"""Hyperparameters that differ from run to run: a grid of cells trained as one population.

A recipe's `sweep` names its axes, each with the places in the recipe that it sets and their values:
`{"penalty": {"sets": ["penalties.0.weight"], "values": [0, 0.1, 1]}}`. Every seed is trained in every
cell, with the same initial weights and the same noise. Runs are ordered seed by seed, and within a
seed cell by cell, the last axis fastest.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

from gancore.errors import StudyError

# The places whose value may differ from run to run; elsewhere a list would mean something else.
PER_RUN = re.compile(
    r"players\.\w+\.optimiser\.(rate|momentum|beta1)|penalties\.\d+\.weight|reconstruction|margin|guidance\.weights\.\w+"
    r"|classification\.\w+|remedies\.\d+\.(weight|share|adversarial)"
)


def axes(recipe: Mapping[str, Any]) -> dict[str, list[float]]:
    """The sweep's axes and their values; none where nothing is swept."""
    return {name: list(axis["values"]) for name, axis in recipe.get("sweep", {}).items()}


def cells(recipe: Mapping[str, Any]) -> int:
    """How many cells a seed is trained in."""
    return prod(len(values) for values in axes(recipe).values())


def spread(recipe: Mapping[str, Any], seeds: Sequence[int]) -> tuple[dict[str, Any], list[int]]:
    """The recipe with a value for each run wherever the sweep sets one, and each run's seed.

    Raises StudyError where the sweep sets a place that the recipe does not have, or that cannot
    differ from run to run.
    """
    grid = list(itertools.product(*axes(recipe).values()))
    # By way of JSON, so that players written with one dictionary do not share what the sweep sets in it.
    flat = json.loads(json.dumps({key: value for key, value in recipe.items() if key != "sweep"}))
    for number, axis in enumerate(recipe.get("sweep", {}).values()):
        for place in axis["sets"]:
            _put(flat, place, [cell[number] for cell in grid] * len(seeds))
    return flat, [seed for seed in seeds for _ in grid]


def singly(recipe: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The recipe without its sweep, then with each value of each axis put alone into its places.

    Raises StudyError as `spread` does.
    """
    flat = {key: value for key, value in recipe.items() if key != "sweep"}
    yield flat
    for axis in recipe.get("sweep", {}).values():
        for value in axis["values"]:
            changed = json.loads(json.dumps(flat))
            for place in axis["sets"]:
                _put(changed, place, value)
            yield changed


def _put(recipe: dict[str, Any], place: str, value: Any) -> None:
    *path, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    try:
        holder = recipe
        for part in path:
            holder = holder[part]
        holder[last]  # what is not there cannot be swept
        holder[last] = value
    except (KeyError, IndexError, TypeError) as error:
        raise StudyError(f"the sweep sets {place!r}, which the recipe does not have") from error
    if not PER_RUN.fullmatch(place):
        allowed = (
            "an optimiser's rate, momentum and beta1, the weights of penalties, reconstruction, guidance and "
            "classification, a margin, and the weights and shares of remedies"
        )
        raise StudyError(f"the sweep sets {place!r}, which is the same for all runs: allowed are {allowed}")
