"""Diversity and fidelity by nearest neighbours, in pixels or points: what needs neither labels nor known modes.

A point's ball reaches to its NEAREST-th nearest other point of the same sample; a sample's balls together stand for
where its distribution is.
"""

from typing import Any

import torch
from torch import Tensor

from gancore.errors import StudyError
from gancore.metrics.described import Family, Quantity, share
from gancore.metrics.finite import of_finite
from gancore.metrics.reference import real_points

NEAREST = 5  # as Naeem et al. take it for all four


def distances(points: Tensor, others: Tensor) -> Tensor:
    """Between all pairs of two samples, exactly 0 from a point to itself: (n, D), (m, D) -> (n, m)."""
    return torch.cdist(points, others, compute_mode="donot_use_mm_for_euclid_dist")


def to_neighbour(within: Tensor, nearest: int) -> Tensor:
    """Each point's distance to its `nearest`-th nearest other one, of a sample's `distances` (n, n): (n,)."""
    return within.kthvalue(nearest + 1, 1).values  # the nearest of all is the point itself


def prdc(of_fakes: Tensor, of_real: Tensor, apart: Tensor, nearest: int = NEAREST) -> dict[str, Tensor]:
    """Of the `distances` of one run's fakes (n, n), of real points (m, m), and from these to the fakes (m, n), each ():

    `precision`: share of the fakes within a real point's ball; `recall`: share of the real points within a fake's ball
    (Kynkäänniemi et al. 2019, equation 2); `density`: how many balls of real points a fake is in, over `nearest`;
    `coverage`: share of the real points whose ball has a fake (Naeem et al. 2020, equations 3 and 4).
    """
    in_real = apart <= to_neighbour(of_real, nearest)[:, None]
    in_fake = apart <= to_neighbour(of_fakes, nearest)
    return {
        "precision": in_real.any(0).float().mean(),
        "recall": in_fake.any(1).float().mean(),
        "density": in_real.float().sum(0).mean() / nearest,
        "coverage": in_real.any(1).float().mean(),
    }


def spread(of_fakes: Tensor, of_real: Tensor) -> Tensor:
    """Mean distance of a point to its nearest other, over that of as many real ones, of `distances` (n, n), (m, m): ().

    About 1 for real points, 0 where all are the same. Of the first min(n, m) of either.
    """
    count = min(len(of_fakes), len(of_real))
    fake, real = (to_neighbour(within[:count, :count], 1).mean() for within in (of_fakes, of_real))
    return fake / real


@of_finite
def neighbour_measures(x: Tensor, target: Any) -> dict[str, Tensor]:
    """`spread`, and what `prdc` gives, against as many real points as there are generated ones, each (R,).

    Raises StudyError where a point has less than NEAREST others.
    """
    real = real_points(target, x.shape[1]).to(x)
    fewest = min(x.shape[1], len(real))
    if fewest <= NEAREST:
        raise StudyError(f"neighbours among {fewest} points: allowed are {NEAREST + 1} or more, real and generated")
    found, of_real = [], distances(real, real)
    for fake in x:
        of_fakes = distances(fake, fake)
        found.append({"spread": spread(of_fakes, of_real), **prdc(of_fakes, of_real, distances(real, fake))})
    return {name: torch.stack([of_run[name] for of_run in found]) for name in found[0]}


NEIGHBOURS = Family(
    neighbour_measures,
    {
        "spread": Quantity("distance to the nearest other, over that of real points", least=0),
        "precision": share("fakes among the real points", "higher"),
        "recall": share("real points among the fakes", "higher"),
        "density": Quantity("real points' balls around a fake, over those of a real point", least=0),
        "coverage": share("real points with a fake nearby", "higher"),
    },
    needs=("draw",),
    usual=False,
)
