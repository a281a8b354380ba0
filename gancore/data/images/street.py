"""The crossing that the traffic camera looks down on: its background, its lanes, and vehicles as seen on them.

Lengths are in thirty-seconds of the frame's side, x to the right and y down; greys run from -1 to 1.
Traffic keeps to the right.
"""

import functools
from dataclasses import dataclass

import numpy as np

UNITS = 32.0
FINE = 4  # points along each side of a pixel, which is their average
LEVELS = 128  # steps of grey from 0 to 1: rounded to them, the background has the same bits everywhere
ROAD = (11.0, 21.0)  # both roads, from kerb to kerb
ASPHALT, MARKING, PAVEMENT, KERB, GRASS, TREE = -0.2, 0.45, 0.25, -0.45, -0.4, -0.75
WIDTH = 4.0
LENGTHS = (6.7, 7.4)
POSITIONS = 9
PAINTS = ((0.85, -0.5), (-0.85, 0.05))  # greys of body and windows: light vehicles, dark ones


@dataclass(frozen=True)
class Lane:
    """A vehicle's centre lies on the line from `start` to `end`, in the direction that it drives."""

    start: tuple[float, float]
    end: tuple[float, float]


LANES = {
    "eastbound": Lane((25.0, 18.5), (29.0, 18.5)),
    "westbound": Lane((7.0, 13.5), (3.0, 13.5)),
    "northbound": Lane((18.5, 7.0), (18.5, 3.0)),
    "southbound": Lane((13.5, 25.0), (13.5, 29.0)),
    "eastbound waiting": Lane((3.0, 18.5), (7.0, 18.5)),
    "northbound waiting": Lane((18.5, 29.0), (18.5, 25.0)),
    "southbound waiting": Lane((13.5, 3.0), (13.5, 7.0)),
    "turning": Lane((15.0, 17.0), (17.0, 15.0)),
}


@functools.cache
def background(side: int) -> np.ndarray:
    """The empty crossing, float32 (side * side)."""
    x, y = _points(side)
    grain = np.random.default_rng(20).uniform(-1, 1, size=(2, 32, 32))
    coarse, fine = grain[:, y.astype(int), x.astype(int)]
    grey = GRASS + 0.12 * coarse
    _trees(grey, x, y)
    _roof(grey, x, y)
    _plaza(grey, x, y)
    _roads(grey, x, y, fine)
    _markings(grey, x, y)
    return (np.round(_pixels(grey) * LEVELS) / LEVELS).astype(np.float32)


def _trees(grey: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    for across, down, radius in ((3.0, 3.5, 2.4), (6.8, 6.8, 1.7), (25.5, 25.5, 1.6), (29.0, 28.5, 2.3)):
        distance = np.hypot(x - across, y - down)
        grey[distance < radius] = TREE
        grey[np.hypot(x - across + 0.5, y - down + 0.5) < radius / 1.8] = TREE + 0.8  # the sunlit side


def _roof(grey: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """A house with a ridged roof in the upper right corner."""
    house = (x > 24) & (y < 7.5)
    grey[house] = np.where(y[house] < 3.5, 0.7, 0.3)
    grey[house & (abs(y - 3.5) < 0.35)] = 0.0
    grey[(x > 26) & (x < 27.5) & (y > 4.8) & (y < 6.3)] = -0.4


def _plaza(grey: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Paving stones in the lower left corner."""
    plaza = (x < 9) & (y > 23)
    grey[plaza] = np.where((x // 2 + y // 2) % 2 == 0, 0.45, 0.15)[plaza]


def _roads(grey: np.ndarray, x: np.ndarray, y: np.ndarray, grain: np.ndarray) -> None:
    low, high = ROAD
    for margin, shade, roughness in ((1.7, PAVEMENT, 0.06), (0.4, KERB, 0.0), (0.0, ASPHALT, 0.05)):
        here = _between(x, low - margin, high + margin) | _between(y, low - margin, high + margin)
        grey[here] = (shade + roughness * grain)[here]


def _markings(grey: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Dashes along the middle, stop lines, and a zebra crossing on the right."""
    low, high = ROAD
    middle = (low + high) / 2
    for along, across in ((x, y), (y, x)):
        on_arm = ~_between(along, low - 1, high + 1)
        grey[on_arm & (abs(across - middle) < 0.4) & (along % 4 < 2.3)] = MARKING
    for along, across, line, side in ((x, y, low - 0.7, 1), (y, x, high + 0.7, 1), (y, x, low - 0.7, -1)):
        lane = _between(side * (across - middle), 0.4, 4.8)
        grey[lane & (abs(along - line) < 0.45)] = MARKING
    grey[_between(x, high + 1, high + 3.5) & _between(y, low + 0.2, high - 0.2) & (y % 2 < 1)] = MARKING + 0.1


@functools.cache
def templates(side: int) -> np.ndarray:
    """What a vehicle changes in the background, float32 (lanes, variants, side * side).

    A variant is a paint, a length and a position. No two lanes change the same pixel.
    """
    each = [
        [
            _template(side, lane, part, length, paint)
            for paint in PAINTS
            for length in LENGTHS
            for part in np.linspace(0, 1, POSITIONS)
        ]
        for lane in LANES.values()
    ]
    return np.array(each, np.float32)


def _template(side: int, lane: Lane, part: float, length: float, paint: tuple[float, float]) -> np.ndarray:
    start, end = np.array(lane.start), np.array(lane.end)
    centre, ahead = start + part * (end - start), (end - start) / np.hypot(*(end - start))
    x, y = (points - middle for points, middle in zip(_points(side), centre, strict=True))
    along, across = x * ahead[0] + y * ahead[1], abs(y * ahead[0] - x * ahead[1])
    beyond = np.maximum(abs(along) - length / 2 + 1, 0), np.maximum(across - WIDTH / 2 + 1, 0)
    body = np.hypot(*beyond) <= 1  # its corners are quarters of a circle of radius 1
    windscreen, rear = _between(along, 0.08 * length, 0.25 * length), _between(along, -0.4 * length, -0.3 * length)
    glass = (windscreen | rear) & (across < WIDTH / 2 - 0.4)
    return _pixels(body * np.where(glass, paint[1], paint[0])) - _pixels(body) * background(side)


@functools.cache
def still(side: int) -> np.ndarray:
    """The pixels that no vehicle ever changes, bool (side * side)."""
    return ~templates(side).any(axis=(0, 1))


def _points(side: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of FINE x FINE points in each pixel, both (FINE * side, FINE * side)."""
    centres = (np.arange(FINE * side) + 0.5) * (UNITS / (FINE * side))
    x, y = np.meshgrid(centres, centres)
    return x, y


def _pixels(grey: np.ndarray) -> np.ndarray:
    """Averages over each pixel's points: (FINE * side, FINE * side) -> (side * side)."""
    side = len(grey) // FINE
    return grey.reshape(side, FINE, side, FINE).mean((1, 3)).ravel()


def _between(x: np.ndarray, low: float, high: float) -> np.ndarray:
    return (x >= low) & (x < high)
