"""The Dirac-GAN's fields against the study's own losses and autograd, its trajectories against closed forms."""

import numpy as np
import pytest
import torch

from gancore import objectives, penalties
from gancore.study import dirac

POINTS = [(1.0, 0.0), (0.7, -1.3), (-1.6, 0.4), (-0.2, -0.9), (0.0, 1.1)]
WEIGHT, STEPS, RATE = 0.3, 5, 0.12
EQUILIBRIUM = 1e-12


def cross_entropy(theta, psi):
    """The discriminator's loss, not halved: real points at 0, the fake at theta, D(x) = psi x."""
    real, fake = (psi * x.reshape(1, 1, 1) for x in (torch.zeros(()).double(), theta))
    return 2 * objectives.cross_entropy(real, fake).sum()


def scores(theta, psi):
    return (psi * torch.zeros(1, 1, 1).double()), (psi * theta).reshape(1, 1, 1)


def of_plain(theta, psi):
    return objectives.saturating(scores(theta, psi)[1]).sum(), cross_entropy(theta, psi)


def of_non_saturating(theta, psi):
    return objectives.non_saturating(scores(theta, psi)[1]).sum(), cross_entropy(theta, psi)


def of_r1(theta, psi):
    slope = penalties.r1(lambda x: psi * x, torch.zeros(1, 1, 1).double()).sum()
    return of_plain(theta, psi)[0], cross_entropy(theta, psi) + WEIGHT * slope


def of_unrolled(theta, psi):
    ahead = psi
    for _ in range(STEPS):
        ahead = ahead - RATE * torch.autograd.grad(cross_entropy(theta, ahead), ahead, create_graph=True)[0]
    return of_plain(theta, ahead)[0], cross_entropy(theta, psi)


def of_relativistic(theta, psi):
    pair = scores(theta, psi)
    return objectives.relativistic_generator(*pair).sum(), objectives.relativistic_discriminator(*pair).sum()


LOSSES = {"plain": of_plain, "R1": of_r1, "unrolled": of_unrolled, "relativistic": of_relativistic}


def downhill(losses, theta, psi):
    """Minus the gradient of each player's own loss with respect to its own number, by autograd."""
    theta, psi = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (theta, psi))
    of_generator, of_discriminator = losses(theta, psi)
    (towards,) = torch.autograd.grad(of_generator, theta, retain_graph=True)
    (away,) = torch.autograd.grad(of_discriminator, psi)
    return -towards.item(), -away.item()


@pytest.mark.parametrize("name", dirac.FIELDS)
@pytest.mark.parametrize("point", POINTS)
def test_each_player_goes_down_its_own_loss_as_autograd_has_it(name, point):
    assert dirac.FIELDS[name](*point) == pytest.approx(downhill(LOSSES[name], *point), abs=1e-12)


@pytest.mark.parametrize("name", dirac.FIELDS)
def test_nobody_moves_at_the_equilibrium_and_arrays_are_taken_point_by_point(name):
    field = dirac.FIELDS[name]
    assert np.abs(field(0.0, 0.0)).max() < EQUILIBRIUM
    together, one_by_one = field(*np.array(POINTS).T), [field(*point) for point in POINTS]
    assert np.transpose(together) == pytest.approx(np.array(one_by_one))


@pytest.mark.parametrize("point", POINTS)
def test_the_plain_field_is_at_right_angles_to_the_way_from_the_equilibrium(point):
    assert np.dot(dirac.plain(*point), point) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("point", POINTS)
def test_a_relativistic_pair_is_the_non_saturating_game_and_leads_inwards_by_s_tanh_of_half_s(point):
    assert dirac.relativistic(*point) == pytest.approx(downhill(of_non_saturating, *point), abs=1e-12)
    s = point[0] * point[1]
    assert np.dot(dirac.relativistic(*point), point) == pytest.approx(-s * np.tanh(s / 2), abs=1e-12)


@pytest.mark.parametrize("point", [(0.01, 0.02), (-0.03, 0.01)])
def test_no_foresight_is_no_remedy_and_a_step_of_it_near_the_equilibrium_brakes_the_generator(point):
    theta, psi = point
    assert dirac.unrolled(theta, psi, steps=0) == pytest.approx(dirac.plain(theta, psi))
    expected = psi / 2 - STEPS * RATE * theta / 2  # to first order
    assert dirac.unrolled(theta, psi, STEPS, RATE)[0] == pytest.approx(expected, abs=2e-3)


def test_at_the_equilibrium_r1_brakes_the_discriminator_unrolling_the_generator_and_pairing_nobody():
    turn = [[0, 0.5], [-0.5, 0]]
    expected = {
        "plain": turn,
        "relativistic": turn,
        "R1": [[0, 0.5], [-0.5, -WEIGHT]],
        "unrolled": [[-STEPS * RATE / 2, 0.5], [-0.5, 0]],
    }
    for name, jacobian in expected.items():
        assert dirac.linearised(dirac.FIELDS[name]) == pytest.approx(np.array(jacobian), abs=1e-6), name


def test_simultaneous_moves_lengthen_a_plain_radius_each_time_by_the_factor_that_pythagoras_gives():
    points = dirac.path(dirac.simultaneous, dirac.plain, (1.0, 0.0), 0.2, 50)
    radius, pull = np.hypot(*points.T), 1 / (1 + np.exp(-points.prod(1)))
    assert radius[1:] == pytest.approx(radius[:-1] * np.sqrt(1 + (0.2 * pull[:-1]) ** 2))


def test_an_alternating_move_shows_the_discriminator_where_the_generator_has_gone():
    theta, psi = dirac.alternating(dirac.plain, 1.0, 0.5, 0.2)
    assert theta == pytest.approx(1.0 + 0.2 * dirac.plain(1.0, 0.5)[0])
    assert psi == pytest.approx(0.5 + 0.2 * dirac.plain(theta, 0.5)[1])


def test_a_small_rate_keeps_alternating_plain_players_on_their_circle_and_lets_r1_and_foresight_arrive():
    ends = {
        name: np.hypot(*dirac.path(dirac.alternating, field, (1.0, 0.0), 0.05, 2_000)[-1])
        for name, field in dirac.FIELDS.items()
    }
    assert ends["plain"] == pytest.approx(1, abs=0.03)
    assert ends["R1"] < 1e-3 and ends["unrolled"] < 1e-3 and 0.1 < ends["relativistic"] < 0.9
