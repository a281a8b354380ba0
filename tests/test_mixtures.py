"""The targets against scikit-learn, brute force and the shapes' own geometry."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.datasets import make_moons

from gancore import StudyError
from gancore.mixtures import Moons, Ring
from gancore.targets import Pictures, target_of

MANY = 20_000


def dense_arcs():
    """Very many points of scikit-learn's two arcs, (2, MANY, 2), the upper arc first."""
    return torch.from_numpy(make_moons(2 * MANY, shuffle=False, noise=None)[0]).reshape(2, MANY, 2)


def batches(moons, batch, n=1, seed=0):
    return np.ascontiguousarray(moons.draw(batch)(np.random.default_rng(seed), n))


@given(points=st.integers(2, 101), n=st.integers(1, 5))
def test_every_batch_of_the_fixed_moons_is_scikit_learns(points, n):
    drawn = batches(Moons(points), points, n)
    expected = make_moons(points, shuffle=False, noise=None)[0].astype(np.float32)
    assert drawn.dtype == np.float32 and drawn.shape == (n, points, 2)
    assert all(np.array_equal(batch, expected) for batch in drawn)


@given(batch=st.integers(1, 100).filter(lambda batch: batch != 32))
def test_another_batch_than_the_fixed_points_is_refused_in_a_sentence(batch):
    with pytest.raises(StudyError, match=f"batch {batch} does not fit"):
        Moons(32).draw(batch)


@given(x=st.floats(-3, 4), y=st.floats(-3, 3))
def test_distances_equal_the_least_distance_to_dense_points(x, y):
    point = torch.tensor([x, y], dtype=torch.float64)
    brute = (dense_arcs() - point).norm(dim=-1).amin(1)
    assert torch.allclose(Moons().distances(point), brute, atol=2e-4)


def test_scikit_learns_points_lie_on_their_own_arc():
    distances = Moons().distances(dense_arcs())
    assert distances[0, :, 0].max() < 1e-12 and distances[1, :, 1].max() < 1e-12
    assert distances[0, :, 1].min() > 0.4 and distances[1, :, 0].min() > 0.4


def test_distances_keep_leading_axes():
    x = torch.randn(3, 5, 2)
    assert Moons().distances(x).shape == (3, 5, 2)
    assert torch.equal(Moons().distances(x)[1, 4], Moons().distances(x[1, 4]))


def angles_of(points):
    """Where on its arc, as a share of its length, each point lies, and whether the arc is the lower one."""
    lower = Moons().distances(torch.from_numpy(points).double()).argmin(-1).numpy() == 1
    x, y = points.astype(np.float64).T
    return np.where(lower, np.arctan2(0.5 - y, 1 - x), np.arctan2(y, x)) / np.pi, lower


def test_fresh_points_lie_uniformly_on_both_arcs():
    points = batches(Moons(None), batch=100, n=50).reshape(-1, 2)
    assert points.dtype == np.float32
    assert Moons().distances(torch.from_numpy(points)).amin(-1).max() < 1e-6
    angles, lower = angles_of(points)
    assert stats.binomtest(int(lower.sum()), len(points)).pvalue > 0.001
    for arc in (False, True):
        assert stats.kstest(angles[lower == arc], "uniform").pvalue > 0.001


def test_fresh_batches_are_new_at_every_step_and_the_generators_alone():
    first, again, other = (batches(Moons(None), 8, n=2, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


@given(each=st.integers(1, 300))
def test_along_walks_both_arcs_in_equal_pieces(each):
    points = Moons().along(each)
    assert points.shape == (2 * each, 2)
    angles, lower = angles_of(points.numpy())
    assert lower.tolist() == [False] * each + [True] * each
    assert np.allclose(angles, np.tile((np.arange(each) + 0.5) / each, 2), atol=1e-6)


@given(modes=st.integers(1, 12))
def test_the_rings_means_are_the_roots_of_one(modes):
    x, y = Ring(modes, 0.1).means().double().numpy().T
    assert np.allclose((x + 1j * y) ** modes, 1, atol=1e-5)
    assert np.allclose(np.sort(np.angle(x + 1j * y) % (2 * np.pi)), 2 * np.pi * np.arange(modes) / modes, atol=1e-5)
    assert (x[0], y[0]) == (1, 0) and (modes < 3 or y[1] > 0)


@pytest.mark.parametrize("modes, deviation", [(6, 0.02), (8, 0.1), (1, 0.5)])
def test_the_ring_draws_each_mode_as_often_and_spreads_normally_around_it(modes, deviation):
    ring = Ring(modes, deviation)
    points = batches(ring, batch=128, n=64).reshape(-1, 2)
    assert points.dtype == np.float32 and batches(ring, 5, 3).shape == (3, 5, 2)
    offsets = points[:, None] - ring.means().numpy()
    mode = np.linalg.norm(offsets, axis=2).argmin(1)
    own = offsets[np.arange(len(points)), mode].astype(np.float64)
    assert stats.chisquare(np.bincount(mode, minlength=modes)).pvalue > 0.001 or modes == 1
    for axis in range(2):
        assert stats.kstest(own[:, axis] / deviation, "norm").pvalue > 0.001
    assert abs(stats.pearsonr(*own.T).statistic) < 0.05
    for m in range(modes):
        assert np.abs(own[mode == m].mean(0)).max() < 5 * deviation / np.sqrt((mode == m).sum())


def test_the_rings_batches_are_new_at_every_step_and_the_generators_alone():
    first, again, other = (batches(Ring(6, 0.02), 8, n=2, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_pictures_are_drawn_evenly_with_replacement_from_the_first_of_the_training_set():
    pictures = Pictures("digits", first=5)
    drawn = batches(pictures, batch=100, n=10).reshape(-1, 64)
    which = (drawn[:, None] == pictures.training().numpy()).all(2)
    assert (which.sum(1) == 1).all() and stats.chisquare(which.sum(0)).pvalue > 0.001
    assert torch.equal(pictures.training(), Pictures("digits").training()[:5]) and pictures.dimensions == 64
    assert len(Pictures("digits").held_out()) > 5


def test_no_held_out_picture_is_drawn():
    pictures = Pictures("digits")
    training = {image.tobytes() for image in pictures.training().numpy()}
    assert not any(image.tobytes() in training for image in pictures.held_out().numpy())


@pytest.mark.parametrize("first", [0, -1, 1501])
def test_more_pictures_than_there_are_or_none_is_refused_in_a_sentence(first):
    with pytest.raises(StudyError, match=f"first = {first}: allowed is a whole number from 1 to 1500"):
        Pictures("digits", first).training()


def test_a_target_is_chosen_by_name_and_an_unknown_one_refused_with_the_known():
    assert target_of({"target": {"name": "ring", "modes": 6, "deviation": 0.02}}) == Ring(6, 0.02)
    assert target_of({"target": {"name": "pictures", "images": "digits"}}) == Pictures("digits")
    with pytest.raises(StudyError, match="unknown target 'rings': allowed are moons, ring, pictures"):
        target_of({"target": {"name": "rings"}})
