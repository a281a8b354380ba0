"""The Dirac-GAN (Mescheder et al. 2018): the smallest GAN there is, as vector fields and their trajectories.

All real data are at 0, the generator is one number theta, the only fake, and D(x) = psi x. A field gives the velocities
of theta and psi, each player going down its own loss: L_D = -log sigmoid(D(0)) - log(1 - sigmoid(D(theta))) unless it
says otherwise. Arguments and velocities are numbers, or arrays of one shape.
"""

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import expit as sigmoid

from gancore.study.colours import PURPLE, RED

Velocity = tuple[np.ndarray, np.ndarray]
Field = Callable[[np.ndarray, np.ndarray], Velocity]


def plain(theta: np.ndarray, psi: np.ndarray) -> Velocity:
    """L_G = log(1 - sigmoid(psi theta)): the minimax game of Goodfellow et al. 2014."""
    pull = sigmoid(psi * theta)
    return pull * psi, -pull * theta


def r1(theta: np.ndarray, psi: np.ndarray, weight: float = 0.3) -> Velocity:
    """The discriminator pays weight / 2 |D'(0)|^2 = weight / 2 psi^2 in addition: R1."""
    towards, away = plain(theta, psi)
    return towards, away - weight * psi


def unrolled(theta: np.ndarray, psi: np.ndarray, steps: int = 5, rate: float = 0.12) -> Velocity:
    """The generator's loss is that against psi_k, psi after `steps` moves of its own; its gradient flows through them.

    psi_(j + 1) = psi_j - rate sigmoid(psi_j theta) theta, and `slope` is d psi_j / d theta.
    """
    ahead, slope = psi, 0 * theta
    for _ in range(steps):
        pull, product_slope = sigmoid(ahead * theta), ahead + theta * slope
        ahead, slope = ahead - rate * pull * theta, slope - rate * pull * (1 + theta * (1 - pull) * product_slope)
    return sigmoid(ahead * theta) * (ahead + theta * slope), plain(theta, psi)[1]


def relativistic(theta: np.ndarray, psi: np.ndarray) -> Velocity:
    """L_D = -log sigmoid(D(0) - D(theta)), L_G = -log sigmoid(D(theta) - D(0)): the real point paired with the fake.

    Since D(0) = 0, these are the losses of the non-saturating game, but for a constant.
    """
    return sigmoid(-psi * theta) * psi, plain(theta, psi)[1]


def simultaneous(field: Field, theta: float, psi: float, rate: float) -> tuple[float, float]:
    """Both players move at once, each against where the other was."""
    towards, away = field(theta, psi)
    return theta + rate * towards, psi + rate * away


def alternating(field: Field, theta: float, psi: float, rate: float) -> tuple[float, float]:
    """The generator moves first, and the discriminator answers where it now is."""
    theta = theta + rate * field(theta, psi)[0]
    return theta, psi + rate * field(theta, psi)[1]


def path(update: Callable, field: Field, start: Sequence[float], rate: float, steps: int) -> np.ndarray:
    """The points (steps + 1, 2) that the players go through from `start`, (theta, psi)."""
    points = [tuple(start)]
    for _ in range(steps):
        points.append(update(field, *points[-1], rate))
    return np.array(points)


def draw_field(axes: Axes, field: Field, reach: float = 2, places: int = 11) -> None:
    """The field's directions over a square, theta to the right and psi up, and its equilibrium."""
    theta, psi = np.meshgrid(*[np.linspace(-reach, reach, places)] * 2)
    towards, away = field(theta, psi)
    length = np.maximum(np.hypot(towards, away), np.finfo(float).tiny)
    axes.quiver(theta, psi, towards / length, away / length, color="0.6", scale=20, width=0.007, pivot="mid")
    axes.plot(0, 0, "k+")
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel=r"$\theta$", aspect="equal")


def linearised(field: Field, small: float = 1e-6) -> np.ndarray:
    """The field's Jacobian at (0, 0), by differences: rows the velocities of theta and psi, (2, 2)."""
    columns = [(np.array(field(*v)) - np.array(field(*-v))) / (2 * small) for v in small * np.eye(2)]
    return np.stack(columns, 1)


FIELDS = {"plain": plain, "R1": r1, "unrolled": unrolled, "relativistic": relativistic}
UPDATES = {"at once": simultaneous, "in turns": alternating}


def panels(start: Sequence[float], rate: float, steps: int) -> Figure:
    """The four fields, each with a trajectory of both kinds of update from `start`, (theta, psi)."""
    figure, row = plt.subplots(1, len(FIELDS), figsize=(9, 2.9), sharey=True)
    for axes, (name, field) in zip(row, FIELDS.items(), strict=True):
        draw_field(axes, field)
        for (title, update), colour in zip(UPDATES.items(), (RED, PURPLE), strict=True):
            axes.plot(*path(update, field, start, rate, steps).T, color=colour, linewidth=1, label=title)
        axes.set_title(name)
    row[0].set_ylabel(r"$\psi$")
    figure.legend(*row[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def distances(field: Field, start: Sequence[float], rate: float, steps: int) -> list[float]:
    """How far from the equilibrium the players end by each of the UPDATES."""
    return [float(np.hypot(*path(update, field, start, rate, steps)[-1])) for update in UPDATES.values()]
