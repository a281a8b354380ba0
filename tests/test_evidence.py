"""What verdicts rest on: seeds, steps and sizes as the datasets have them, half trainings, and recognised images."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from gancore.claims.rows import load_claims
from gancore.errors import StudyError
from gancore.observers.classes import EXTRACTORS, recognised
from gancore.study.evidence import first_half, rests_on, shortfalls, spans

STEPS = 100


def stored(arm="a", seeds=(0, 1, 2), steps=STEPS, commit="c0"):
    """Runs as a store would load them, observed on four clocks."""
    clock = np.arange(0, steps + 1, 10)
    moment = np.arange(0, steps + 1, 20)
    shape = len(seeds), len(moment), len(moment)
    return xr.Dataset(
        {
            "diverged": ("seed", np.full(len(seeds), -1)),
            "value": (("seed", "step"), np.arange(len(seeds) * len(clock)).reshape(len(seeds), -1)),
            "turned": (("seed", "moment", "earlier"), np.zeros(shape)),
            "plates": (("seed", "page", "image"), np.zeros((len(seeds), 2, 5))),
        },
        {"seed": list(seeds), "step": clock, "moment": moment, "page": [steps // 2, steps]},
        {"arm": arm, "recipe": json.dumps({"steps": steps}), "provenance": json.dumps({"commit": commit})},
    )


@given(st.sets(st.integers(0, 40)))
def test_spans_name_just_the_numbers_given(numbers):
    parts = [part.split("-") for part in spans(sorted(numbers)).split(", ") if part]
    named = [number for part in parts for number in range(int(part[0]), int(part[-1]) + 1)]
    assert named == sorted(numbers)
    assert len(parts) == sum(number - 1 not in numbers for number in numbers)


def test_an_arm_in_pieces_is_one_arm_with_the_seeds_and_commits_of_all_and_the_fewest_steps():
    (found,) = rests_on({"any name": [stored(seeds=(0, 1)), stored(seeds=(2, 5), steps=60, commit="c1")]})
    assert (found.arm, found.seeds, found.runs, found.steps) == ("a", [0, 1, 2, 5], 4, 60)
    assert found.commits == ["c0", "c1"]
    with pytest.raises(StudyError, match="none were given"):
        rests_on({})


def test_an_arm_that_falls_short_of_the_row_in_seeds_steps_or_sizes_is_named():
    claim = replace(load_claims()["moons-1"], seeds=3, steps=STEPS, sizes={"image": 5})
    arms = rests_on({"a": stored(), "b": stored("b", seeds=(0, 1)), "c": stored("c", steps=90)})
    assert shortfalls(claim, arms) == ["b has 2 of 3 seeds", "c has 90 of 100 steps"]
    assert shortfalls(replace(claim, seeds=2, steps=90, sizes={"image": 6}), arms[:1]) == ["a has 5 of 6 in 'image'"]
    assert shortfalls(replace(claim, sizes={"elsewhere": 9}), arms[:1]) == []


def test_the_first_half_has_every_clock_up_to_half_of_the_steps_and_nothing_else_changed():
    runs = stored()
    half = first_half(runs)
    assert half.step.values.tolist() == [0, 10, 20, 30, 40, 50] and half.moment.values.tolist() == [0, 20, 40]
    assert half.page.values.tolist() == [50] and half.sizes["earlier"] == 3
    assert half.value.identical(runs.value.sel(step=half.step)) and half.attrs == runs.attrs


class Pixels(torch.nn.Module):
    """A reader that takes an image's ten numbers for its logits."""

    def forward(self, x):
        return x


def test_an_image_is_recognised_where_one_class_has_nine_tenths_of_the_probability(monkeypatch):
    monkeypatch.setitem(EXTRACTORS, "digits", Pixels)
    probabilities = torch.full((2, 4, 10), 0.01)
    for run, tops in enumerate(([0.91, 0.91, 0.89, 0.5], [0.95, 0.5, 0.5, 0.5])):
        for image, top in enumerate(tops):
            probabilities[run, image] = (1 - top) / 9
            probabilities[run, image, image] = top
    assert recognised("digits", probabilities.log()).tolist() == [0.5, 0.25]
    probabilities[0, 0] = torch.nan
    assert recognised("digits", probabilities.log()).tolist() == [0.25, 0.25]
