"""Uniform noise and perfect samplers through the measures, against closed forms."""

import math

import pytest
import torch

from gancore.data.images import CLASSES
from gancore.metrics.yardsticks import perfect_sampler, uniform_noise

POINTS = 2_500
RING = {"name": "ring", "modes": 8, "deviation": 0.01}
GRID = {"name": "grid", "side": 5, "spacing": 2, "deviation": 0.05}
WHEEL = {"name": "wheel", "modes": 8, "deviation": 0.01, "hub": 0.9}


@pytest.mark.parametrize(("target", "modes", "side"), [(RING, 8, 3), (GRID, 25, 12)], ids=["ring", "grid"])
def test_uniform_noise_captures_as_many_modes_as_its_density_says(target, modes, side):
    """A disc of three deviations is missed by all points with probability (1 - area / box)^n."""
    area = math.pi * (3 * target["deviation"]) ** 2
    expected = modes * (1 - (1 - area / side**2) ** POINTS)
    found = uniform_noise(target, POINTS)["captured"]
    assert found.mean().item() == pytest.approx(expected, abs=4 * found.std().item() / len(found) ** 0.5)
    assert expected > modes / 2  # which is why it is a yardstick


@pytest.mark.parametrize("target", [RING, GRID, WHEEL], ids=lambda target: target["name"])
def test_noise_holds_no_mode_in_any_draw_and_a_perfect_sampler_all_of_them_in_every_draw(target):
    noise, perfect = uniform_noise(target, POINTS), perfect_sampler(target, POINTS)
    assert not noise["held"].any()
    assert (perfect["held"] == perfect["captured"]).all() and perfect["held"].min() == perfect["held"].max() >= 8
    assert perfect["high_quality"].mean().item() == pytest.approx(1 - math.exp(-4.5), abs=0.002)


def test_the_yardsticks_are_the_same_numbers_each_time():
    for measure in (uniform_noise, perfect_sampler):
        first, second = (measure(RING, 100, draws=3) for _ in range(2))
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_noise_on_moons_lies_off_the_arcs_and_balanced():
    target = {"name": "moons", "points": None}
    noise, perfect = uniform_noise(target, 500), perfect_sampler(target, 500)
    assert perfect["distance_to_arcs"].max() < 1e-3 < 0.1 < noise["distance_to_arcs"].min()
    assert noise["rarer_share"].min() > 0.4


def test_noise_of_images_takes_no_data_and_is_one_class_or_few_to_the_judge(monkeypatch, tmp_path):
    monkeypatch.setenv("GANCORE_DATA", str(tmp_path))
    found = uniform_noise({"name": "pictures", "images": "mnist"}, 100, draws=2)
    assert (found["classes"] < CLASSES / 2).all()
    assert not list(tmp_path.iterdir())
