"""The replica axis: R networks computed as one are R networks, each on its own."""

import pytest
import torch
from arms import ADAM, CPU, MODULES, NORMAL, NORMAL_THROUGHOUT, SGD, moons, ordinary, runs_of
from hypothesis import assume, given
from hypothesis import strategies as st
from losses import LOSSES
from scipy import stats
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call
from torch.testing import assert_close

from gancore.nets.architectures import mlp
from gancore.nets.layers import ACTIVATIONS, Linear, he, initialise, normal, normal_throughout, uniform
from gancore.recipes.build import population
from gancore.training.loop import train

MANY = range(100, 164)
SOME = (100, 107, 163)
WITHOUT_SETTINGS = [case for case in LOSSES if isinstance(case[0], str)]
INITIALISERS = {
    "normal": normal(1.0, 0.01),
    "normal_throughout": normal_throughout(0.5, 0.5),
    "he": he(),
    "uniform": uniform(),
}


def initialised(seeds, activation, draw):
    network = mlp(len(seeds), [2, 16, 8, 3], activation)
    initialise(network, seeds, "generator", draw)
    return network


@pytest.mark.parametrize("initialiser", INITIALISERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_depends_on_its_seed_alone(activation, initialiser, device):
    draw = INITIALISERS[initialiser]
    among = initialised(MANY, activation, draw).to(device)
    x = torch.randn(64, 32, 2, generator=torch.Generator().manual_seed(0)).to(device)
    for seed in SOME:
        alone, run = initialised([seed], activation, draw).to(device), MANY.index(seed)
        for one, all_of_them in zip(alone.parameters(), among.parameters(), strict=True):
            assert torch.equal(one[0], all_of_them[run])
        assert_close(alone(x[run : run + 1])[0], among(x)[run], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("optimiser", [SGD, ADAM], ids=["sgd", "adam"])
@pytest.mark.parametrize("points", [32, None])
@pytest.mark.parametrize("latent", [2, 4])
@pytest.mark.parametrize("initialiser", [NORMAL, NORMAL_THROUGHOUT], ids=["normal", "normal_throughout"])
def test_a_run_of_the_moons_depends_on_its_seed_alone(latent, points, optimiser, initialiser, device):
    arm = dict(latent=latent, points=points, optimiser=optimiser, initialiser=initialiser, device=device)
    among = runs_of(MANY, **arm)
    start = [t.clone() for t in among.state()]
    losses = torch.stack(train(among, 20).first_losses)
    for seed in SOME:
        alone, run = runs_of([seed], **arm), MANY.index(seed)
        for one, all_of_them in zip(alone.state(), start, strict=True):
            assert one.dim() == 0 or torch.equal(one[0], all_of_them[run])
        assert_close(torch.stack(train(alone, 20).first_losses)[:, 0], losses[:, run], rtol=1e-5, atol=1e-5)


def test_weights_do_not_repeat_over_seeds_or_players():
    first, second = runs_of([0, 1]), runs_of([2])
    weights = [first.state()[0][0], first.state()[0][1], second.state()[0][0]]
    assert len({tuple(w.flatten().tolist()) for w in weights}) == 3
    network = mlp(1, [2, 16, 8, 3], "relu")
    initialise(network, [0], "discriminator", INITIALISERS["normal"])
    assert not torch.equal(network[0].weight, initialised([0], "relu", INITIALISERS["normal"])[0].weight)


def test_he_draws_normal_weights_of_variance_two_over_the_inputs_and_no_biases():
    network = mlp(20, [3, 50, 200, 10], "relu")
    initialise(network, range(20), "generator", he())
    for linear, inputs in zip(network, (3, 50, 200), strict=True):
        weights = linear.weight.detach().double().flatten() / (2 / inputs) ** 0.5
        assert stats.kstest(weights.numpy(), "norm").pvalue > 0.001
        assert not linear.bias.any()


def test_he_keeps_the_mean_square_of_a_relu_layers_inputs():
    network = mlp(4, [400, 400, 400, 400], "relu")
    initialise(network, range(4), "generator", he())
    x = torch.randn(4, 200, 400, generator=torch.Generator().manual_seed(0))
    assert_close(network(x).square().mean((1, 2)), torch.full((4,), 2.0), rtol=0.15, atol=0)


def test_uniform_draws_weights_and_biases_as_torchs_own_layers_start():
    network = mlp(20, [3, 50, 200, 10], "relu")
    initialise(network, range(20), "generator", uniform())
    for linear, inputs in zip(network, (3, 50, 200), strict=True):
        own = torch.nn.Linear(inputs, 4000)
        for name in ("weight", "bias"):
            drawn, torchs = getattr(linear, name).detach().flatten(), getattr(own, name).detach().flatten()
            assert drawn.abs().max() <= inputs**-0.5
            assert stats.ks_2samp(drawn.numpy(), torchs.numpy()).pvalue > 0.001


@pytest.mark.parametrize(
    ("objective", "told_apart", "made"), WITHOUT_SETTINGS, ids=[name for name, _, _ in WITHOUT_SETTINGS]
)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_of_the_sum_of_losses_is_each_runs_own(activation, objective, told_apart, made, device):
    recipe = moons(objective=objective, activations=(activation, activation))
    runs = population(recipe, range(5), device, torch.float64)
    real, z, epsilon = runs.draw(0)
    for mover, network in runs.game.players.items():
        loss = runs.game.loss(mover, runs.game.batch(real, z, epsilon))
        stacked = torch.autograd.grad(loss.sum(), list(network.parameters()))
        for run in range(5):
            pair = [ordinary(p, run, activation).to(device) for p in runs.game.players.values()]
            on_real, on_fake = pair[1](real[run]), pair[1](pair[0](z[run]))
            own = (made if mover == "generator" else told_apart)(on_real, on_fake)
            assert_close(loss[run], own, rtol=1e-9, atol=1e-9)
            moving = pair[list(runs.game.players).index(mover)]
            for all_of_them, one in zip(stacked, torch.autograd.grad(own, list(moving.parameters())), strict=True):
                assert_close(all_of_them[run].reshape(one.shape), one, rtol=1e-9, atol=1e-9)


def layer(activation, replicas, in_features, out_features, batch, seed):
    """A layer in double precision and a batch for it, away from the kinks of its activation."""
    numbers = torch.Generator().manual_seed(seed)
    linear = Linear(replicas, in_features, out_features, activation).double()
    for parameter in linear.parameters():
        parameter.data.normal_(generator=numbers)
    x = torch.randn(replicas, batch, in_features, generator=numbers, dtype=torch.float64, requires_grad=True)
    before = torch.einsum("rbi,roi->rbo", x, linear.weight) + linear.bias.mT
    assume(activation in ("identity", "tanh", "sigmoid") or before.abs().min() > 0.01)
    return linear, x


SIZES = st.tuples(*[st.integers(1, 4)] * 4, st.integers(0, 2**32))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@given(sizes=SIZES)
def test_a_layer_equals_torch_linear_and_its_activation_run_by_run(activation, sizes):
    linear, x = layer(activation, *sizes)
    found = linear(x)
    for run in range(len(x)):
        expected = MODULES[activation]()(
            torch.nn.functional.linear(x[run], linear.weight[run], linear.bias[run].squeeze(1))
        )
        assert_close(found[run], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@given(sizes=SIZES)
def test_a_layers_gradients_equal_finite_differences(activation, check, sizes):
    linear, x = layer(activation, *sizes)

    def output(x, weight, bias):
        return functional_call(linear, {"weight": weight, "bias": bias}, (x,))

    assert check(output, (x, linear.weight, linear.bias))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_single_precision_layers_equal_torch_to_rounding(activation, device):
    network = initialised(range(8), activation, INITIALISERS["normal"]).to(device)
    x = 3 * torch.randn(8, 200, 2, generator=torch.Generator().manual_seed(0)).to(device)
    for run in range(8):
        expected = ordinary(network, run, activation).to(device)(x[run].double())
        assert_close(network(x)[run].double(), expected, rtol=1e-5, atol=2e-5)


def test_only_the_movers_parameters_ask_for_gradients():
    runs, asked = runs_of(range(3)), []
    plain_loss = runs.game.loss

    def watched_loss(mover, batch, discriminator):
        players = runs.game.players.items()
        asked.append((mover, [name for name, network in players if any(p.requires_grad for p in network.parameters())]))
        return plain_loss(mover, batch, discriminator)

    runs.game.loss = watched_loss
    runs.move(*runs.draw(0))
    assert asked == [("generator", ["generator"]), ("discriminator", ["discriminator"])]
    assert all(p.grad is None for network in runs.game.players.values() for p in network.parameters())


@pytest.mark.parametrize("rests", ["generator", "discriminator"])
def test_a_player_at_rate_zero_keeps_every_bit_while_the_other_moves(rests):
    recipe = moons()
    recipe["players"][rests]["optimiser"] = {"name": "sgd", "rate": 0.0}
    runs = population(recipe, range(3), CPU)
    before = {name: [p.clone() for p in network.parameters()] for name, network in runs.game.players.items()}
    runs.move(*runs.draw(0))
    for name, network in runs.game.players.items():
        unchanged = [torch.equal(a, b) for a, b in zip(network.parameters(), before[name], strict=True)]
        assert all(unchanged) if name == rests else not any(unchanged)
