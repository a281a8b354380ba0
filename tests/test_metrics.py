"""The measures against plain loops, scipy and cases known by construction."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gancore.metrics.coverage import REACH, arc_coverage, distance_to_arcs, moons_measures, rarer_share
from gancore.metrics.two_sample import energy_distance
from gancore.mixtures import Moons

MOONS = Moons()
COORDINATES = st.lists(st.floats(-3, 3), min_size=2, max_size=8)


def drawn(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def energy_distance_by_loops(x, reference):
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| of one run, pair by pair."""
    n, m = len(x), len(reference)
    between = sum(float((a - b).norm()) for a in x for b in reference) / (n * m)
    within = sum(float((x[i] - x[j]).norm()) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return 2 * between - within - sum(float((a - b).norm()) for a in reference for b in reference) / m**2


@pytest.mark.parametrize("dimensions", [1, 2, 5])
def test_the_energy_distance_equals_a_double_loop_run_by_run(dimensions):
    x, reference = drawn(3, 7, dimensions), drawn(11, dimensions, seed=1)
    found = energy_distance(x, reference)
    assert found.tolist() == pytest.approx([energy_distance_by_loops(run, reference) for run in x], abs=1e-12)


@given(x=COORDINATES, reference=COORDINATES)
def test_the_energy_distance_is_scipys_squared_but_for_the_pairs_with_themselves(x, reference):
    x, reference = np.array(x), np.array(reference)
    n, within = len(x), np.abs(x[:, None] - x).mean()
    found = energy_distance(torch.from_numpy(x)[None, :, None], torch.from_numpy(reference)[:, None]).item()
    own_pairs = within * n / (n - 1) - within
    assert found == pytest.approx(stats.energy_distance(x, reference) ** 2 - own_pairs, abs=1e-9)


def test_the_energy_distance_of_samples_of_the_reference_is_zero_on_average():
    reference = MOONS.along(250).double()
    picks = np.random.default_rng(0).integers(500, size=(1000, 10))
    found = energy_distance(reference[torch.from_numpy(picks)], reference).numpy()
    assert stats.ttest_1samp(found, 0).pvalue > 0.01
    assert abs(found.mean()) < 0.01 < found.std()


def test_the_energy_distance_of_single_precision_samples_is_right_even_when_collapsed():
    reference = MOONS.along(250)
    x = drawn(2, 300, 2).float() * 1e-3 + torch.tensor([1.0, -0.5])
    single, double = energy_distance(x, reference), energy_distance(x.double(), reference.double())
    assert torch.allclose(single.double(), double, atol=1e-4)


def test_the_energy_distance_grows_as_a_sample_moves_away():
    shifts = torch.tensor([0.0, 0.5, 1.0, 2.0])
    x = MOONS.along(100).expand(4, -1, -1) + shifts[:, None, None]
    found = energy_distance(x, MOONS.along(250))
    assert (found.diff() > 0).all() and found[0].abs() < 0.01


def test_the_arcs_are_covered_by_themselves_and_half_by_one_of_them():
    upper, lower = MOONS.along(200).split(200)
    x = torch.stack([torch.cat([upper, lower]), torch.cat([upper, upper]), torch.cat([lower, lower])])
    assert arc_coverage(x, MOONS).tolist() == [1.0, 0.5, 0.5]


@given(position=st.floats(0.2, 0.8))
def test_one_point_covers_its_own_reach_of_an_arc(position):
    angle = np.pi * position
    point = torch.tensor([[[np.cos(angle), np.sin(angle)]]], dtype=torch.float64)
    half_angle = 2 * np.arcsin(REACH / 2)
    assert arc_coverage(point, MOONS).item() == pytest.approx(2 * half_angle / (2 * np.pi), abs=0.01)


def test_points_far_from_the_arcs_cover_nothing():
    assert arc_coverage(torch.full((2, 50, 2), 9.0), MOONS).tolist() == [0.0, 0.0]


@given(upper=st.integers(0, 30), lower=st.integers(0, 30))
def test_the_rarer_share_counts_the_points_of_the_rarer_arc(upper, lower):
    if upper + lower:
        arcs = MOONS.along(30).split(30)
        x = torch.cat([arcs[0][:upper], arcs[1][:lower]])[None]
        assert rarer_share(x, MOONS).item() == pytest.approx(min(upper, lower) / (upper + lower))


@given(distance=st.floats(0, 0.2))
def test_points_moved_off_the_arcs_are_as_far_as_they_were_moved(distance):
    centres = torch.tensor(MOONS.centres).repeat_interleave(40, 0)
    outwards = centres + (MOONS.along(40) - centres) * (1 + distance)
    x = torch.stack([outwards, MOONS.along(40)])
    assert distance_to_arcs(x, MOONS).tolist() == pytest.approx([distance, 0], abs=1e-6)


def test_the_moons_measures_are_the_functions_of_the_same_names_run_by_run():
    x = drawn(4, 100, 2).float()
    together = moons_measures(x, MOONS)
    assert set(together) == {"energy_distance", "arc_coverage", "rarer_share", "distance_to_arcs"}
    for run in range(4):
        for name, alone in moons_measures(x[run : run + 1], MOONS).items():
            assert together[name][run].item() == pytest.approx(alone.item(), abs=1e-5)
