"""Distances and similarities of images against closed forms, torchmetrics and plain loops."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch.testing import assert_close

from gancore.judges.guide import class_moments
from gancore.metrics.images import (
    Gaussian,
    frechet_distance,
    gaussian_of,
    inception_score,
    ms_ssim,
    similarity_within,
    variance_ratio,
)

torch.manual_seed(0)
A, B = torch.randn(400, 6) @ torch.randn(6, 6), torch.randn(500, 6) @ torch.randn(6, 6) + 1


def test_the_frechet_distance_of_diagonal_gaussians_is_the_closed_form():
    variances = torch.tensor([1.0, 4.0, 0.25]).double(), torch.tensor([9.0, 1.0, 0.25]).double()
    a, b = (Gaussian(torch.full((3,), mean).double(), v.diag()) for mean, v in zip((0.0, 2.0), variances, strict=True))
    deviations = (variances[0].sqrt() - variances[1].sqrt()).square().sum()
    assert frechet_distance(a, b).item() == pytest.approx(12 + deviations.item())
    assert frechet_distance(a, a).item() == pytest.approx(0, abs=1e-9)


def test_the_frechet_distance_is_the_textbooks_with_a_matrix_root_and_symmetric():
    a, b = gaussian_of(A), gaussian_of(B)
    root = sqrtm(a.covariance.numpy() @ b.covariance.numpy()).real
    expected = (a.mean - b.mean).square().sum() + torch.trace(a.covariance + b.covariance) - 2 * np.trace(root)
    assert frechet_distance(a, b).item() == pytest.approx(expected.item(), rel=1e-9)
    assert frechet_distance(b, a).item() == pytest.approx(expected.item(), rel=1e-9)


def test_the_frechet_distance_is_finite_where_all_images_are_the_same():
    assert frechet_distance(gaussian_of(torch.ones(50, 6)), gaussian_of(B)).isfinite()


def test_gaussians_and_distances_of_runs_are_those_of_each_run_alone():
    together = frechet_distance(gaussian_of(torch.stack([A, A + 3])), gaussian_of(B))
    alone = torch.stack([frechet_distance(gaussian_of(x), gaussian_of(B)) for x in (A, A + 3)])
    assert_close(together, alone)
    assert_close(gaussian_of(A).covariance, torch.from_numpy(np.cov(A.double().numpy().T)))


def test_the_inception_score_is_one_for_undecided_or_equal_images_and_the_number_of_classes_for_sure_and_even_ones():
    undecided, equal, even = torch.full((20, 5), 0.2), torch.eye(5)[[2] * 20], torch.eye(5).repeat(4, 1)
    assert inception_score(torch.stack([undecided, equal, even])).tolist() == pytest.approx([1, 1, 5])


def test_the_inception_score_is_the_mean_divergence_from_the_mean_written_out():
    p = torch.randn(1, 30, 4).softmax(2)
    mean = p[0].mean(0)
    divergence = sum(float((row * (row / mean).log()).sum()) for row in p[0]) / 30
    assert inception_score(p).item() == pytest.approx(math.exp(divergence), rel=1e-5)


def test_fid_is_that_of_torchmetrics():
    fid = pytest.importorskip("torchmetrics.image.fid")

    class Features(torch.nn.Identity):
        num_features = 6

    metric = fid.FrechetInceptionDistance(feature=Features())
    metric.update(A, real=True)
    metric.update(B, real=False)
    assert frechet_distance(gaussian_of(A), gaussian_of(B)).item() == pytest.approx(metric.compute().item(), rel=1e-3)


def ms_ssim_by_loops(x, y):
    """Of two images, window by window: contrast and structure at both scales, luminance at the second."""
    window, value = len(x) // 4, 1.0
    for scale in range(2):
        places, found = range(len(x) - window + 1), []
        for i, j in product(places, places):
            a, b = (image[i : i + window, j : j + window] for image in (x, y))
            covariance = ((a - a.mean()) * (b - b.mean())).mean()
            alike = (2 * covariance + 0.03**2) / (a.var() + b.var() + 0.03**2)
            if scale == 1:
                alike *= (2 * a.mean() * b.mean() + 0.01**2) / (a.mean() ** 2 + b.mean() ** 2 + 0.01**2)
            found.append(alike)
        value *= max(np.mean(found), 0) ** 0.5
        x, y = (image.reshape(len(x) // 2, 2, -1, 2).mean((1, 3)) for image in (x, y))
    return value


@pytest.mark.parametrize("side", [8, 28])
def test_ms_ssim_is_that_of_a_loop_over_windows(side):
    x = torch.rand(3, side, side).double()
    for y in (x.roll(1, 2), (x + 0.2 * torch.randn_like(x)).clamp(0, 1), 1 - x):
        expected = [ms_ssim_by_loops(a.numpy(), b.numpy()) for a, b in zip(x, y, strict=True)]
        assert ms_ssim(x, y).tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("side", [8, 28])
def test_ms_ssim_is_one_for_equal_images_symmetric_and_low_for_unrelated_ones(side):
    x, y = torch.rand(2, 6, side, side)
    assert_close(ms_ssim(x, x), torch.ones(6))
    assert_close(ms_ssim(x, y), ms_ssim(y, x))
    assert ms_ssim(x, y).max() < 0.6


def test_class_moments_are_numpys_run_by_run():
    x, labels = torch.randn(2, 40, 3), torch.randint(0, 4, (2, 40))
    mean, variance = class_moments(x, labels, 5)
    for run in range(2):
        for label in range(4):
            own = x[run][labels[run] == label].numpy()
            np.testing.assert_allclose(mean[run, label], own.mean(0), rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(variance[run, label], own.var(0, ddof=1), rtol=1e-4, atol=1e-5)
    assert mean[:, 4].isnan().all() and variance[:, 4].isnan().all()


def test_a_single_image_of_a_class_has_a_mean_and_no_variance():
    mean, variance = class_moments(torch.tensor([[1.0], [5.0], [7.0]]), torch.tensor([0, 1, 1]), 2)
    assert mean.tolist() == [[1.0], [6.0]]
    assert variance[0].isnan().all() and variance[1].item() == 2


def test_the_variance_ratio_is_one_for_the_real_images_and_the_square_of_a_shrinkage():
    x, labels = torch.randn(3000, 4), torch.arange(3000) % 3
    real = class_moments(x, labels, 3)
    assert variance_ratio(torch.stack([x, x / 2]), labels.expand(2, -1), real).tolist() == pytest.approx([1, 0.25])


def test_classes_that_are_absent_or_always_the_same_image_have_no_variance():
    x, labels = torch.randn(3000, 4), torch.arange(3000) % 3
    real = class_moments(x, labels, 3)
    same = torch.where((labels == 0)[:, None], x[0], x)
    assert variance_ratio(same[None], labels[None], real).item() == pytest.approx(2 / 3)
    left = labels != 1
    assert variance_ratio(x[left][None], labels[left][None], real).item() == pytest.approx(2 / 3)


def test_similarity_within_compares_images_of_one_class_only_and_bounds_the_pairs():
    torch.manual_seed(1)
    x = 2 * torch.rand(2, 64).repeat(6, 1) - 1  # two images, in turns
    labels = (torch.arange(12) % 2)[None]
    assert similarity_within(x[None], labels, 3, 20).item() == pytest.approx(1)
    assert similarity_within(x[None], torch.zeros_like(labels), 3, 20).item() < 0.5
    late = torch.cat([x[:1].expand(6, -1), x[1:2], x[:1]])  # the odd one comes after the first pairs
    assert similarity_within(late[None], torch.zeros(1, 8, dtype=int), 3, 4).item() == pytest.approx(1)
    assert similarity_within(x[None, :1], labels[:, :1], 3, 20).isnan().all()
