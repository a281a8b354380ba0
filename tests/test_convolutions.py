"""Convolutions with a replica axis: R layers computed as one are torch's layers, each on its own."""

import pytest
import torch
from arms import MODULES, drawn
from conftest import needs_cuda
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import nn
from torch.autograd import grad, gradgradcheck
from torch.func import functional_call
from torch.testing import assert_close

from gancore.nets import convolutions
from gancore.nets import layers as replicas
from gancore.nets.convolutions import ACTIVATIONS, Conv2d, ConvTranspose2d
from gancore.nets.layers import he, initialise, uniform

PAIRS = {Conv2d: nn.Conv2d, ConvTranspose2d: nn.ConvTranspose2d}
NONLINEAR = {**MODULES, "sigmoid": nn.Sigmoid}

# Replicas, batch, channels in and out, kernel, stride, padding; sides that a stride does not divide are among them.
SIZES = st.tuples(*[st.integers(1, 3)] * 4, st.integers(2, 4), st.integers(1, 3), st.integers(0, 1))


def layer(kind, activation, sizes, seed=0):
    """A layer in double precision, and images of 5 x 7 for it."""
    runs, batch, inputs, outputs, *window = sizes
    made = kind(runs, inputs, outputs, activation, *window).double()
    for index, parameter in enumerate(made.parameters()):
        parameter.data = drawn(*parameter.shape, seed=seed + index)
    return made, drawn(runs, batch, inputs, 5, 7, seed=seed + 2).requires_grad_()


def alone(made, run, activation):
    """One run of a layer, of torch's own parts."""
    _, *shape, kernel, _ = made.weight.shape
    inputs, outputs = shape if isinstance(made, ConvTranspose2d) else reversed(shape)
    module = PAIRS[type(made)](inputs, outputs, kernel, *made.window[1:]).double()
    module.load_state_dict({"weight": made.weight[run].detach(), "bias": made.bias[run, :, 0].detach()})
    return nn.Sequential(module, NONLINEAR[activation]())


def gradients(network, x):
    """Those of the summed squares, and of the squared slope in x, with respect to weights and biases."""
    parameters = list(network.parameters())
    loss = network(x).square().sum()
    (slope,) = grad(loss, x, create_graph=True)
    return [slope, *grad(loss, parameters, retain_graph=True), *grad(slope.square().sum(), parameters)]


def test_the_activations_are_those_of_the_fully_connected_layers():
    assert list(ACTIVATIONS) == list(replicas.ACTIVATIONS)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", PAIRS)
@given(sizes=SIZES)
def test_a_layer_equals_torchs_run_by_run_with_gradients_of_both_orders(kind, activation, sizes):
    made, x = layer(kind, activation, sizes)
    found, slopes = made(x), gradients(made, x)
    for run in range(len(x)):
        one, point = alone(made, run, activation), x[run].detach().requires_grad_()
        assert_close(found[run], one(point), rtol=1e-10, atol=1e-10)
        for all_of_them, own in zip(slopes, gradients(one, point), strict=True):
            assert_close(all_of_them[run].reshape(own.shape), own, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("activation", ["leaky_relu", "tanh"])
@pytest.mark.parametrize("kind", PAIRS)
def test_second_gradients_equal_finite_differences(kind, activation):
    made, x = layer(kind, activation, (2, 1, 2, 1, 4, 2, 1))

    def output(x, weight, bias):
        return functional_call(made, {"weight": weight, "bias": bias}, (x,))

    assert gradgradcheck(output, (x, made.weight, made.bias), fast_mode=True)


@pytest.mark.parametrize("kind", PAIRS)
def test_single_precision_equals_double_to_rounding(kind, device):
    made, x = layer(kind, "leaky_relu", (4, 8, 3, 6, 4, 2, 1))
    expected = [made(x), *gradients(made, x)]
    made, x = made.float().to(device), x.detach().float().to(device).requires_grad_()
    for found, exact in zip([made(x), *gradients(made, x)], expected, strict=True):
        assert_close(found.double().cpu(), exact, rtol=1e-3, atol=1e-4 * exact.abs().max().item())


@needs_cuda
@pytest.mark.parametrize("kind", PAIRS)
def test_a_cuda_graph_replays_gradients_of_both_orders(kind):
    made, x = layer(kind, "leaky_relu", (4, 8, 3, 6, 4, 2, 1))
    made, x = made.float().cuda(), x.detach().float().cuda().requires_grad_()
    expected = [t.clone() for t in gradients(made, x)]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        gradients(made, x)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = gradients(made, x)
    graph.replay()
    for found, exact in zip(captured, expected, strict=True):
        assert_close(found, exact, rtol=1e-4, atol=1e-4 * exact.abs().max().item())


def test_images_that_ask_for_no_gradient_cost_none(monkeypatch):
    made, x = layer(Conv2d, "relu", (2, 3, 1, 2, 4, 2, 1))
    overlaid, calls = convolutions._Overlaid.apply, []
    monkeypatch.setattr(convolutions._Overlaid, "apply", lambda *given: calls.append(given) or overlaid(*given))
    grad(made(x.detach()).sum(), list(made.parameters()))
    assert not calls
    grad(made(x).sum(), x)
    assert calls


@pytest.mark.parametrize("kind", PAIRS)
def test_the_defaults_halve_and_double_the_side(kind):
    found = kind(2, 3, 5)(torch.zeros(2, 4, 3, 8, 8))
    assert found.shape == (2, 4, 5, *([4, 4] if kind is Conv2d else [16, 16]))


@pytest.mark.parametrize("kind", PAIRS)
def test_he_keeps_the_mean_square_of_a_relu_layers_inputs(kind):
    network = nn.Sequential(kind(4, 32, 64))
    initialise(network, range(4), "generator", he())
    inner = network(drawn(4, 8, 32, 16, 16).float())[..., 2:-2, 2:-2]  # without the border, where inputs are missing
    assert_close(inner.square().mean((1, 2, 3, 4)), torch.full((4,), 2.0), rtol=0.1, atol=0)


def test_uniform_draws_as_torchs_own_convolution_starts():
    torch.manual_seed(0)
    network, own = nn.Sequential(Conv2d(8, 12, 32)), nn.Conv2d(12, 400, 4)
    initialise(network, range(8), "discriminator", uniform())
    for found, torchs in zip(network.parameters(), own.parameters(), strict=True):
        assert stats.ks_2samp(found.detach().flatten().numpy(), torchs.detach().flatten().numpy()).pvalue > 0.001
