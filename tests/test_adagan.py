"""AdaGAN: the weights of its points against a root finder and a linear scan, and its mixture against its parts."""

import numpy as np
import pytest
import torch
from arms import ADAM, CPU, bigan, moons
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from torch.testing import assert_close

from gancore.errors import StudyError
from gancore.nets.weighted import Weighted
from gancore.recipes.build import population
from gancore.remedies.adagan import next_weights
from gancore.training.loop import train

RATIOS = st.lists(st.floats(0, 50), min_size=1, max_size=30)
ADAGAN = {"name": "adagan", "components": 3, "steps": 5, "points": 40, "classifier_steps": 2}


def runs_with(seeds=(3, 4), **settings):
    recipe = moons(optimiser=ADAM) | {"remedies": [ADAGAN | settings]}
    return population(recipe, seeds, CPU, torch.float64)


@given(RATIOS, st.floats(0.05, 1))
def test_weights_are_the_positive_part_below_the_threshold_that_makes_them_sum_to_one(ratios, share):
    ratio = np.array(ratios)

    def excess(threshold):
        return np.maximum(threshold - (1 - share) * ratio, 0).sum() / (len(ratio) * share) - 1

    threshold = brentq(excess, 0, (1 - share) * ratio.max() + len(ratio) * share + 1, xtol=1e-13)
    expected = np.maximum(threshold - (1 - share) * ratio, 0) / (len(ratio) * share)
    found = next_weights(torch.tensor([ratios], dtype=torch.float64), share)[0]
    assert_close(found, torch.tensor(expected), rtol=1e-8, atol=1e-9)
    assert found.sum().item() == pytest.approx(1)


def test_points_that_the_mixture_draws_too_often_are_left_out_and_infinite_ratios_do_no_harm():
    found = next_weights(torch.tensor([[0.0, 0.0, 9.0, torch.inf]]), 0.5)
    assert found.tolist() == [[0.5, 0.5, 0, 0]]


def test_the_mixture_is_every_component_as_its_training_ended_and_the_one_in_training():
    runs, ended = runs_with(), []
    for end in (5, 10, 14):
        train_until(runs, end)
        ended.append([p.detach().clone() for p in runs.game.generator.parameters()])
    z = runs.draw(0)[1]
    shown = runs.network("generator")(z)
    for component, weights in enumerate(ended):
        alone = Weighted(runs.game.generator, weights)(z)
        assert_close(shown[:, component::3], alone[:, component::3])


def train_until(runs, end):
    """Train on, from the step that so many trainings have reached, and not beyond its pause."""
    for step in range(getattr(runs, "made", 0), end):
        runs.remedies.between(runs, step)
        runs.move(*runs.draw(step))
    runs.made = end


def test_a_batch_holds_training_points_of_positive_weight_alone():
    runs = runs_with(seeds=range(20))
    (adagan,) = runs.remedies
    adagan.weighs.zero_()[:, 7:9] = 0.5
    real, _, _, chance = runs.draw(0)
    drawn = runs.remedies.drawn(real, {adagan: chance})
    either = torch.stack([(drawn == adagan.known[:, i : i + 1]).all(2) for i in (7, 8)])
    assert either.any(0).all()
    assert abs(either[0].double().mean() - 0.5) < 4 * 0.5 / (20 * 32) ** 0.5


def test_the_points_that_a_mixture_misses_weigh_most():
    """A first component that draws a single point: what lies around it hardly counts for the second."""
    recipe = moons(optimiser=ADAM, points=None) | {
        "remedies": [ADAGAN | {"steps": 1, "points": 200, "classifier_steps": 400}]
    }
    runs = population(recipe, [0, 1], CPU)
    with torch.no_grad():
        for weight in runs.game.generator.parameters():
            weight.zero_()
        runs.game.generator[-1].bias.copy_(torch.tensor([0.0, 1.0])[:, None])
    (adagan,) = runs.remedies
    runs.remedies.between(runs, 1)
    distances = (adagan.known - torch.tensor([0.0, 1.0])).norm(dim=2)
    for run in range(2):
        near, far = (adagan.weighs[run, which] for which in (distances[run] < 0.15, distances[run] > 0.5))
        assert near.mean() < 0.3 * far.mean()


def test_the_last_component_is_trained_to_the_end():
    runs = runs_with()
    train(runs, 40)
    (adagan,) = runs.remedies
    assert adagan.done.tolist() == [2, 2]


def test_a_game_whose_discriminator_sees_pairs_is_refused():
    with pytest.raises(StudyError, match="adagan asks a discriminator about single points"):
        population(bigan() | {"remedies": [ADAGAN]}, [0], CPU)
    with pytest.raises(StudyError, match="single points"):
        population(moons() | {"remedies": [ADAGAN, {"name": "packing", "size": 2}]}, [0], CPU)
