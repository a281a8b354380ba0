"""Penalties whose weight falls, and pairs that are spared."""

import pytest
import torch
from arms import CPU, bigan, moons
from torch.testing import assert_close

from gancore.annealing import STAIRS, Falling
from gancore.errors import StudyError
from gancore.penalties import Penalty, pairwise
from gancore.recipes.build import population
from gancore.recipes.checks import check
from gancore.training.loop import train

PGP = {"name": "pairwise", "weight": 0.5}


def test_the_weight_falls_in_even_stairs_and_stays_at_0():
    penalty = Falling(lambda discriminator, batch: batch.value, torch.tensor(2.0), falls=32)
    expected = [1 - k // 2 / STAIRS for k in range(32)] + [0.0] * 5
    assert [penalty.due(turn) for turn in range(37)] == expected
    every = Falling(penalty.function, penalty.weight, every=4, falls=32)
    assert [every.due(turn) for turn in range(37)] == [p * (k % 4 == 0) for k, p in enumerate(expected)]


class Shown:
    def __init__(self, turn):
        self.turn, self.value = turn, torch.tensor([3.0])


@pytest.mark.parametrize(("turn", "left"), [(0, 1), (49, 0.5), (50, 0.5), (99, 1 / 16), (100, 0), (1000, 0)])
def test_what_is_left_multiplies_the_penalty(turn, left):
    usual, falling = (
        Penalty(lambda d, b: b.value, torch.tensor(2.0)),
        Falling(lambda d, b: b.value, torch.tensor(2.0), falls=100),
    )
    assert_close(falling(None, Shown(turn)), (left + (0.0625 if turn == 49 else 0)) * usual(None, Shown(turn)))


def test_a_recipe_counts_steps_and_a_training_without_weight_left_is_a_plain_one():
    recipe = moons(points=None, steps=6) | {"turns": {"discriminator": 2}}
    falls = population(recipe | {"penalties": [{"name": "r1", "weight": 1.0, "falls": 4}]}, [3], CPU)
    assert falls.game.penalties[0].falls == 8
    assert falls.due(0) == (1.0, 1 - 2 / STAIRS) and falls.due(4) == (0.0, 0.0)


def test_a_training_with_a_falling_weight_resumes_with_the_same_bits(tmp_path):
    recipe = bigan(penalties=[PGP | {"falls": 12}])
    whole, halves = population(recipe, [3], CPU), population(recipe, [3], CPU)
    train(whole, 20)
    train(halves, 7, checkpoint=tmp_path / "half.pt", every_seconds=0)
    again = population(recipe, [3], CPU)
    train(again, 20, checkpoint=tmp_path / "half.pt", every_seconds=0)
    for a, b in zip(whole.state(), again.state(), strict=True):
        assert torch.equal(a, b)


def test_pairs_no_farther_apart_than_the_data_are_wide_are_spared():
    x = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [0.3, 0.4]]], dtype=torch.float64)
    x_hat, epsilon = torch.zeros_like(x), torch.full((1, 3, 1), 0.5, dtype=torch.float64)
    slope = torch.tensor([1.0, 2.0], dtype=torch.float64)

    def plane(x, z):
        return (x * slope).sum(2, keepdim=True)

    far, near = ((slope - torch.tensor([0.6, 0.8])).square().sum().item() for _ in range(2))
    for beyond, expected in ((0.0, (far + near) / 3), (1.0, far / 3), (0.5, far / 3), (6.0, 0.0)):
        found = pairwise(plane, x, x[..., :1], x_hat, epsilon, beyond)
        assert found.tolist() == pytest.approx([expected], rel=1e-6)


@pytest.mark.parametrize(
    ("penalty", "sentence"),
    [
        (PGP | {"beyond": -1}, "beyond of the penalty 'pairwise' = -1: allowed is a number from 0"),
        (PGP | {"falls": 0}, "falls of the penalty 'pairwise' = 0: allowed is a whole number from 1 up"),
        ({"name": "pairwise"}, "'weight' is missing from a penalty: allowed are beyond, every, falls, name, start, s"),
        ({"weight": 1.0}, "'name' is missing from a penalty"),
    ],
)
def test_a_penalty_that_cannot_be_meant_is_refused(penalty, sentence):
    with pytest.raises(StudyError, match=sentence.replace("(", r"\(")):
        check(bigan(penalties=[penalty]))
