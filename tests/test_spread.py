"""How far points are from the middle of their mode, on points where it is known."""

import math

import pytest
import torch
from arms import drawn

from gancore.data.mixtures import Ring
from gancore.metrics.modes import spread_within

RING = Ring(6, 0.02)


def at_modes(*which):
    """These modes' means, as the points of one run."""
    return RING.means()[list(which)][None].double()


def test_fakes_that_are_all_alike_at_their_modes_have_no_spread():
    assert spread_within(at_modes(0, 0, 3, 3, 3), RING) == 0


def test_the_spread_is_the_distance_to_the_middle_of_a_modes_own_points_not_to_its_mean():
    ends = torch.tensor([[0.0, 0.01], [0.0, -0.01]]).double()
    cluster = at_modes(0, 0) + ends + 0.05
    assert spread_within(cluster, RING).item() == pytest.approx(0.01)
    both = torch.cat([cluster, at_modes(4, 4) + ends], 1)
    assert spread_within(both, RING).item() == pytest.approx(0.01)


def test_a_perfect_samplers_spread_is_the_median_of_a_rayleigh_distribution():
    x = at_modes(*[mode for mode in range(6) for _ in range(4_000)])
    x = x + 0.02 * drawn(1, 24_000, 2)
    assert spread_within(x, RING).item() == pytest.approx(0.02 * math.sqrt(2 * math.log(2)), rel=0.02)
