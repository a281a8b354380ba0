"""Penalties against plain autograd on one ordinary network per run, and against finite differences."""

import pytest
import torch
from arms import ADAM, CPU, Flattened, drawn, moons, ordinary, player
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from gancore.errors import StudyError
from gancore.games.gan import GAN, Batch
from gancore.nets import mlp
from gancore.objectives import OBJECTIVES
from gancore.penalties import PENALTIES, Penalty
from gancore.recipes import population
from gancore.replicas import ACTIVATIONS, initialise, normal_throughout
from gancore.train import train

RUNS, POINTS = 3, 5


def network(activation="tanh", runs=RUNS, inputs=2, hidden=(6, 4)):
    stacked = mlp(runs, [inputs, *hidden, 1], activation)
    initialise(stacked, range(runs), "discriminator", normal_throughout(0.8, 0.5))
    return stacked.double()


def plain(alone, points):
    """Half of the mean squared slope of one ordinary network, point by point."""
    total = 0.0
    for point in points:
        point = point.clone().requires_grad_()
        (slope,) = torch.autograd.grad(alone(point), point)
        total += sum(float(part) ** 2 for part in slope.flatten())
    return total / len(points) / 2


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_r1_and_r2_equal_plain_autograd_at_their_own_points_run_by_run(activation, name, device):
    stacked = network(activation)
    real, fake = drawn(RUNS, POINTS, 2), drawn(RUNS, POINTS + 2, 2, seed=1)
    expected = [plain(ordinary(stacked, r, activation), {"r1": real, "r2": fake}[name][r]) for r in range(RUNS)]
    found = PENALTIES[name](stacked.to(device), real.to(device), fake.to(device))
    assert found.tolist() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", PENALTIES)
def test_the_penalty_of_a_plane_is_half_its_slope_squared(name):
    plane = network("identity", hidden=())
    with torch.no_grad():
        plane[0].weight.copy_(torch.tensor([[[3.0, 4.0]], [[0.0, 1.0]], [[0.0, 0.0]]]))
    assert PENALTIES[name](plane, drawn(RUNS, POINTS, 2), drawn(RUNS, POINTS, 2)).tolist() == [12.5, 0.5, 0.0]


@given(shape=st.lists(st.integers(1, 3), min_size=1, max_size=3), runs=st.integers(1, 3), points=st.integers(1, 4))
def test_a_slope_is_taken_over_all_dimensions_of_a_point(shape, runs, points):
    x = drawn(runs, points, *shape)
    body = network(runs=runs, inputs=x[0, 0].numel())
    expected = [plain(ordinary(body, r, "tanh"), x[r].flatten(1)) for r in range(runs)]
    assert PENALTIES["r1"](Flattened(body), x, x[:, :1]).tolist() == pytest.approx(expected, rel=1e-10)


def game_of(stacked, *penalties):
    return GAN({"generator": nn.Identity(), "discriminator": stacked}, OBJECTIVES["non_saturating"], penalties)


def batch(seed=0):
    fake = drawn(RUNS, POINTS, 2, seed=seed + 1)
    return Batch(drawn(RUNS, POINTS, 2, seed=seed), fake, fake)


WEIGHTS = [0.0, 0.3, 7.0]


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("activation", ["tanh", "leaky_relu"])
def test_the_gradient_of_the_penalised_loss_equals_finite_differences(activation, name):
    stacked, shown, step = network(activation, hidden=(3,)), batch(), 1e-6
    game = game_of(stacked, Penalty(PENALTIES[name], torch.tensor(WEIGHTS, dtype=torch.float64)))
    gradients = torch.autograd.grad(game.loss("discriminator", shown).sum(), list(stacked.parameters()))
    for parameter, gradient in zip(stacked.parameters(), gradients, strict=True):
        for place in torch.cartesian_prod(*[torch.arange(n) for n in parameter.shape]):
            place, losses = tuple(place.tolist()), []
            for sign in (1, -1):
                parameter.data[place] += sign * step
                losses.append(game.loss("discriminator", shown).detach())
                parameter.data[place] -= sign * step
            slope = (losses[0] - losses[1]) / (2 * step)
            assert slope[place[0]].item() == pytest.approx(gradient[place].item(), rel=1e-6, abs=1e-7)
            assert all(slope[run] == 0 for run in range(RUNS) if run != place[0])


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("weight", [0.7, WEIGHTS], ids=["one weight", "a weight each"])
def test_a_weight_multiplies_each_runs_own_penalty(weight, name, device):
    stacked, shown = network().to(device), batch()
    shown = Batch(*[t.to(device) for t in vars(shown).values()])
    penalty = Penalty(PENALTIES[name], torch.tensor(weight, dtype=torch.float64, device=device))
    added = game_of(stacked, penalty).loss("discriminator", shown) - game_of(stacked).loss("discriminator", shown)
    alone = PENALTIES[name](stacked, shown.real, shown.fake).tolist()
    weights = weight if isinstance(weight, list) else [weight] * RUNS
    assert added.tolist() == pytest.approx([w * p for w, p in zip(weights, alone, strict=True)], rel=1e-9, abs=1e-12)


def test_two_penalties_add_up():
    stacked, shown = network(), batch()
    penalties = [Penalty(PENALTIES["r1"], torch.tensor(0.5)), Penalty(PENALTIES["r2"], torch.tensor(2.0))]
    both = game_of(stacked, *penalties).loss("discriminator", shown)
    parts = [weight * PENALTIES[name](stacked, shown.real, shown.fake) for name, weight in (("r1", 0.5), ("r2", 2.0))]
    assert_close(both, game_of(stacked).loss("discriminator", shown) + sum(parts))


@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_of_weight_zero_moves_no_parameter(name, device):
    recipe = moons(points=None)
    without, zero, some = (
        population(recipe | {"penalties": penalties}, range(3), device)
        for penalties in ([], [{"name": name, "weight": 0}], [{"name": name, "weight": [0.0, 0.5, 0.0]}])
    )
    for runs in (without, zero, some):
        train(runs, 10)
    for a, b, c in zip(without.state(), zero.state(), some.state(), strict=True):
        assert_close(a, b, rtol=1e-6, atol=1e-6)
        assert_close(a[[0, 2]], c[[0, 2]], rtol=1e-6, atol=1e-6)
    assert not torch.allclose(without.state()[-2][1], some.state()[-2][1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", PENALTIES)
def test_a_runs_penalty_does_not_depend_on_its_neighbours(name):
    stacked, x = network(), drawn(RUNS, POINTS, 2)
    among, changed = PENALTIES[name](stacked, x, x), x.clone()
    changed[1] = 100.0
    assert PENALTIES[name](stacked, changed, changed)[[0, 2]].tolist() == among[[0, 2]].tolist()
    for run in range(RUNS):
        alone = mlp(1, [2, 6, 4, 1], "tanh").double()
        for one, all_of_them in zip(alone.parameters(), stacked.parameters(), strict=True):
            one.data.copy_(all_of_them.data[[run]])
        assert PENALTIES[name](alone, x[[run]], x[[run]]).item() == pytest.approx(among[run].item(), rel=1e-12)


def test_a_penalty_on_fakes_sends_no_gradient_to_the_generator():
    stacked, source = network(), drawn(RUNS, POINTS, 2).requires_grad_()
    penalty = PENALTIES["r2"](stacked, source.detach(), 2 * source)
    (to_fakes,) = torch.autograd.grad(penalty.sum(), source, allow_unused=True)
    assert to_fakes is None


class Operations(TorchDispatchMode):
    """The names of the operations that torch carries out."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.names.append(str(operation))
        return operation(*args, **(kwargs or {}))


@pytest.mark.parametrize("weight", [0.1, [0.1, 0.2]], ids=["one weight", "a weight each"])
def test_a_step_takes_no_numbers_from_python_which_a_cuda_graph_could_not_replay(weight):
    recipe = moons(points=None, optimiser=ADAM) | {"penalties": [{"name": "r1", "weight": weight}]}
    runs = population(recipe, range(2), CPU)
    real, z = runs.real(0), runs.noise(0)
    with Operations() as carried_out:
        runs.move(real, z)
    assert "aten.bmm.default" in carried_out.names and "aten.lift_fresh.default" not in carried_out.names


def test_an_unknown_penalty_is_refused_with_the_known_ones():
    recipe = moons() | {"penalties": [{"name": "r3", "weight": 1}]}
    recipe["players"]["discriminator"] = player([4], "relu")
    with pytest.raises(StudyError, match="unknown penalty 'r3': allowed are r1, r2"):
        population(recipe, [0], CPU)
