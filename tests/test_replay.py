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


def test_there_are_stored_results_to_replay():
    assert STORED


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_first_steps_of_a_stored_run_are_what_the_code_computes_today(path):
    stored = read(path)
    recipe = json.loads(stored.attrs["recipe"])
    seeds = [int(seed) for seed in stored.seed.values[: max(1, 8 // cells(recipe))]]
    try:
        runs = population(recipe, seeds, torch.device("cpu"))
    except Missing:
        pytest.skip("these runs train on MNIST, which is not at hand")
    replayed = np.stack([losses.numpy() for losses in train(runs, FIRST_STEPS).first_losses], 1)
    # A stored recipe's keys are sorted, so its sweep may be trained in another order of axes.
    order = ("seed", *axes(recipe), "first_step", "player")
    expected = stored.first_losses.sel(seed=seeds).transpose(*order).values
    assert replayed.size == expected.size
    np.testing.assert_allclose(replayed, expected.reshape(replayed.shape), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_run_comes_from_committed_code(path):
    provenance = json.loads(read(path).attrs["provenance"])
    assert len(provenance["commit"]) == 40 and not provenance["dirty"]
    assert {"versions", "device", "processor", "date", "seconds"} <= set(provenance)
