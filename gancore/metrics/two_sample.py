"""Distances between a sample and a reference, one value a run."""

from typing import Any

import torch
from torch import Tensor

from gancore.metrics.described import Family, Quantity, share
from gancore.metrics.finite import of_finite
from gancore.metrics.reference import real_points

REFERENCE = 500  # real points that stand for the whole target
ENERGY = Quantity("energy distance to the target", unit="of the points", better="lower")


@of_finite
def energy_distance(x: Tensor, reference: Tensor) -> Tensor:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| (Szekely & Rizzo 2013, equation 5): (R, n, D), (m, D) -> (R,).

    In the data's unit of length; 0 where the distributions agree. X is a sample, so its own term
    leaves out the pairs of a point with itself: the estimate is unbiased in n, and may fall just
    below 0. The reference stands for the whole target and is averaged over all its pairs.
    """
    n = x.shape[1]
    between = torch.cdist(x, reference.expand(len(x), -1, -1)).mean((1, 2))
    within = torch.cdist(x, x).sum((1, 2)) / (n * (n - 1))
    return 2 * between - within - torch.cdist(reference, reference).mean()


@of_finite
def kolmogorov_smirnov(x: Tensor) -> Tensor:
    """Largest gap between the distribution of a sample and the uniform one on [0, 1]: (R, n, d) -> (R,) in [0, 1].

    The worst of the d dimensions, each on its own.
    """
    steps = torch.arange(x.shape[1] + 1, device=x.device)[:, None] / x.shape[1]
    ordered = x.clamp(0, 1).sort(1).values
    return torch.maximum(steps[1:] - ordered, ordered - steps[:-1]).amax((1, 2))


@of_finite
def uniform_measures(x: Tensor, target: Any) -> dict[str, Tensor]:
    """How far codes are from the target's distribution, (R,): `ks`, see `kolmogorov_smirnov`."""
    return {"ks": kolmogorov_smirnov(target.levelled(x))}


@of_finite
def distance_measures(x: Tensor, target: Any) -> dict[str, Tensor]:
    """`energy_distance` to REFERENCE real points, (R,): of any target."""
    return {"energy_distance": energy_distance(x, real_points(target, REFERENCE).to(x))}


KS = share("Kolmogorov-Smirnov distance of the codes", "lower")
UNIFORM = Family(uniform_measures, {"ks": KS}, needs=("levelled",))
DISTANCE = Family(distance_measures, {"energy_distance": ENERGY}, needs=("draw",), usual=False)
