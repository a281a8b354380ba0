"""Stored results against the code as it is: their first steps are trained again and compared."""

import json

import numpy as np
import pytest
import torch

from gancore.files import ROOT
from gancore.images import Missing
from gancore.recipes import population
from gancore.results import read
from gancore.sweeps import axes, cells
from gancore.train import FIRST_STEPS, train

STORED = sorted((ROOT / "data" / "results").glob("[0-9][0-9]/*.nc"))
# Rounding differs between processors, and the games amplify it: 1e-4 after 20 steps is generous.
TOLERANCE = 1e-4
# Where a game amplifies more than that, it must be within so many times what a nudge of the weights' last bits becomes.
NUDGE, TIMES = 2.0**-22, 10


def first_losses(recipe, seeds, nudge=0.0):
    """The losses of the first steps, (R, steps, players), from weights that are larger by the share `nudge`."""
    runs = population(recipe, seeds, torch.device("cpu"))
    for network in runs.game.players.values():
        for parameter in network.parameters():
            parameter.data *= 1 + nudge
    return np.stack([losses.numpy() for losses in train(runs, FIRST_STEPS).first_losses], 1)


def same_but_for_rounding(recipe, seeds, expected):
    """Whether training the first steps again gives the expected losses, as far as rounding lets it."""
    found = first_losses(recipe, seeds)
    assert found.size == expected.size
    gap, allowed = gaps(found, expected.reshape(found.shape)), TOLERANCE * (1 + abs(np.nan_to_num(found)))
    if (gap > allowed).any():
        grown = gaps(first_losses(recipe, seeds, NUDGE), found).max((0, 2), keepdims=True)
        allowed = allowed + TIMES * np.maximum.accumulate(np.where(np.isfinite(grown), grown, 0), 1)
    return bool((gap <= allowed).all())


def gaps(a, b):
    """|a - b|: 0 where both have diverged alike, infinite where only one has."""
    alike = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        return np.where(alike, 0, np.nan_to_num(abs(a - b), nan=np.inf))


def stored_losses(path):
    """A stored file's recipe, its first seeds, and their losses in the recipe's order of axes."""
    stored = read(path)
    recipe = json.loads(stored.attrs["recipe"])
    seeds = [int(seed) for seed in stored.seed.values[: max(1, 8 // cells(recipe))]]
    # A stored recipe's keys are sorted, so its sweep may be trained in another order of axes.
    order = ("seed", *axes(recipe), "first_step", "player")
    return recipe, seeds, stored.first_losses.sel(seed=seeds).transpose(*order).values


def test_there_are_stored_results_to_replay():
    assert STORED


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_first_steps_of_a_stored_run_are_what_the_code_computes_today(path):
    try:
        assert same_but_for_rounding(*stored_losses(path))
    except Missing:
        pytest.skip("these runs train on MNIST, which is not at hand")


@pytest.mark.parametrize("arm", ["guided", "Wasserstein", "equal-gradients", "gan"])
def test_a_replay_notices_a_rate_that_is_a_hundredth_off(arm):
    path = next(path for path in STORED if path.parent.name == "05" and path.name.startswith(arm))
    recipe, seeds, expected = stored_losses(path)
    recipe["players"]["generator"]["optimiser"]["rate"] *= 1.01
    try:
        assert not same_but_for_rounding(recipe, seeds, expected)
    except Missing:
        pytest.skip("these runs train on MNIST, which is not at hand")


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_run_comes_from_committed_code(path):
    provenance = json.loads(read(path).attrs["provenance"])
    assert len(provenance["commit"]) == 40 and not provenance["dirty"]
    assert {"versions", "device", "processor", "date", "seconds"} <= set(provenance)
