"""The guide for mixtures against scipy's densities and the moments of points that are drawn."""

import numpy as np
import pytest
import torch
from arms import CPU, player
from scipy.stats import multivariate_normal

from gancore.data.mixtures import Line, Ring, Wheel
from gancore.errors import StudyError
from gancore.judges.guide import class_moments
from gancore.judges.posterior import posterior_of
from gancore.recipes.build import population
from gancore.training.loop import train

ADAM = {"name": "adam", "rate": 0.01, "beta1": 0.5}
SECTIONED = {"name": "sectioned", "classes": 2, "noise": 6}
MIXTURES = [Line(modes=3, deviation=0.2), Ring(modes=5, deviation=0.3), Wheel(modes=4, deviation=0.2, hub=0.7)]


def guided_on_a_line(**more):
    """A guided game between two clusters; `more` replaces or adds whole entries."""
    networks = {"generator": player([8], "tanh", ADAM), "discriminator": player([8], "tanh", ADAM)}
    return {
        "game": "guided",
        "target": {"name": "line", "modes": 2, "deviation": 0.05},
        "latent": SECTIONED,
        "guidance": {"deviation": 0.5, "weights": {"adversarial": 1.0, "classification": 1.0, "statistics": 1.0}},
        "batch": 16,
        "players": networks,
        "objective": "non_saturating",
        "steps": 6,
        "observe": {},
    } | more


@pytest.mark.parametrize("target", MIXTURES, ids=str)
def test_the_posterior_is_that_of_gaussian_densities(target):
    guide, _ = posterior_of(target, 0.4)
    x = torch.randn(40, target.dimensions, generator=torch.Generator().manual_seed(0))
    densities = np.stack(
        [
            weight * multivariate_normal(mean.numpy(), 0.4**2 * np.eye(target.dimensions)).pdf(x.numpy())
            for mean, weight in zip(target.means(), target.weights().numpy(), strict=True)
        ]
    ).T
    expected = densities / densities.sum(1, keepdims=True)
    assert guide(x).softmax(-1).numpy() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("target", MIXTURES, ids=str)
def test_the_moments_are_those_of_points_that_are_drawn(target):
    guide, real = posterior_of(target, 0.4)
    x = torch.from_numpy(target.draw(200_000)(np.random.default_rng(0), 1)[0])
    assert real.unit.numpy() == pytest.approx(x.std(0).numpy(), rel=0.01)
    means = target.means().repeat_interleave(20_000, 0)
    noise = torch.randn(means.shape, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(len(target.means())).repeat_interleave(20_000)
    drawn = class_moments((means + target.deviation * noise) / real.unit, labels, len(target.means()))
    assert guide.features(x) is x
    assert real.moments.mean.numpy() == pytest.approx(drawn.mean.numpy(), abs=0.02)
    assert real.moments.variance.numpy() == pytest.approx(drawn.variance.numpy(), rel=0.05)


def test_a_generator_on_a_line_is_guided_to_the_clusters_that_it_is_asked_for():
    recipe = guided_on_a_line(steps=300)
    runs = population(recipe, [0, 1], CPU)
    assert (train(runs, 300).diverged == -1).all()
    fake = runs.game.batch(*runs.draw(0)).fake.detach()
    asked = runs.draw(0)[1][..., :2].argmax(-1)
    assert ((fake[..., 0] > 0).long() == asked).float().mean() > 0.95


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"latent": {"name": "sectioned", "classes": 10, "noise": 20}},
            "classes of the latents = 10: allowed is a whole number from 2 to 2",
        ),
        ({"batch": 3}, "batch size 3 for 2 classes: allowed is two a class or more"),
        ({"guidance": {"deviation": 0, "weights": {"adversarial": 1.0}}}, "deviation of the guidance = 0"),
        ({"guidance": {"images": "mnist", "weights": {"adversarial": 1.0}}}, "'images' is unknown in the guidance"),
    ],
)
def test_what_a_guide_of_points_cannot_be_is_said(change, sentence):
    with pytest.raises(StudyError, match=sentence):
        population(guided_on_a_line(**change), [0], CPU)
