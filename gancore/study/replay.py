"""The first steps of runs, trained again: what a stored run's losses are held against.

Single precision rounds differently from one processor to the next, and a game may amplify that to a fifth of a loss
within FIRST_STEPS steps; in double precision the same amplification spares all but the last digits. So each stored run
has the losses of its first steps in double precision too, from the same weights and draws, which a replay on any
processor must meet.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from gancore.errors import StudyError
from gancore.parameters import require
from gancore.provenance import provenance
from gancore.recipes.build import population
from gancore.recipes.sweeps import axes
from gancore.study.results import by_cell, change_all, read, rewrite
from gancore.training.loop import FIRST_STEPS, train
from gancore.training.population import Population

DOUBLE = "first_losses_double"
CPU = torch.device("cpu")
# What rounding makes of single precision: this share of a loss, and once a game amplifies it, so many times what
# becomes of the last bits of the weights when they are nudged. Of 131 stored files 11 differ from their replay at all,
# by up to twice what the NUDGED ones do.
SHARE, TIMES = 1e-6, 4
NUDGE, NUDGED = 2.0**-22, range(6)


def first_losses(
    recipe: Mapping[str, Any],
    seeds: Sequence[int],
    dtype: torch.dtype,
    change: Callable[[Population], Any] = lambda runs: None,
) -> xr.DataArray:
    """The losses of the first steps in single or double precision, labelled as a stored run's `first_losses`.

    They are trained on the CPU wherever the runs themselves are, since that is where a replay is; `change` is done
    to the runs before. Raises StudyError as `population` does.
    """
    runs = population(recipe, seeds, CPU, dtype)
    change(runs)
    record = train(runs, min(recipe["steps"], FIRST_STEPS))
    losses = np.stack([losses.numpy() for losses in record.first_losses], 1)  # (R, steps, players)
    dims, values = by_cell(("seed", "first_step", "player"), losses, axes(recipe))
    return xr.DataArray(values, dims=dims)


def with_double_losses(runs: xr.Dataset, recipe: Mapping[str, Any], origin: Mapping[str, Any]) -> xr.Dataset:
    """The runs with DOUBLE beside their `first_losses`, with the `commit` of `origin`, and whether it was `dirty`."""
    losses = first_losses(recipe, seeds_of(runs), torch.float64).transpose(*runs.first_losses.dims)
    code = {name: origin[name] for name in ("commit", "dirty")}
    return runs.assign({DOUBLE: losses.assign_attrs(provenance=json.dumps(code, sort_keys=True))})


def seeds_of(runs: xr.Dataset) -> list[int]:
    """The seeds of stored runs."""
    return [int(seed) for seed in runs.seed]


def complete_all(results: Path, notebooks: Sequence[str]) -> None:
    """Give every stored file of these notebooks its losses in double precision, printing its name; most have them.

    Raises StudyError where the code differs from its commit, and in the end where files were left as they are.
    """
    origin = provenance(CPU)
    require(not origin["dirty"], "the code differs from its commit: commit it, as losses say where they come from")
    change_all(results, notebooks, lambda path: path if DOUBLE in read(path) else complete(path, origin))


def complete(path: Path, origin: Mapping[str, Any]) -> Path:
    """Give a stored file its losses in double precision; the new file, whose name tells its bytes.

    `origin` is the provenance of today's code. Raises StudyError, and leaves the file as it is, where that code does
    not give the file's losses in single precision on this machine, as far as rounding allows.
    """
    stored = read(path)
    recipe = json.loads(stored.attrs["recipe"])
    runs = with_double_losses(stored, recipe, origin)
    if not still_computed(recipe, runs):
        raise StudyError(f"{path.name}: today's code gives other losses, so these runs must be trained again")
    return rewrite(path, runs)


def still_computed(recipe: Mapping[str, Any], runs: xr.Dataset) -> bool:
    """Whether training in single precision here gives the runs' `first_losses`, as far as rounding allows.

    That is so where their bits are the same. Otherwise, run by run, they must lie no farther from the losses in double
    precision than SHARE and TIMES the farthest of replays here up to that step: one from the same weights, and some
    from weights whose last bits are nudged, since whether rounding is amplified at all hangs on the bits.
    """

    def replayed(change: Callable[[Population], Any]) -> np.ndarray:
        again = first_losses(recipe, seeds_of(runs), torch.float32, change)
        return again.transpose(*runs.first_losses.dims).values

    stored, exact = runs.first_losses.values, runs[DOUBLE].values
    same = replayed(lambda population: None)
    if np.array_equal(stored, same, equal_nan=True):
        return True
    others = [same, *(replayed(lambda population, seed=seed: nudge(population, seed)) for seed in NUDGED)]
    reached = np.max([np.where(np.isfinite(gap := gaps(other, exact)), gap, 0) for other in others], 0)
    reached = np.maximum.accumulate(reached.max(-1, keepdims=True), -2)  # of any player, in any step so far
    return bool((gaps(stored, exact) <= SHARE + TIMES * reached).all())


def nudge(runs: Population, seed: int) -> None:
    """Change every weight by a random share of up to NUDGE, about the last two bits."""
    generator = torch.Generator().manual_seed(seed)
    for network in runs.game.players.values():
        for weight in network.parameters():
            weight.data *= 1 + NUDGE * (2 * torch.rand(weight.shape, generator=generator) - 1)


def gaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a - b| / (1 + |b|): 0 where both have diverged alike, infinite where only one has."""
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.nan_to_num(abs(a - b) / (1 + abs(b)), nan=np.inf)
    return np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, gap)
