"""Stored runs whose recipe said `until` in updates, from before it counted steps, put under the recipe of today.

Where a player has several turns in a step, a rate that falls until the last of 8,000 steps was written as 40,000.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gancore.errors import StudyError
from gancore.recipes.changed import changed
from gancore.study.replay import DOUBLE, first_losses, seeds_of
from gancore.study.results import Store, change_all, provenance_of, read

CLOSE = 1e-9  # of a loss in double precision: what a replay must meet


def in_steps(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe that says in steps what this one says in updates."""
    places = {}
    for player, turns in recipe.get("turns", {}).items():
        until = recipe["players"][player]["optimiser"].get("until")
        if until is not None and until % turns == 0:
            places[f"players.{player}.optimiser.until"] = until // turns
    return changed(recipe, places)


def move_all(results: Path, notebooks: Sequence[str]) -> None:
    """Put every stored file of these notebooks that says updates under the recipe that says steps, printing its name.

    Raises StudyError in the end where a file is met by neither; such files are left as they are.
    """
    change_all(results, notebooks, move)


def move(path: Path) -> Path:
    """Put a stored file under the recipe whose first losses are its own, today's code asked; the file as it then is.

    Raises StudyError where neither the recipe as it stands nor the one in steps gives them.
    """
    runs = read(path)
    recipe = json.loads(runs.attrs["recipe"])
    new = in_steps(recipe)
    if new == recipe or _gives(recipe, runs):
        return path
    if not _gives(new, runs):
        raise StudyError(f"{path.name}: its losses are neither those of its recipe nor of one that counts steps")
    (origin,) = provenance_of(runs)
    moved = Store(path.parent).add(runs.attrs["arm"], new, runs, origin)
    path.unlink()
    return moved


def _gives(recipe: Mapping[str, Any], runs: Any) -> bool:
    losses = first_losses(recipe, seeds_of(runs), torch.float64).transpose(*runs[DOUBLE].dims)
    return bool(np.allclose(losses.values, runs[DOUBLE].values, rtol=CLOSE, atol=CLOSE, equal_nan=True))
