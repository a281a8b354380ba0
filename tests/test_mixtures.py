"""The targets against scikit-learn, brute force and the shapes' own geometry."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.datasets import make_moons

from gancore import StudyError
from gancore.data.mixtures import Grid, Line, Moons, Ring, Wheel
from gancore.data.targets import Normal, Pictures, Uniform, latent_of, target_of

MANY = 20_000


def dense_arcs():
    """Very many points of scikit-learn's two arcs, (2, MANY, 2), the upper arc first."""
    return torch.from_numpy(make_moons(2 * MANY, shuffle=False, noise=None)[0]).reshape(2, MANY, 2)


def batches(moons, batch, n=1, seed=0):
    return np.ascontiguousarray(moons.draw(batch)(np.random.default_rng(seed), n))


def test_the_studys_32_points_are_scikit_learns_bit_for_bit():
    expected = make_moons(32, shuffle=False, noise=None)[0].astype(np.float32)
    assert all(np.array_equal(batch, expected) for batch in batches(Moons(32), 32, 3))


@given(points=st.integers(2, 101), n=st.integers(1, 5))
def test_every_batch_of_the_fixed_moons_is_scikit_learns(points, n):
    drawn = batches(Moons(points), points, n)
    expected = make_moons(points, shuffle=False, noise=None)[0].astype(np.float32)
    assert drawn.dtype == np.float32 and drawn.shape == (n, points, 2)
    assert np.allclose(drawn, expected, rtol=0, atol=1e-15)  # the last bit of a cosine is the processor's


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


@given(modes=st.integers(2, 12))
def test_the_lines_means_are_evenly_spaced_from_minus_one_to_one(modes):
    expected = np.linspace(-1, 1, modes)[:, None]
    assert np.allclose(Line(modes, 0.1).means().numpy(), expected, atol=1e-6)
    assert np.allclose(Line(modes, 0.1, reach=3.5).means().numpy(), 3.5 * expected, atol=1e-6)
    assert np.allclose(Ring(modes, 0.1, radius=3.5).means(), 3.5 * Ring(modes, 0.1).means(), atol=1e-6)


def test_the_grids_means_are_all_pairs_of_evenly_spaced_numbers_around_zero():
    side = (-4, -2, 0, 2, 4)
    assert [tuple(mean) for mean in Grid(5, 2, 0.05).means().tolist()] == [(x, y) for x in side for y in side]
    assert Grid(2, 0.5, 0.05).means().tolist() == [[-0.25, -0.25], [-0.25, 0.25], [0.25, -0.25], [0.25, 0.25]]


@given(modes=st.integers(1, 12), hub=st.floats(0.01, 0.99))
def test_the_wheel_is_a_ring_around_a_hub_that_has_its_share(modes, hub):
    wheel = Wheel(modes, 0.1, hub)
    assert wheel.means()[0].tolist() == [0, 0] and torch.equal(wheel.means()[1:], Ring(modes, 0.1).means())
    assert wheel.weights().tolist() == pytest.approx([hub] + [(1 - hub) / modes] * modes, abs=1e-6)


DRAWN = [
    Ring(6, 0.02),
    Ring(8, 0.1),
    Ring(1, 0.5),
    Line(6, 0.05),
    Line(1, 0.5),
    Grid(5, 2, 0.05),
    Grid(2, 1.5, 0.1),
    Wheel(8, 0.05, 0.9),
    Wheel(3, 0.1, 0.1),
]


@pytest.mark.parametrize("target", DRAWN, ids=repr)
def test_a_mixture_draws_each_mode_by_its_weight_and_spreads_normally_around_it(target):
    points, means, weights = batches(target, 256, n=64), target.means().numpy(), target.weights().double().numpy()
    assert points.dtype == np.float32 and points.shape == (64, 256, target.dimensions) and len(weights) == len(means)
    points = points.reshape(-1, target.dimensions)
    offsets = points[:, None] - means
    mode = np.linalg.norm(offsets, axis=2).argmin(1)
    own = offsets[np.arange(len(points)), mode].astype(np.float64)
    counts = np.bincount(mode, minlength=len(means))
    assert stats.chisquare(counts, weights / weights.sum() * len(points)).pvalue > 0.001 or len(means) == 1
    for axis in range(target.dimensions):
        assert stats.kstest(own[:, axis] / target.deviation, "norm").pvalue > 0.001
    assert target.dimensions == 1 or abs(stats.pearsonr(*own.T).statistic) < 0.05
    for m in range(len(means)):
        assert np.abs(own[mode == m].mean(0)).max() < 5 * target.deviation / np.sqrt((mode == m).sum())


@given(modes=st.integers(1, 9), batch=st.integers(1, 20), n=st.integers(1, 4), seed=st.integers(0, 99))
def test_the_ring_draws_its_noise_first_and_then_which_mode(modes, batch, n, seed):
    """Stored results are trained again from these very bits."""
    rng, angle = np.random.default_rng(seed), 2 * np.pi * np.arange(modes) / modes
    means = np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)
    noise = rng.standard_normal((n, batch, 2), dtype=np.float32)
    expected = means[rng.integers(modes, size=(n, batch))] + np.float32(0.02) * noise
    assert np.array_equal(batches(Ring(modes, 0.02), batch, n, seed), expected)


@pytest.mark.parametrize("target", DRAWN, ids=repr)
def test_a_mixtures_batches_are_new_at_every_step_and_the_generators_alone(target):
    first, again, other = (batches(target, 8, n=2, seed=seed) for seed in (0, 0, 1))
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
    with pytest.raises(StudyError, match="unknown target 'rings': allowed are moons, line, ring, grid, wheel, normal"):
        target_of({"target": {"name": "rings"}})


def test_latents_are_standard_normal_ones_of_a_dimension_or_any_target_by_name():
    assert latent_of({"latent": 3}) == Normal(3)
    assert latent_of({"latent": {"name": "uniform", "dimensions": 2}}) == Uniform(2)
    assert latent_of({"latent": {"name": "grid", "side": 5, "spacing": 2, "deviation": 0.05}}) == Grid(5, 2, 0.05)
    with pytest.raises(StudyError, match=r"unknown latent distribution 'unifrom': allowed are moons, .*uniform"):
        latent_of({"latent": {"name": "unifrom"}})


@pytest.mark.parametrize("source, law", [(Normal(3), "norm"), (Uniform(3), "uniform")], ids=["normal", "uniform"])
def test_normal_and_uniform_points_follow_their_law_in_every_dimension(source, law):
    points = batches(source, 50, n=40)
    assert points.dtype == np.float32 and points.shape == (40, 50, 3) and source.dimensions == 3
    for axis in range(3):
        assert stats.kstest(points[..., axis].ravel().astype(np.float64), law).pvalue > 0.001
    assert np.abs(np.corrcoef(points.reshape(-1, 3).T) - np.eye(3)).max() < 0.1
