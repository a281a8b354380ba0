"""How good and how various generated images are, in a classifier's eyes: one value a run.

Features are `(R, n, J)`, probabilities `(R, n, classes)`, labels `(R, n)`. The distances are the usual ones, but
with a classifier of this study's in the place of Inception, so their values compare with each other alone.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from gancore.judges.guide import Moments, class_moments
from gancore.metrics.finite import of_finite

LUMINANCE, CONTRAST = 0.01**2, 0.03**2  # what keeps the quotients of SSIM finite, for pixels in [0, 1]
SCALES = 2  # all that small images have room for


class Gaussian(NamedTuple):
    """Mean (..., J) and covariance (..., J, J), in double precision."""

    mean: Tensor
    covariance: Tensor


def gaussian_of(features: Tensor) -> Gaussian:
    """The Gaussian with the features' mean and covariance: (..., n, J). The covariance of one point alone is NaN."""
    features = features.double()
    mean = features.mean(-2, keepdim=True)
    centred = features - mean
    return Gaussian(mean.squeeze(-2), centred.mT @ centred / (features.shape[-2] - 1))


def frechet_distance(a: Gaussian, b: Gaussian) -> Tensor:
    """|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)), FID's distance (Heusel et al. 2017, equation 6): (...,).

    NaN where one of the two is not finite, as that of a single point.
    """
    root = _root(b.covariance)
    overlap = torch.linalg.eigvalsh(_solvable(root @ a.covariance @ root)).clamp(min=0).sqrt().sum(-1)
    trace = a.covariance.diagonal(dim1=-2, dim2=-1).sum(-1) + b.covariance.diagonal(dim1=-2, dim2=-1).sum(-1)
    distance = (a.mean - b.mean).square().sum(-1) + trace - 2 * overlap
    return distance.where(trace.isfinite(), torch.nan)


def _root(covariance: Tensor) -> Tensor:
    """The symmetric square root of a covariance."""
    values, vectors = torch.linalg.eigh(_solvable(covariance))
    return vectors * values.clamp(min=0).sqrt().unsqueeze(-2) @ vectors.mT


def _solvable(matrix: Tensor) -> Tensor:
    """The matrix, or zeros in its place where it is not finite, for which LAPACK would raise an error."""
    return matrix.where(matrix.isfinite().all(-1).all(-1)[..., None, None], 0)


@of_finite
def inception_score(probabilities: Tensor) -> Tensor:
    """exp E KL(p(y|x) || p(y)), from 1 to the number of classes (Salimans et al. 2016, section 4): (R,)."""
    mean = probabilities.mean(1, keepdim=True)
    return (torch.xlogy(probabilities, probabilities) - torch.xlogy(probabilities, mean)).sum(2).mean(1).exp()


@of_finite
def variance_ratio(features: Tensor, labels: Tensor, real: Moments) -> Tensor:
    """Variance within a class over the real one's, all features together, mean over the classes: (R,).

    1 for real images, 0 for a class that is always the same image; a class with less than two images counts as 0.
    """
    found = class_moments(features, labels, len(real.variance)).variance.nan_to_num()
    return (found.sum(2) / real.variance.sum(1)).mean(1)


def ms_ssim(x: Tensor, y: Tensor) -> Tensor:
    """Multi-scale structural similarity of pairs of images in [0, 1] (Wang et al. 2003): (n, side, side) -> (n,).

    Up to 1, where they are the same; in uniform windows of a quarter of the side, at SCALES scales of equal weight.
    """
    window = x.shape[-1] // 4
    product = torch.ones(len(x), dtype=x.dtype, device=x.device)
    for scale in range(SCALES):
        structure, luminance = _alike(x, y, window)
        alike = structure * luminance if scale == SCALES - 1 else structure
        product = product * alike.mean((1, 2)).clamp(min=0) ** (1 / SCALES)
        x, y = avg_pool2d(x, 2), avg_pool2d(y, 2)
    return product


def _alike(x: Tensor, y: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """SSIM's agreement in structure and in luminance in every window (Wang et al. 2004, equation 13)."""
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = (avg_pool2d(p, window, 1) for p in (x, y, x * x, y * y, x * y))
    variances = mean_xx - mean_x.square() + mean_yy - mean_y.square()
    structure = (2 * (mean_xy - mean_x * mean_y) + CONTRAST) / (variances + CONTRAST)
    luminance = (2 * mean_x * mean_y + LUMINANCE) / (mean_x.square() + mean_y.square() + LUMINANCE)
    return structure, luminance


@of_finite
def similarity_within(x: Tensor, labels: Tensor, classes: int, pairs: int) -> Tensor:
    """Mean `ms_ssim` of up to so many pairs of each class, of pixels in [-1, 1]: (R, n, side^2), (R, n) -> (R,).

    Classes with less than two images have no pair; NaN where no class has one.
    """
    side = round(x.shape[2] ** 0.5)
    grey = ((x + 1) / 2).unflatten(2, (side, side))
    return torch.stack([_similarity(*run, classes, pairs) for run in zip(grey, labels, strict=True)])


def _similarity(x: Tensor, labels: Tensor, classes: int, pairs: int) -> Tensor:
    """One run's: (n, side, side), (n,) -> ()."""
    members = [x[labels == label][: pairs + 1] for label in range(classes)]
    each = [ms_ssim(member[:-1], member[1:]).mean() for member in members if len(member) > 1]
    return torch.stack(each).mean() if each else x.new_tensor(torch.nan)
