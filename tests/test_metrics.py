"""The measures against plain loops, scipy and cases known by construction."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.testing import assert_close

from gancore.data.mixtures import Grid, Line, Moons, Ring, Wheel
from gancore.data.targets import Uniform
from gancore.metrics.coverage import (
    REACH,
    arc_coverage,
    distance_to_arcs,
    member_shares,
    mixture_measures,
    moons_measures,
    off_arcs,
    rarer_share,
    reverse_kl,
)
from gancore.metrics.ranks import rank_correlation
from gancore.metrics.two_sample import energy_distance, kolmogorov_smirnov, uniform_measures

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


@given(off=st.integers(0, 40))
def test_points_moved_off_the_arcs_by_more_than_a_tenth_are_counted(off):
    centres = torch.tensor(MOONS.centres).repeat_interleave(20, 0)
    x = MOONS.along(20) + 0.0
    x[:off] = centres[:off] + (x[:off] - centres[:off]) * 1.11
    x[off:] = centres[off:] + (x[off:] - centres[off:]) * 1.09
    assert off_arcs(x[None], MOONS).item() == pytest.approx(off / 40)


def test_the_moons_measures_are_the_functions_of_the_same_names_run_by_run():
    x = drawn(4, 100, 2).float()
    together = moons_measures(x, MOONS)
    assert set(together) == {"energy_distance", "arc_coverage", "rarer_share", "distance_to_arcs", "off_arcs"}
    for run in range(4):
        for name, alone in moons_measures(x[run : run + 1], MOONS).items():
            assert together[name][run].item() == pytest.approx(alone.item(), abs=1e-5)


NUMBERS = st.lists(st.tuples(st.integers(-3, 3), st.floats(-5, 5)), min_size=3, max_size=20)


@given(pairs=NUMBERS)
def test_the_rank_correlation_is_scipys_ties_included(pairs):
    a, b = (torch.tensor(column, dtype=torch.float64) for column in zip(*pairs, strict=True))
    if len(set(a.tolist())) > 1 and len(set(b.tolist())) > 1:
        found = rank_correlation(torch.stack([a, b, a]), torch.stack([b, a, -b]))
        expected = stats.spearmanr(a, b).statistic
        assert found.tolist() == pytest.approx([expected, expected, -expected], abs=1e-12)


def test_the_rank_correlation_sees_order_alone_and_is_missing_where_one_side_is_constant(device):
    a = torch.tensor([0.1, 0.2, 0.3, 7.0], device=device)
    found = rank_correlation(torch.stack([a, a, a]), torch.stack([a.exp(), -(a**3), torch.ones_like(a)]))
    assert found[:2].tolist() == pytest.approx([1, -1]) and found[2].isnan()
    assert found.device.type == device.type and found.dtype == torch.float32


def around(means, counts, away):
    """So many points at a distance from each mean, all outwards."""
    return torch.cat([mean * (1 + away) + torch.zeros(n, 2) for mean, n in zip(means, counts, strict=True)])


@given(
    nearest=st.lists(st.lists(st.integers(0, 4), min_size=7, max_size=7), min_size=1, max_size=3),
    counts=st.lists(st.booleans(), min_size=7, max_size=7),
)
def test_a_modes_share_is_of_the_points_that_are_its_own_and_count(nearest, counts):
    found = member_shares(torch.tensor(nearest), torch.tensor([counts] * len(nearest)), 5)
    expected = [[sum(c for k, c in zip(run, counts, strict=True) if k == m) / 7 for m in range(5)] for run in nearest]
    assert np.allclose(found, expected) and found.dtype == torch.float32


COUNTS = st.lists(st.integers(0, 20), min_size=2, max_size=9).filter(any)


@given(counts=COUNTS, data=st.data())
def test_the_reverse_kl_is_scipys_relative_entropy_to_the_true_shares(counts, data):
    n = len(counts)
    truth = np.array(data.draw(st.lists(st.integers(1, 20), min_size=n, max_size=n)), dtype=np.float64)
    truth, shares, one = truth / truth.sum(), np.array(counts) / sum(counts), np.eye(n)[0]
    found = reverse_kl(torch.from_numpy(np.stack([shares, one, truth])), torch.from_numpy(truth))
    assert found.tolist() == pytest.approx([stats.entropy(shares, truth), -math.log(truth[0]), 0], abs=1e-12)


def mixture_measures_by_loops(x, target):
    """One run's measures, point by point."""
    means, weights = target.means().double().numpy(), target.weights().double().numpy()
    modes, n = len(means), len(x)
    shares, within = np.zeros(modes), {radius: np.zeros(modes) for radius in (3, 6, 9, 15)}
    for point in x.double().numpy():
        distances = [math.dist(point, mean) for mean in means]
        mode = min(range(modes), key=distances.__getitem__)
        shares[mode] += 1 / n
        for radius, found in within.items():
            found[mode] += (distances[mode] <= radius * target.deviation) / n
    inside = math.erf(3 / 2**0.5) if len(means[0]) == 1 else 1 - math.exp(-(3**2) / 2)
    return {
        "captured": (within[3] > 0).sum(),
        "captured_within": [(found > 0).sum() for found in within.values()],
        "held": (within[3] >= weights / 4 - 1e-9).sum(),
        "held_within": [(found >= weights / 4 - 1e-9).sum() for found in within.values()],
        "share_within": [found.sum() for found in within.values()],
        "occupied": (shares >= 0.01 - 1e-9).sum(),
        "high_quality": within[3].sum(),
        "reverse_kl": stats.entropy(shares, weights),
        "reverse_kl_off": stats.entropy([*within[3], max(0, 1 - within[3].sum())], [*inside * weights, 1 - inside]),
    }


MIXTURES = [Ring(5, 0.1), Line(4, 0.1), Grid(3, 2, 0.2), Wheel(4, 0.1, 0.7)]


@pytest.mark.parametrize("target", MIXTURES, ids=repr)
@pytest.mark.parametrize("spread", [0.3, 1, 4, 20])
def test_the_measures_of_a_mixture_are_those_of_a_plain_loop_run_by_run(target, spread, device):
    numbers, means = torch.Generator().manual_seed(0), target.means()
    mode = torch.randint(len(means), (3, 150), generator=numbers)
    mode[1] = 0
    x = means[mode] + spread * target.deviation * torch.randn(3, 150, means.shape[1], generator=numbers)
    found = mixture_measures(x.to(device), target)
    for run in range(3):
        expected = mixture_measures_by_loops(x[run], target)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert np.allclose(found[name][run].cpu(), value, atol=1e-4), name


def test_a_sample_without_points_off_the_modes_has_a_divergence_all_the_same():
    """Shares of so many points may add up to more than 1 by a rounding."""
    target = Ring(8, 0.05)
    which = torch.randint(8, (100, 1500), generator=torch.Generator().manual_seed(0))
    found = mixture_measures(target.means()[which], target)
    assert found["high_quality"].tolist() == pytest.approx([1] * 100, abs=1e-6)
    assert_close(found["reverse_kl_off"], found["reverse_kl"] + math.log(1 / (1 - math.exp(-4.5))), rtol=0, atol=1e-5)


def test_modes_are_looked_for_in_each_radius_and_points_count_where_they_are_nearest():
    line = Line(3, 0.01)
    x = torch.tensor([[[-1 + 0.02], [0.05], [1 + 0.12], [1 + 0.16]]])
    found = mixture_measures(x, line)
    assert found["captured_within"].tolist() == [[1, 2, 2, 3]] and found["captured"].tolist() == [1]
    assert found["high_quality"].item() == 0.25 and found["occupied"].item() == 3


def test_the_ring_is_measured_by_hand_made_points_run_by_run(device):
    ring, means = Ring(4, 0.02), Ring(4, 0.02).means()
    runs = [([50, 50, 50, 50], 0.0), ([198, 1, 1, 0], 0.05), ([100, 99, 1, 0], 0.07), ([200, 0, 0, 0], 0.0)]
    x = torch.stack([around(means, counts, away) for counts, away in runs]).to(device)
    x[3, 0] = means[1] * 1.01
    found = mixture_measures(x, ring)
    shares = [[0.25] * 4, [0.99, 0.005, 0.005, 0], [0.5, 0.495, 0.005, 0], [0.995, 0.005, 0, 0]]
    expected = {
        "captured": [4, 3, 0, 2],
        "held": [4, 1, 0, 1],
        "occupied": [4, 1, 2, 1],
        "high_quality": [1, 1, 0, 1],
        "reverse_kl": [stats.entropy(share, [0.25] * 4) for share in shares],
    }
    for name, values in expected.items():
        assert found[name].tolist() == pytest.approx(values, abs=1e-5), name


@pytest.mark.parametrize(
    "target, inside", [(Grid(5, 2, 0.05), 0.98889), (Ring(8, 0.02), 0.98889), (Line(5, 0.01), 0.9973)], ids=repr
)
def test_a_perfect_sampler_is_of_high_quality_as_often_as_gaussians_are_within_three_deviations(target, inside):
    n = 20_000
    x = torch.from_numpy(target.draw(n)(np.random.default_rng(0), 3))
    found = mixture_measures(x, target)
    assert found["high_quality"].tolist() == pytest.approx([inside] * 3, abs=4 * math.sqrt(inside * (1 - inside) / n))
    # The estimate of a relative entropy of k shares is (k - 1) / 2n too large on average.
    for name in ("reverse_kl", "reverse_kl_off"):
        assert (found[name].abs() < 2 * len(target.means()) / n).all()
    assert found["captured"].tolist() == found["occupied"].tolist() == [len(target.means())] * 3


@given(x=st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=12), y=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_the_distance_to_uniform_is_scipys_in_the_worst_dimension(x, y):
    n = min(len(x), len(y))
    runs = torch.tensor([[x[:n], y[:n]], [y[:n], y[:n]]], dtype=torch.float64).mT
    alone = [stats.kstest(values[:n], "uniform").statistic for values in (x, y)]
    found = kolmogorov_smirnov(runs)
    assert found.tolist() == pytest.approx([max(alone), alone[1]], abs=1e-6)
    assert torch.equal(uniform_measures(runs, Uniform(2))["ks"], found)
