"""Penalties against plain autograd on one ordinary network per run, closed forms and finite differences."""

import pytest
import torch
from arms import ADAM, CPU, Flattened, bigan, drawn, moons, ordinary, penalty_of_run, player, same, whole_and_resumed
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from gancore.errors import StudyError
from gancore.games import GAN
from gancore.games.bigan import Pairs
from gancore.nets.architectures import mlp
from gancore.nets.layers import ACTIVATIONS, initialise, normal_throughout
from gancore.objectives import objective_of
from gancore.penalties import OF_PAIRS, OF_POINTS, Penalty, between
from gancore.recipes.build import assembled, population
from gancore.training.loop import train

RUNS, POINTS, LATENT = 3, 5, 2
ALL = OF_POINTS | OF_PAIRS
AIMED = [name for name in OF_PAIRS if name not in ("pairwise_zero", "r1_of_pairs")]
WEIGHTS = [0.0, 0.3, 7.0]


def judge_of(name, activation="tanh", runs=RUNS, points=2, hidden=(6, 4)):
    """What the penalty is of: stacked discriminators of points, or of points and their codes."""
    stacked = mlp(runs, [points + (LATENT if name in OF_PAIRS else 0), *hidden, 1], activation)
    initialise(stacked, range(runs), "discriminator", normal_throughout(0.8, 0.5))
    return Flattened(stacked.double())


def batch(runs=RUNS, points=POINTS, shape=(2,)):
    """All that a batch of pairs holds, each part drawn on its own."""
    real, fake, reconstruction = (drawn(runs, points, *shape, seed=seed) for seed in range(3))
    z, code = (drawn(runs, points, LATENT, seed=seed) for seed in (3, 4))
    return Pairs(real, z, torch.sigmoid(drawn(runs, points, 1, seed=5)), fake, code, reconstruction)


def parts_of(shown):
    """The tensors of a batch, by name."""
    return {name: part for name, part in vars(shown).items() if isinstance(part, torch.Tensor)}


def changed(shown, **parts):
    return Pairs(**(parts_of(shown) | parts))


def on(device, shown):
    return Pairs(**{name: part.to(device) for name, part in parts_of(shown).items()})


def alone(name, judge, shown, run, activation="tanh"):
    """The penalty of one run, from an ordinary network and one point after the other."""
    parts = {key: part[run] for key, part in parts_of(shown).items()}
    return penalty_of_run(name, ordinary(judge.body, run, activation), parts)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_penalty_equals_plain_autograd_at_its_own_points_run_by_run(activation, name, device):
    judge, shown = judge_of(name, activation), batch()
    expected = [alone(name, judge, shown, run, activation).item() for run in range(RUNS)]
    assert ALL[name](judge.to(device), on(device, shown)).tolist() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ALL)
@given(shape=st.lists(st.integers(1, 3), min_size=1, max_size=3), runs=st.integers(1, 3), points=st.integers(1, 4))
def test_a_slope_is_taken_over_all_dimensions_of_a_point(name, shape, runs, points):
    shown = batch(runs, points, shape)
    judge = judge_of(name, runs=runs, points=shown.real[0, 0].numel())
    expected = [alone(name, judge, shown, run).item() for run in range(runs)]
    assert ALL[name](judge, shown).tolist() == pytest.approx(expected, rel=1e-9)


PLANES = torch.tensor([[[3.0, 4.0]], [[0.0, 1.0]], [[0.0, 0.0]]], dtype=torch.float64)


@pytest.mark.parametrize(
    "name, expected",
    [("r1", [12.5, 0.5, 0]), ("r2", [12.5, 0.5, 0]), ("wgan_gp", [16, 0, 1]), ("zero_centred", [25, 1, 0])],
)
def test_the_penalty_of_a_plane_follows_from_its_slope(name, expected):
    plane = judge_of(name, "identity", hidden=())
    plane.body[0].weight.data.copy_(PLANES)
    penalty = ALL[name](plane, batch())
    assert penalty.tolist() == expected
    assert torch.autograd.grad(penalty.sum(), plane.body[0].weight)[0].isfinite().all()


def test_the_pairwise_penalty_of_a_plane_is_how_far_its_slope_is_from_the_direction_of_each_pair():
    plane, shown, b = judge_of("pairwise", "identity", hidden=()), batch(), torch.tensor([-1.0, 2.0]).double()
    plane.body[0].weight.data.copy_(torch.cat([PLANES, b.expand(RUNS, 1, 2)], 2))
    unit = nn.functional.normalize(shown.real - shown.reconstruction, dim=2)
    at = shown.epsilon * shown.real + (1 - shown.epsilon) * shown.reconstruction
    for name in [*AIMED, "pairwise_zero"]:
        for run, a in enumerate(PLANES[:, 0]):
            p = torch.sigmoid(at[run] @ a + shown.code[run] @ b + plane.body[0].bias[run, 0])[:, None]
            factor = p * (1 - p) if name == "pairwise_probability" else 1  # sigmoid's slope
            aim = unit[run] * (name in AIMED)
            expected = (factor * a - aim).square().sum(1).mean().item()
            assert OF_PAIRS[name](plane, shown)[run].item() == pytest.approx(expected, rel=1e-12)


def paraboloid(x, z=None):
    """|x|^2 / 2, whose slope at x is x."""
    return x.square().sum(2, keepdim=True) / 2


@given(epsilon=st.floats(0, 1), runs=st.integers(1, 3))
def test_a_penalty_looks_where_epsilon_says_from_the_fake_or_reconstruction_to_the_real_point(epsilon, runs):
    shown = batch(runs, shape=(3,))
    shown = changed(shown, epsilon=torch.full_like(shown.epsilon, epsilon))
    x, fake, x_hat = shown.real, shown.fake, shown.reconstruction
    ends = {0.0: (fake, x_hat), 1.0: (x, x)}
    at_fake, at_x_hat = ends.get(epsilon, (x * epsilon + fake * (1 - epsilon), x * epsilon + x_hat * (1 - epsilon)))
    expected = (at_fake.norm(dim=2) - 1).square().mean(1)
    assert_close(OF_POINTS["wgan_gp"](paraboloid, shown), expected)
    assert_close(OF_POINTS["zero_centred"](paraboloid, shown), at_fake.square().sum(2).mean(1))
    unit = (x - x_hat) / (x - x_hat).norm(dim=2, keepdim=True)
    assert_close(OF_PAIRS["pairwise"](paraboloid, shown), (at_x_hat - unit).square().sum(2).mean(1))
    assert_close(OF_PAIRS["pairwise_zero"](paraboloid, shown), at_x_hat.square().sum(2).mean(1))
    assert_close(OF_PAIRS["r1_of_pairs"](paraboloid, shown), x.square().sum(2).mean(1) / 2)


def test_each_pair_has_its_own_epsilon_whatever_the_shape_of_a_point():
    x, x_hat, epsilon = torch.ones(2, 3, 4, 5), torch.zeros(2, 3, 4, 5), torch.rand(2, 3, 1)
    found = between(x, x_hat, epsilon)
    assert torch.equal(found, epsilon[..., None].expand(2, 3, 4, 5))


@pytest.mark.parametrize("name", AIMED)
def test_a_pair_of_identical_points_counts_as_zero_in_the_penalty_and_in_its_gradient(name):
    judge, shown, others = judge_of(name), batch(), [0, 2, 3, 4]
    shown.reconstruction[0], shown.reconstruction[:, 1] = shown.real[0], shown.real[:, 1]
    penalty = ALL[name](judge, shown)
    gradients = torch.autograd.grad(penalty.sum(), list(judge.parameters()), materialize_grads=True)
    assert penalty[0].item() == 0 and not any(gradient[0].any() for gradient in gradients)
    for run in (1, 2):
        network = ordinary(judge.body, run, "tanh")
        own = (
            penalty_of_run(name, network, {key: part[run, others] for key, part in parts_of(shown).items()})
            * 4
            / POINTS
        )
        assert_close(penalty[run], own, rtol=1e-12, atol=0)
        expected = torch.autograd.grad(own, list(network.parameters()), materialize_grads=True)
        for found, one in zip(gradients, expected, strict=True):
            assert_close(found[run].reshape(one.shape), one, rtol=1e-9, atol=1e-12)


def game_of(judge, *penalties):
    return GAN({"generator": nn.Identity(), "discriminator": judge}, objective_of("non_saturating"), penalties)


def of_weight(name, weight, device=CPU):
    return Penalty(ALL[name], torch.tensor(weight, dtype=torch.float64, device=device))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("activation", ["tanh", "leaky_relu"])
def test_the_gradient_of_a_weighted_penalty_equals_finite_differences(activation, name):
    judge, shown, step = judge_of(name, activation, hidden=(3,)), batch(), 1e-6
    penalty = of_weight(name, WEIGHTS)
    gradients = torch.autograd.grad(penalty(judge, shown).sum(), list(judge.parameters()), materialize_grads=True)
    for parameter, gradient in zip(judge.parameters(), gradients, strict=True):
        for place in torch.cartesian_prod(*[torch.arange(n) for n in parameter.shape]):
            place, values = tuple(place.tolist()), []
            for sign in (1, -1):
                parameter.data[place] += sign * step
                values.append(penalty(judge, shown).detach())
                parameter.data[place] -= sign * step
            slope = (values[0] - values[1]) / (2 * step)
            assert slope[place[0]].item() == pytest.approx(gradient[place].item(), rel=1e-6, abs=1e-7)
            assert all(slope[run] == 0 for run in range(RUNS) if run != place[0])


@pytest.mark.parametrize("name", OF_POINTS)
@pytest.mark.parametrize("weight", [0.7, WEIGHTS], ids=["one weight", "a weight each"])
def test_a_weight_multiplies_each_runs_own_penalty(weight, name, device):
    judge, shown = judge_of(name).to(device), on(device, batch())
    penalised = game_of(judge, of_weight(name, weight, device))
    added = penalised.loss("discriminator", shown) - game_of(judge).loss("discriminator", shown)
    own = ALL[name](judge, shown).tolist()
    weights = weight if isinstance(weight, list) else [weight] * RUNS
    assert added.tolist() == pytest.approx([w * p for w, p in zip(weights, own, strict=True)], rel=1e-9, abs=1e-12)


def test_two_penalties_add_up():
    judge, shown = judge_of("r1"), batch()
    both = game_of(judge, of_weight("r1", 0.5), of_weight("r2", 2.0)).loss("discriminator", shown)
    parts = [weight * ALL[name](judge, shown) for name, weight in (("r1", 0.5), ("r2", 2.0))]
    assert_close(both, game_of(judge).loss("discriminator", shown) + sum(parts))


@pytest.mark.parametrize("name", ALL)
def test_a_penalty_of_weight_zero_moves_no_parameter(name, device):
    recipe = bigan() if name in OF_PAIRS else moons(points=None)
    without, zero, some = (
        assembled(recipe | {"penalties": penalties}, range(3), device)
        for penalties in ([], [{"name": name, "weight": 0}], [{"name": name, "weight": [0.0, 0.5, 0.0]}])
    )
    for runs in (without, zero, some):
        train(runs, 10)
    weights = [list(runs.game.discriminator.parameters()) for runs in (without, zero, some)]
    for a, b, c in zip(*weights, strict=True):
        assert_close(a, b, rtol=1e-6, atol=1e-6)
        assert_close(a[[0, 2]], c[[0, 2]], rtol=1e-6, atol=1e-6)
    assert not torch.allclose(weights[0][-2][1], weights[2][-2][1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_a_runs_penalty_does_not_depend_on_its_neighbours(name):
    judge, shown = judge_of(name), batch()
    among, parts = ALL[name](judge, shown), {key: part.clone() for key, part in parts_of(shown).items()}
    for part in parts.values():
        part[1] = 100.0
    assert ALL[name](judge, Pairs(**parts))[[0, 2]].tolist() == among[[0, 2]].tolist()
    for run in range(RUNS):
        one = judge_of(name, runs=1)
        for own, all_of_them in zip(one.parameters(), judge.parameters(), strict=True):
            own.data.copy_(all_of_them.data[[run]])
        by_itself = Pairs(**{key: part[[run]] for key, part in parts_of(shown).items()})
        assert ALL[name](one, by_itself).item() == pytest.approx(among[run].item(), rel=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_a_penalty_sends_no_gradient_to_what_made_its_points(name):
    judge, shown = judge_of(name), batch()
    sources = {key: getattr(shown, key).requires_grad_() for key in ("fake", "code", "reconstruction")}
    penalty = ALL[name](judge, changed(shown, **{key: 2 * source for key, source in sources.items()}))
    to_judge, *others = torch.autograd.grad(penalty.sum(), [judge.body[0].weight, *sources.values()], allow_unused=True)
    assert to_judge.any() and others == [None] * len(sources)


class Operations(TorchDispatchMode):
    """The names of the operations that torch carries out."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.names.append(str(operation))
        return operation(*args, **(kwargs or {}))


@pytest.mark.parametrize("weight", [0.1, [0.1, 0.2]], ids=["one weight", "a weight each"])
@pytest.mark.parametrize("name", ALL)
def test_a_step_takes_no_numbers_from_python_which_a_cuda_graph_could_not_replay(name, weight):
    recipe = bigan(reconstruction=weight) if name in OF_PAIRS else moons(points=None, optimiser=ADAM)
    recipe["players"]["discriminator"]["clip"] = 0.5
    runs = assembled(recipe | {"penalties": [{"name": name, "weight": weight}]}, range(2), CPU)
    drawn_before = runs.draw(0)
    with Operations() as carried_out:
        runs.move(*drawn_before)
    assert "aten.bmm.default" in carried_out.names and "aten.lift_fresh.default" not in carried_out.names


def test_a_penalty_that_the_game_does_not_have_is_refused_with_those_that_it_has():
    plain = moons()
    plain["players"]["discriminator"] = player([4], "relu")
    allowed = dict.fromkeys(("r3", "pairwise"), (plain, "r1, r2, wgan_gp, zero_centred"))
    allowed |= dict.fromkeys(("r1", "wgan_gp"), (bigan(), "pairwise, pairwise_probability, pairwise_zero, r1_of_pairs"))
    for name, (recipe, known) in allowed.items():
        with pytest.raises(StudyError, match=f"unknown penalty '{name}': allowed are {known}"):
            population(recipe | {"penalties": [{"name": name, "weight": 1}]}, [0], CPU)


LAZY = {"plain": {}, "three turns a step": {"turns": {"discriminator": 3}}}


@pytest.mark.parametrize("case", LAZY.values(), ids=LAZY)
@pytest.mark.parametrize("every", [1, 2, 4])
def test_a_lazy_penalty_is_added_at_every_so_many_turns_so_many_times_as_heavy(every, case):
    weights = [0.1, 0.0, 2.0]
    lazy, by_hand = (
        assembled(moons(points=None) | case | {"penalties": penalties}, range(3), CPU)
        for penalties in ([{"name": "r1", "weight": weights, "every": every}], [])
    )
    heavy, turns = (
        Penalty(OF_POINTS["r1"], every * torch.tensor(weights)),
        case.get("turns", {}).get("discriminator", 1),
    )

    class ByHand(GAN):
        """The same game, whose penalty is switched on and off from here."""

        def discriminator_loss(self, batch, discriminator):
            loss = super().discriminator_loss(batch, discriminator)
            made.append(len(made) % every == 0)
            return loss + heavy(discriminator, batch) if made[-1] else loss

    made, steps = [], 9
    by_hand.game.__class__ = ByHand
    train(lazy, steps)
    train(by_hand, steps)
    assert len(made) == steps * turns and sum(made) == -(-len(made) // every)
    for found, expected in zip(lazy.state(), by_hand.state(), strict=True):
        assert_close(found, expected, rtol=1e-6, atol=1e-7)


def test_a_penalty_that_is_always_due_trains_to_the_same_bits_as_one_that_says_nothing_of_it():
    said, unsaid = (
        assembled(moons(points=None) | {"penalties": [{"name": "r1", "weight": 0.3} | more]}, range(3), CPU)
        for more in ({"every": 1}, {})
    )
    train(said, 10)
    train(unsaid, 10)
    assert same(said.state(), unsaid.state())


@pytest.mark.parametrize("stop", [1, 5, 8])
def test_a_training_with_lazy_penalties_goes_on_from_a_checkpoint_to_the_same_bits(stop, device, tmp_path):
    penalties = [{"name": "r1", "weight": 0.3, "every": 4}, {"name": "r2", "weight": 0.2, "every": 3}]
    recipe = moons(points=None, optimiser=ADAM) | {"penalties": penalties, "turns": {"discriminator": 2}}
    _, whole, resumed = whole_and_resumed(recipe, 13, stop, device, tmp_path)
    assert same(resumed.state(), whole.state())


@pytest.mark.parametrize("case", LAZY.values(), ids=LAZY)
def test_a_penalty_that_starts_late_goes_on_from_the_state_without_it_and_one_that_stops_from_the_state_with_it(case):
    start, more = 4, 5

    def trained(steps, *penalties, state=None):
        runs = assembled(moons(points=None, optimiser=ADAM) | case | {"penalties": list(penalties)}, range(3), CPU)
        for tensor, value in zip(runs.state(), state or runs.state(), strict=True):
            tensor.detach().copy_(value)
        for step in range(*steps):
            runs.move(*runs.draw(step), step=step)
        return [tensor.detach().clone() for tensor in runs.state()]

    always = {"name": "r1", "weight": 0.3}
    for before, after, window in (([], [always], {"start": start}), ([always], [], {"stop": start})):
        saved = trained((0, start), *before)
        assert same(trained((0, start), always | window), saved)
        on_from_there = trained((start, start + more), *after, state=saved)
        assert same(trained((0, start + more), always | window), on_from_there)
        assert not same(on_from_there, trained((0, start + more), *before))


def test_steps_outside_a_penaltys_window_do_none_of_its_work():
    penalties = [{"name": "r1", "weight": 0.3, "start": 2, "stop": 4}]
    runs = assembled(moons(points=None) | {"penalties": penalties, "turns": {"discriminator": 2}}, range(2), CPU)
    assert [runs.due(step) for step in range(6)] == [(False,) * 2] * 2 + [(True,) * 2] * 2 + [(False,) * 2] * 2


@pytest.mark.parametrize(("window", "fault"), [({"start": -1}, "start of"), ({"start": 5, "stop": 5}, "stop of")])
def test_a_window_that_cannot_be_is_refused(window, fault):
    with pytest.raises(StudyError, match=f"{fault} the penalty 'r1'"):
        population(moons() | {"penalties": [{"name": "r1", "weight": 1, **window}]}, [0], CPU)


def test_steps_without_a_lazy_penalty_do_none_of_its_work():
    runs = assembled(moons(points=None) | {"penalties": [{"name": "r1", "weight": 0.3, "every": 3}]}, range(2), CPU)
    products = []
    for step in range(6):
        with Operations() as carried_out:
            runs.move(*runs.draw(step), step=step)
        products.append(carried_out.names.count("aten.bmm.default"))
    assert products[0] == products[3] > products[1] == products[2] == products[4] == products[5]
    assert [runs.due(step) for step in range(4)] == [(True,), (False,), (False,), (True,)]


def test_r1_and_r2_are_two_penalties_of_one_game():
    both = assembled(
        moons(points=None) | {"penalties": [{"name": name, "weight": 0.3} for name in ("r1", "r2")]}, range(3), CPU
    )
    batch = both.game.batch(*both.draw(0)).detached()
    assert_close(
        both.game.loss("discriminator", batch),
        game_of(both.game.discriminator).loss("discriminator", batch)
        + 0.3 * sum(OF_POINTS[name](both.game.discriminator, batch) for name in ("r1", "r2")),
    )
