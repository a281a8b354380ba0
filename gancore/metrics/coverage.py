"""How much of a target with known modes a sample covers, one value a run."""

from dataclasses import replace

import torch
from scipy.stats import chi2
from torch import Tensor

from gancore.data.mixtures import Gaussians, Moons
from gancore.metrics.described import Family, Quantity, share
from gancore.metrics.finite import of_finite
from gancore.metrics.two_sample import ENERGY, energy_distance

REACH = 0.1  # a tenth of the arcs' radius, about what a dot on the figures spans


@of_finite
def rarer_share(x: Tensor, moons: Moons) -> Tensor:
    """Share of the points that lie nearer to the arc with fewer of them: (R, n, 2) -> (R,) in [0, 1/2]."""
    lower = moons.distances(x).argmin(-1).float().mean(1)
    return torch.minimum(lower, 1 - lower)


@of_finite
def distance_to_arcs(x: Tensor, moons: Moons) -> Tensor:
    """Mean distance from a point to the nearest arc: (R, n, 2) -> (R,)."""
    return moons.distances(x).amin(-1).mean(1)


@of_finite
def off_arcs(x: Tensor, moons: Moons, reach: float = REACH) -> Tensor:
    """Share of the points that lie farther than `reach` from both arcs: (R, n, 2) -> (R,) in [0, 1]."""
    return (moons.distances(x).amin(-1) > reach).float().mean(1)


@of_finite
def arc_coverage(x: Tensor, moons: Moons, reach: float = REACH) -> Tensor:
    """Share of the arcs' length that has a point within `reach`: (R, n, 2) -> (R,) in [0, 1]."""
    places = moons.along(100).to(x).expand(len(x), -1, -1)
    return (torch.cdist(places, x).amin(2) <= reach).float().mean(1)


@of_finite
def moons_measures(x: Tensor, moons: Moons) -> dict[str, Tensor]:
    """What notebook 01 follows over time, each (R,): see the functions of the same names."""
    return {
        "energy_distance": energy_distance(x, moons.along(250).to(x)),
        "arc_coverage": arc_coverage(x, moons),
        "rarer_share": rarer_share(x, moons),
        "distance_to_arcs": distance_to_arcs(x, moons),
        "off_arcs": off_arcs(x, moons),
    }


ARCS = Family(
    moons_measures,
    {
        "energy_distance": ENERGY,
        "arc_coverage": share("arcs' length with a point nearby", "higher"),
        "rarer_share": Quantity("points at the rarer arc", least=0, most=0.5, better="higher"),
        "off_arcs": share("points off both arcs", "lower"),
        "distance_to_arcs": Quantity("distance to the nearest arc", unit="of the points", least=0, better="lower"),
    },
    needs=("along", "distances"),
)


def member_shares(nearest: Tensor, counts: Tensor, modes: int) -> Tensor:
    """Share of the points that belong to each mode and count: (R, n) indices, (R, n) bool -> (R, modes)."""
    shares = counts.new_zeros(len(nearest), modes, dtype=torch.float32)
    return shares.scatter_add(1, nearest, counts.float()) / nearest.shape[1]


def reverse_kl(shares: Tensor, truth: Tensor) -> Tensor:
    """KL of the shares (R, modes) to the true ones (modes,), in nats: 0 where they agree, NaN where there are none."""
    divergence = (torch.xlogy(shares, shares) - torch.xlogy(shares, truth)).sum(1)
    return divergence.where(shares.sum(1) > 0, torch.nan)


WITHIN = (3, 6, 9, 15)  # radii, in deviations, in which a mode may be looked for
HOLDS = 0.25  # a mode is held by this part of its true share within the first radius, which no noise puts there


@of_finite
def mixture_measures(x: Tensor, target: Gaussians) -> dict[str, Tensor]:
    """What is followed over time on Gaussians, each (R,); the definitions are PacGAN's (Lin et al. 2018, section 4).

    `captured`: modes with a high-quality point, and `captured_within` (R, radii) with a point in each of
    the radii `WITHIN`; `held`: modes with at least a quarter of their true share of high-quality points, which
    uniform noise does not reach; `held_within` (R, radii) in each radius, and `share_within` (R, radii), the share of
    the points there; `occupied`: modes that are nearest to 1 % of the points or more;
    `high_quality`: share of points within 3 deviations of a mean; `reverse_kl` to the modes' weights, and
    `reverse_kl_off`, where points of low quality are a mode of their own.
    """
    weights, (distance, nearest) = target.weights().to(x), target.nearest(x)
    within = [member_shares(nearest, distance <= radius * target.deviation, len(weights)) for radius in WITHIN]
    shares, good = member_shares(nearest, distance >= 0, len(weights)), within[0]
    inside = float(chi2.cdf(WITHIN[0] ** 2, target.dimensions))  # what a perfect sampler has there
    off = torch.cat([good, (1 - good.sum(1, keepdim=True)).clamp(min=0)], 1)  # rounding may take it below 0
    return {
        "captured": (good > 0).float().sum(1),
        "captured_within": torch.stack([(found > 0).float().sum(1) for found in within], 1),
        "held": (good >= HOLDS * weights).float().sum(1),
        "held_within": torch.stack([(found >= HOLDS * weights).float().sum(1) for found in within], 1),
        "share_within": torch.stack([found.sum(1) for found in within], 1),
        "occupied": (shares >= 0.01).float().sum(1),
        "high_quality": good.sum(1),
        "reverse_kl": reverse_kl(shares, weights),
        "reverse_kl_off": reverse_kl(off, torch.cat([inside * weights, weights.new_tensor([1 - inside])])),
    }


MODES = Quantity("modes with a point of high quality", unit="modes", least=0, better="higher")
NATS = Quantity("reverse KL to the modes' weights", unit="nats", least=0, better="lower")
HIGH_QUALITY = share("points of high quality", "higher")
MIXTURE = Family(
    mixture_measures,
    {
        "captured": MODES,
        "captured_within": replace(MODES, says="modes with a point in each radius", dimensions=("within",)),
        "held": replace(MODES, says="modes with a quarter of their share or more"),
        "held_within": replace(
            MODES, says="modes with a quarter of their share in each radius", dimensions=("within",)
        ),
        "share_within": share("points in each radius of a mean", "higher", ("within",)),
        "occupied": replace(MODES, says="modes with 1 % of the points or more"),
        "high_quality": HIGH_QUALITY,
        "reverse_kl": NATS,
        "reverse_kl_off": replace(NATS, says="reverse KL, points off the modes counted"),
    },
    needs=("means", "weights", "nearest"),
)
