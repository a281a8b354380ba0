"""A discriminator over the line, against one ordinary network at the same points."""

import copy

import numpy as np
import pytest
import torch
from arms import CPU, moons, ordinary

from gancore.errors import StudyError
from gancore.observers import lines, observers
from gancore.recipes.build import population
from gancore.training.loop import train

WATCH = {"scores_on_line": {"times": 2, "half_width": 1.5, "places": 7}}


def trained(**target):
    recipe = moons(steps=6, observe=WATCH) | {"target": target}
    runs = population(recipe, [3, 8], CPU)
    return runs, train(runs, 6, list(observers(WATCH, 6, runs).values()))


def test_the_scores_on_the_line_are_those_of_the_first_runs_discriminator():
    runs, record = trained(name="line", modes=2, deviation=0.1)
    discriminator = ordinary(copy.deepcopy(runs.game.players["discriminator"]), 0, "tanh")
    x = torch.linspace(-1.5, 1.5, 7).double()[:, None]
    found = record.observed["scores_on_line"]
    assert [tuple(scores.shape) for scores in found] == [(1, 7)] * 3
    assert torch.allclose(found[-1][0].double(), discriminator(x)[:, 0], atol=1e-5)


def test_the_places_of_a_line_are_evenly_spaced_from_end_to_end():
    assert lines.line(2.0, 9).numpy()[:, 0] == pytest.approx(np.arange(-2, 2.1, 0.5))


def test_a_target_of_more_dimensions_is_refused():
    with pytest.raises(StudyError, match="has 2 dimensions: what is observed needs 1"):
        trained(name="ring", modes=2, deviation=0.1)
