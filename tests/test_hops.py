"""Hops, counted on sequences whose holders are known."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gancore.metrics.hops import holders, hops


def shares(*first):
    """Two modes' shares over time, from the first one's: (T, 2)."""
    return np.array([[share, 1 - share] for share in first])


def test_a_mode_holds_from_four_fifths_on_and_until_another_does():
    assert holders(shares(0.5, 0.79, 0.8, 0.4, 0.21, 0.2, 1.0)).tolist() == [-1, -1, 0, 0, 0, 1, 0]


def test_a_hop_is_a_change_of_holder_and_the_first_holder_is_none():
    assert hops(shares(0.5, 1, 0.5, 1, 0.5, 0, 0, 1)).tolist() == [False, False, False, False, True, False, True]


def test_a_run_that_shows_both_modes_never_hops():
    assert hops(shares(*np.linspace(0.25, 0.75, 50))).sum() == 0


def test_runs_are_counted_each_on_its_own_and_a_diverged_one_stays_where_it_was():
    runs = np.stack([shares(1, 0, 1, 0), shares(1, 1, 0, 0), shares(1, 0, np.nan, np.nan)])
    assert hops(runs).sum(1).tolist() == [3, 1, 1]


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=20))
def test_hops_are_the_changes_among_the_moments_at_which_a_mode_holds(first):
    decided = [share for share in first if share != 0.5]
    assert hops(shares(*first)).sum() == sum(a != b for a, b in pairwise(decided))
