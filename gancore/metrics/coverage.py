"""How much of a target with known modes a sample covers, one value a run."""

import torch
from torch import Tensor

from gancore.metrics.two_sample import energy_distance
from gancore.mixtures import Moons

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


MEASURES = {"moons": moons_measures}
