"""How much of a target with known modes a sample covers, one value a run."""

import math

import torch
from torch import Tensor

from gancore.metrics.two_sample import energy_distance
from gancore.mixtures import Moons, Ring

REACH = 0.1  # a tenth of the arcs' radius, about what a dot on the figures spans


def rarer_share(x: Tensor, moons: Moons) -> Tensor:
    """Share of the points that lie nearer to the arc with fewer of them: (R, n, 2) -> (R,) in [0, 1/2]."""
    lower = moons.distances(x).argmin(-1).float().mean(1)
    return torch.minimum(lower, 1 - lower)


def distance_to_arcs(x: Tensor, moons: Moons) -> Tensor:
    """Mean distance from a point to the nearest arc: (R, n, 2) -> (R,)."""
    return moons.distances(x).amin(-1).mean(1)


def arc_coverage(x: Tensor, moons: Moons, reach: float = REACH) -> Tensor:
    """Share of the arcs' length that has a point within `reach`: (R, n, 2) -> (R,) in [0, 1]."""
    places = moons.along(100).to(x).expand(len(x), -1, -1)
    return (torch.cdist(places, x).amin(2) <= reach).float().mean(1)


def moons_measures(x: Tensor, moons: Moons) -> dict[str, Tensor]:
    """What notebook 01 follows over time, each (R,): see the functions of the same names."""
    return {
        "energy_distance": energy_distance(x, moons.along(250).to(x)),
        "arc_coverage": arc_coverage(x, moons),
        "rarer_share": rarer_share(x, moons),
        "distance_to_arcs": distance_to_arcs(x, moons),
    }


def mode_shares(x: Tensor, means: Tensor, deviation: float) -> tuple[Tensor, Tensor]:
    """Share of the points nearest to each mean, and of those among them that are of high quality.

    (R, n, D), (modes, D) -> twice (R, modes). High quality: within three deviations of the mean.
    """
    distance, nearest = torch.cdist(x, means.expand(len(x), -1, -1)).min(2)
    member = torch.nn.functional.one_hot(nearest, len(means)).float()
    good = (distance <= 3 * deviation).float()[..., None]
    return member.mean(1), (member * good).mean(1)


def reverse_kl(shares: Tensor) -> Tensor:
    """KL of the shares (R, modes) to equal shares, in nats: 0 where balanced, log(modes) where one has all."""
    return (torch.xlogy(shares, shares) + shares * math.log(shares.shape[1])).sum(1)


def ring_measures(x: Tensor, ring: Ring) -> dict[str, Tensor]:
    """What notebook 02 follows over time, each (R,); the definitions are PacGAN's (Lin et al. 2018, section 4).

    `captured`: modes with a high-quality point; `occupied`: modes that are nearest to 1 % of the
    points or more; `high_quality`: share of points within 3 deviations of a mean; `reverse_kl`.
    """
    shares, good = mode_shares(x, ring.means().to(x), ring.deviation)
    return {
        "captured": (good > 0).float().sum(1),
        "occupied": (shares >= 0.01).float().sum(1),
        "high_quality": good.sum(1),
        "reverse_kl": reverse_kl(shares),
    }
