"""A traffic camera over a crossing, rendered here: one heavy mode, the empty road, and rare ones that are known.

Small and plain, so that networks which a laptop trains can draw all of it: pixels are counted from the upper left
corner, greys run from -1 to 1, and traffic keeps to the right.
"""

import functools
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gancore.streams import Draw
from gancore.values import check_settings, number

SIDE, ARM, LANE = 20, 7, 3  # of the frame; length of an arm of the crossing, and width of a lane, in pixels
LENGTH, POSITIONS = 5, 3  # of a vehicle, and at how many places of its arm it may be
GRASS, ASPHALT, ROOF, TREE, VEHICLE = -0.6, -0.2, 0.4, -0.9, 0.9
NEAR, FAR = ARM, ARM + LANE  # where the two lanes of a road begin
NOISES, SQUARE = 4, 4  # a proper frame leaves no square of pixels unexplained by more standard deviations of the noise


class Lane(NamedTuple):
    """Where a lane lies: the first row and column, and whether its vehicles drive along a row."""

    row: int
    column: int
    across: bool


LANES = {
    "eastbound": Lane(FAR, 0, True),
    "westbound": Lane(NEAR, SIDE - ARM, True),
    "northbound": Lane(SIDE - ARM, FAR, False),
    "southbound": Lane(0, NEAR, False),
}
SHARES = (0.05, 0.025, 0.015, 0.01)  # of the frames, at rush 1: each shows one vehicle at most


class Likeness(NamedTuple):
    """What is taken for a vehicle: how what is seen in a lane must correlate with a template, and stand out."""

    correlation: float  # cosine of the angle between the two over all pixels of the lane, at least
    strengths: tuple[float, float]  # in parts of the template


WHOLE = Likeness(0.97, (0.6, 1.4))  # the mean of all vehicles of a lane correlates by 0.956
TRACE = Likeness(0.75, (0.2, 2.0))  # the noise of an empty lane stays clearly below both


@dataclass(frozen=True)
class TrafficScene:
    """Frames of 20 x 20 grey pixels in [-1, 1]: an empty crossing, in one frame of ten with a vehicle on it.

    frame = background + vehicle + noise: the background never changes, `noise` is the standard deviation of the
    camera's Gaussian noise, independent in each pixel. Each of the four lanes is a rare mode, from one frame in twenty
    to one in a hundred; a vehicle is a bright block at one of three places of its lane. At `rush` 5 all vehicles are
    five times as frequent, and half of the frames empty; at 10 none is. Raises StudyError where `noise` is not from
    0.005 to 0.1, or `rush` not from 0.1 to 10.
    """

    noise: Annotated[float, number(0.005, 0.1)] = 0.02
    rush: Annotated[float, number(0.1, 10)] = 1

    def __post_init__(self) -> None:
        check_settings(type(self), 0, vars(self), "a traffic scene")

    dimensions = SIDE**2
    image = (1, SIDE)
    lanes = tuple(LANES)

    def frequencies(self) -> np.ndarray:
        """Expected share of the frames with a vehicle in each lane, (lanes,)."""
        return self.rush * np.array(SHARES)

    def empty(self) -> float:
        """Expected share of the frames without a vehicle."""
        return max(1 - float(self.frequencies().sum()), 0.0)  # rounding may take it below 0

    def background(self) -> Tensor:
        """The empty crossing without noise, (D,)."""
        return torch.from_numpy(background())

    def mean(self) -> Tensor:
        """The mean frame, (D,), but for the little that clipping takes from the noise."""
        vehicles = np.einsum("l,lpd->d", self.frequencies() / POSITIONS, templates())
        return torch.from_numpy((background() + vehicles).astype(np.float32))

    def draw(self, batch: int) -> Draw:
        """Batches for `Stream`, frames never seen before: n of them, (n, batch, D)."""
        return lambda rng, n: self.labelled(n * batch, rng)[0].reshape(n, batch, self.dimensions)

    def labelled(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Frames and the truth about them: float32 (count, D) and, which lanes have a vehicle, bool (count, lanes)."""
        kinds = rng.choice(len(LANES) + 1, size=count, p=[*self.frequencies(), self.empty()])
        present = kinds[:, None] == np.arange(len(LANES))
        return self.frames(present, rng), present

    def frames(self, present: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Frames with a vehicle in just those lanes: bool (count, lanes) -> float32 (count, D)."""
        x = rng.standard_normal((len(present), self.dimensions), dtype=np.float32)
        x *= np.float32(self.noise)
        x += background()
        for of_lane, there in zip(templates(), present.T, strict=True):
            rows = np.flatnonzero(there)
            x[rows] += of_lane[rng.integers(POSITIONS, size=len(rows))]
        return np.clip(x, -1, 1, out=x)

    def recognise(self, x: Tensor) -> Tensor:
        """In which lanes a frame shows a vehicle: (..., D) -> bool (..., lanes), by a matched filter.

        A lane has a vehicle if what differs from the background there is like one of its templates, by the measure of
        WHOLE: a blur correlates too little or is too faint.
        """
        return (self._seen(x, WHOLE) > 0).any(-1)

    def trace(self, x: Tensor) -> Tensor:
        """In which lanes a frame shows something of a vehicle, if only a blur: (..., D) -> bool (..., lanes).

        As `recognise`, by the more lenient measure of TRACE, which an empty lane does not meet either.
        """
        return (self._seen(x, TRACE) > 0).any(-1)

    def is_scene(self, x: Tensor) -> Tensor:
        """Whether a frame is explained by background and recognised vehicles: (..., D) -> bool (...).

        It is if no square of SQUARE pixels a side leaves a root mean square of more than NOISES times `noise`.
        """
        vehicles = torch.from_numpy(templates()).to(x).flatten(0, 1)
        left = x - self.background().to(x) - self._seen(x, WHOLE).flatten(-2) @ vehicles
        squares = functional.avg_pool2d(left.square().reshape(-1, 1, SIDE, SIDE), SQUARE, SQUARE // 2)
        return (squares.flatten(1).amax(1).sqrt() <= NOISES * self.noise).reshape(x.shape[:-1])

    def _seen(self, x: Tensor, least: Likeness) -> Tensor:
        """How much of each template is seen: (..., D) -> (..., lanes, positions), 0 but for one of a lane at most."""
        difference, shapes = x - self.background().to(x), torch.from_numpy(templates()).to(x)
        size = shapes.norm(dim=-1)  # (lanes, positions)
        products = (difference @ shapes.flatten(0, 1).T).unflatten(-1, size.shape)
        energy = difference.square() @ torch.from_numpy(areas()).to(x).T  # (..., lanes)
        correlation, best = (products / size / energy.clamp(min=1e-12).sqrt()[..., None]).max(-1, keepdim=True)
        strength = (products / size.square()).gather(-1, best)
        weakest, strongest = least.strengths
        seen = (correlation >= least.correlation) & (strength >= weakest) & (strength <= strongest)
        return torch.zeros_like(products).scatter_(-1, best, strength * seen)


@functools.cache
def background() -> np.ndarray:
    """The empty crossing, float32 (D,)."""
    grey = np.full((SIDE, SIDE), GRASS, np.float32)
    grey[ARM : SIDE - ARM] = grey[:, ARM : SIDE - ARM] = ASPHALT
    grey[1:5, 14:19] = ROOF
    grey[15:18, 2:5] = TREE
    return grey.ravel()


@functools.cache
def templates() -> np.ndarray:
    """What a vehicle changes in the background, float32 (lanes, positions, D). No two lanes change the same pixel."""
    changed = np.zeros((len(LANES), POSITIONS, SIDE, SIDE), np.float32)
    for of_lane, lane in zip(changed, LANES.values(), strict=True):
        for place, frame in enumerate(of_lane):
            along, beside = slice(place, place + LENGTH), slice(0, LANE)
            rows, columns = (beside, along) if lane.across else (along, beside)
            frame[lane.row :, lane.column :][rows, columns] = VEHICLE - ASPHALT
    return changed.reshape(len(LANES), POSITIONS, -1)


@functools.cache
def areas() -> np.ndarray:
    """The pixels of each lane, where its vehicles may be, float32 (lanes, D)."""
    return (templates() != 0).any(1).astype(np.float32)
