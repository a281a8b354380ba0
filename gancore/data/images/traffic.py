"""A traffic camera over a crossing, rendered here: one heavy mode, the empty road, and rare ones that are known.

Lengths are in thirty-seconds of the frame's side, x to the right and y down; greys run from -1 to 1.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gancore.data.images import street
from gancore.data.images.street import LANES
from gancore.streams import Draw
from gancore.values import check_settings, number, whole

STRENGTH = 0.1  # a vehicle stands out from the road by 1 +- this much of what its template does
CONTRASTS = (0.7, 1.4)  # what a frame's light may be taken for
NOISES = 4  # a proper frame leaves no more unexplained, in standard deviations of the camera's noise
FRAMES_AT_ONCE = 1000


class Likeness(NamedTuple):
    """What is taken for a vehicle: how what is seen in a lane must correlate with a template, and stand out."""

    correlation: float  # cosine of the angle between the two over all pixels of the lane, at least
    strengths: tuple[float, float]  # in parts of the template


VEHICLE = Likeness(0.9, (0.6, 1.4))
TRACE = Likeness(0.75, (0.3, 2.8))  # the noise of an empty lane stays clearly below both

# The share of the frames that show just these vehicles; all others are empty.
TABLE = {
    ("eastbound",): 0.035,
    ("westbound",): 0.020,
    ("northbound",): 0.011,
    ("southbound",): 0.008,
    ("eastbound waiting",): 0.006,
    ("northbound waiting",): 0.005,
    ("southbound waiting",): 0.005,
    ("turning",): 0.005,
    ("eastbound", "westbound"): 0.003,
    ("eastbound", "northbound waiting"): 0.001,
    ("westbound", "southbound waiting"): 0.001,
}


@dataclass(frozen=True)
class TrafficScene:
    """Frames of `side` x `side` grey pixels in [-1, 1]: 90 % an empty crossing, the others with vehicles on it.

    frame = contrast (background + vehicles) + brightness + noise: the background never changes; `noise`
    is the standard deviation of the camera's Gaussian noise, independent in each pixel; contrast is
    uniform in 1 +- `light`, brightness in 0 +- `light`, anew for each frame. Which vehicles are there is
    drawn from TABLE: each of the eight lanes is a rare mode, and no two lanes share a pixel. Position
    along the lane, length, dark or light paint and how much it stands out vary evenly. At `rush` 5 all vehicles are
    five times as frequent as in TABLE, and half of the frames empty.

    Raises StudyError where `side` is not from 32 to 128, `noise` not from 0.01 to 0.1, `light` not from 0 to 0.15,
    or `rush` not from 0.1 to 10.
    """

    side: Annotated[int, whole(32, 128)] = 32
    noise: Annotated[float, number(0.01, 0.1)] = 0.04
    light: Annotated[float, number(0, 0.15)] = 0.1
    rush: Annotated[float, number(0.1, 10)] = 1

    def __post_init__(self) -> None:
        check_settings(type(self), 0, vars(self), "a traffic scene")

    @property
    def dimensions(self) -> int:
        return self.side**2

    @property
    def image(self) -> tuple[int, int]:
        """Channels and side of a frame."""
        return 1, self.side

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes' names, in the order of every array over lanes."""
        return tuple(LANES)

    def frequencies(self) -> np.ndarray:
        """Expected share of the frames with a vehicle in each lane, (lanes,)."""
        shares, present = _table(self.rush)
        return shares @ present

    def empty(self) -> float:
        """Expected share of the frames without a vehicle."""
        return float(_table(self.rush)[0][0])

    def background(self) -> Tensor:
        """The empty crossing without noise in middling light, (D,)."""
        return torch.from_numpy(street.background(self.side))

    def draw(self, batch: int) -> Draw:
        """Batches for `Stream`, frames never seen before: n of them, (n, batch, D)."""
        return lambda rng, n: self.labelled(n * batch, rng)[0].reshape(n, batch, self.dimensions)

    def labelled(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Frames and the truth about them: float32 (count, D) and, which lanes have a vehicle, bool (count, lanes)."""
        shares, vehicles = _table(self.rush)
        present = vehicles[rng.choice(len(shares), size=count, p=shares)]
        return self.frames(present, rng), present

    def frames(self, present: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Frames with a vehicle in just those lanes: bool (count, lanes) -> float32 (count, D)."""
        count = len(present)
        x = rng.standard_normal((count, self.dimensions), dtype=np.float32)
        x *= np.float32(self.noise)
        contrast, brightness = rng.uniform(-self.light, self.light, size=(2, count, 1)).astype(np.float32)
        x += (1 + contrast) * street.background(self.side)
        x += brightness
        for templates, there in zip(street.templates(self.side), present.T, strict=True):
            rows = np.flatnonzero(there)
            strength = rng.uniform(1 - STRENGTH, 1 + STRENGTH, size=(len(rows), 1)).astype(np.float32)
            x[rows] += (1 + contrast[rows]) * strength * templates[rng.integers(len(templates), size=len(rows))]
        return np.clip(x, -1, 1, out=x)

    def recognise(self, x: Tensor) -> Tensor:
        """In which lanes a frame shows a vehicle: (..., D) -> bool (..., lanes), by a matched filter.

        The light is fitted where no vehicle can be and removed. A lane has a vehicle if what differs from the
        background there is like one of its templates, by the measure of VEHICLE: a blur correlates too little
        or is too faint.
        """
        return self._like(x, VEHICLE)

    def trace(self, x: Tensor) -> Tensor:
        """In which lanes a frame shows something of a vehicle, if only a blur: (..., D) -> bool (..., lanes).

        As `recognise`, by the more lenient measure of TRACE, which an empty lane does not meet either.
        """
        return self._like(x, TRACE)

    def is_scene(self, x: Tensor) -> Tensor:
        """Whether a frame is explained by light, background and recognised vehicles: (..., D) -> bool (...).

        It is if no square of an eighth of the side leaves a root mean square of more than NOISES times `noise`.
        """
        templates = torch.from_numpy(street.templates(self.side)).to(x).flatten(0, 1)
        left = (part - self._vehicles(part, VEHICLE).flatten(1) @ templates for part in self._differences(x))
        return (torch.cat([self._worst(part) for part in left]) <= NOISES * self.noise).reshape(x.shape[:-1])

    def _like(self, x: Tensor, least: Likeness) -> Tensor:
        seen = torch.cat([(self._vehicles(part, least) > 0).any(-1) for part in self._differences(x)])
        return seen.reshape(*x.shape[:-1], len(LANES))

    def _differences(self, x: Tensor) -> Iterator[Tensor]:
        """Frames less their light and the background, some at a time: (..., D) -> (some, D) each."""
        background = self.background().to(x)
        still = torch.from_numpy(street.still(self.side)).to(x.device)
        spread = background[still] - background[still].mean()
        for part in x.reshape(-1, self.dimensions).split(FRAMES_AT_ONCE):
            fixed = part[:, still]
            contrast = ((fixed @ spread) / (spread @ spread)).clamp(*CONTRASTS)
            brightness = fixed.mean(1) - contrast * background[still].mean()
            yield (part - brightness[:, None]) / contrast[:, None] - background

    def _vehicles(self, difference: Tensor, least: Likeness) -> Tensor:
        """How much of each template is seen: (n, D) -> (n, lanes, variants), 0 but for one of a lane at most."""
        moving = ~torch.from_numpy(street.still(self.side)).to(difference.device)
        templates = torch.from_numpy(street.templates(self.side)).to(difference)[..., moving]
        there, area = difference[:, moving], (templates != 0).any(1).to(difference)
        size = templates.norm(dim=-1)  # (lanes, variants)
        products = (there @ templates.flatten(0, 1).T).unflatten(1, size.shape)
        energy = there.square() @ area.T
        correlation, best = (products / size / energy.clamp(min=1e-12).sqrt()[..., None]).max(-1, keepdim=True)
        strength = (products / size.square()).gather(-1, best)
        weakest, strongest = least.strengths
        seen = (correlation >= least.correlation) & (strength >= weakest) & (strength <= strongest)
        return torch.zeros_like(products).scatter_(-1, best, strength * seen)

    def _worst(self, x: Tensor) -> Tensor:
        """The largest root mean square over a square of an eighth of the side: (n, D) -> (n,)."""
        square = self.side // 8
        squares = functional.avg_pool2d(x.square().view(-1, 1, self.side, self.side), square, square // 2)
        return squares.flatten(1).amax(1).sqrt()


@functools.cache
def _table(rush: float) -> tuple[np.ndarray, np.ndarray]:
    """Kinds of frames, empty ones first: their shares, (kinds,), and their vehicles, bool (kinds, lanes)."""
    shares = rush * np.array([0, *TABLE.values()])
    shares[0] = max(1 - shares.sum(), 0)  # rounding may take it below 0
    present = np.array([[lane in kind for lane in LANES] for kind in ((), *TABLE)])
    return shares, present
