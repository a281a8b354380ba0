"""The convolutional networks of flat images: each run is an ordinary network of torch's own layers."""

import pytest
import torch
from arms import drawn
from torch import nn
from torch.testing import assert_close

from gancore.errors import StudyError
from gancore.nets.convolutions import Conv2d, ConvTranspose2d
from gancore.nets.dcgan import JointConvolutional, convolutional_encoder, convolutional_generator
from gancore.nets.layers import he, initialise
from gancore.penalties import squared_slope

MANY, SOME = range(100, 106), (100, 103, 105)
IMAGE, LATENT = (2, 12), 5
POINTS = IMAGE[0] * IMAGE[1] ** 2
WIDTHS = {"generator": [LATENT], "encoder": [POINTS], "joint": [POINTS, LATENT]}  # of what a network is given
MAKERS = {
    "generator": lambda runs: convolutional_generator(runs, LATENT, IMAGE, [8, 4], [2, 2], "relu", "tanh"),
    "encoder": lambda runs: convolutional_encoder(runs, IMAGE, [4, 8], [2, 2], LATENT, "leaky_relu", "identity"),
    "joint": lambda runs: JointConvolutional(runs, IMAGE, [4, 8], [2, 2], LATENT, 6, "leaky_relu"),
}


def made(name, seeds=MANY):
    network = MAKERS[name](len(seeds))
    initialise(network, seeds, name, he())
    return network


def inputs(name):
    return [drawn(len(MANY), 7, width, seed=width).float() for width in WIDTHS[name]]


def filled(module, layer, run):
    """An ordinary module with the weights of one run of a layer, in double precision."""
    module.load_state_dict({"weight": layer.weight[run].detach(), "bias": layer.bias[run, :, 0].detach()})
    return module.double()


def linear(layer, run):
    outputs, inputs = layer.weight.shape[1:]
    return filled(nn.Linear(inputs, outputs), layer, run)


def convolutions(network, run, kind, ordinary):
    found = [layer for layer in network.modules() if isinstance(layer, kind)]
    return [filled(ordinary(layer.weight.shape[2], layer.weight.shape[1], 4, 2, 1), layer, run) for layer in found]


def generator_alone(network, run):
    first, second = convolutions(network, run, ConvTranspose2d, lambda o, i, *window: nn.ConvTranspose2d(i, o, *window))
    start = linear(network[0], run)
    return nn.Sequential(
        start, nn.ReLU(), nn.Unflatten(1, (8, 3, 3)), first, nn.ReLU(), second, nn.Tanh(), nn.Flatten()
    )


def encoder_alone(network, run):
    first, second = convolutions(network, run, Conv2d, nn.Conv2d)
    last = linear(network[-1], run)
    return nn.Sequential(
        nn.Unflatten(1, (2, 12, 12)), first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2), nn.Flatten(), last
    )


def joint_alone(network, run):
    leaky = nn.LeakyReLU(0.2)
    image, latent = encoder_alone(network.image, run), linear(network.latent, run)
    hidden, score = (linear(layer, run) for layer in network.both)
    return lambda x, z: score(leaky(hidden(torch.cat([leaky(image(x)), leaky(latent(z))], 1))))


ALONE = {"generator": generator_alone, "encoder": encoder_alone, "joint": joint_alone}


@pytest.mark.parametrize("name", MAKERS)
def test_a_network_equals_an_ordinary_one_run_by_run(name, device):
    network, given = made(name), inputs(name)
    found = network.to(device)(*(t.to(device) for t in given)).cpu()
    network.cpu()
    for run in range(len(MANY)):
        expected = ALONE[name](network, run)(*(t[run].double() for t in given))
        assert_close(found[run].double(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MAKERS)
def test_a_network_depends_on_its_seed_alone(name, device):
    among, given = made(name).to(device), [t.to(device) for t in inputs(name)]
    found = among(*given)
    for seed in SOME:
        alone, run = made(name, [seed]).to(device), MANY.index(seed)
        for one, all_of_them in zip(alone.parameters(), among.parameters(), strict=True):
            assert torch.equal(one[0], all_of_them[run])
        assert_close(alone(*(t[run : run + 1] for t in given))[0], found[run], rtol=1e-5, atol=1e-5)


def test_the_gradient_of_a_slope_penalty_is_each_runs_own():
    network, (x,) = made("encoder"), inputs("encoder")
    penalty = squared_slope(network, x)
    weights = [p for name, p in network.named_parameters() if name.endswith("weight")]
    slopes = torch.autograd.grad(penalty.sum(), weights)
    for run in range(len(MANY)):
        one, point = encoder_alone(network, run), x[run].double().requires_grad_()
        (slope,) = torch.autograd.grad(one(point).sum(), point, create_graph=True)
        own = slope.square().sum(1).mean()
        assert_close(penalty[run].double(), own, rtol=1e-4, atol=1e-5)
        expected = torch.autograd.grad(own, [p for name, p in one.named_parameters() if name.endswith("weight")])
        for all_of_them, alone in zip(slopes, expected, strict=True):
            assert_close(all_of_them[run].double(), alone, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", MAKERS)
def test_initialising_reaches_every_parameter(name):
    network = MAKERS[name](2)
    for parameter in network.parameters():
        parameter.data.fill_(torch.nan)
    initialise(network, [0, 1], name, he())
    assert all(parameter.isfinite().all() for parameter in network.parameters())


SHAPES = [((1, 32), [16, 8, 4], [2, 2, 2]), ((3, 28), [8, 4], [2, 2]), ((1, 6), [2], [2]), ((1, 32), [8, 4], [2, 4])]


@pytest.mark.parametrize("image, channels, strides", SHAPES)
def test_a_generators_images_are_what_an_encoder_reads(image, channels, strides):
    generator = convolutional_generator(2, 3, image, channels, strides, "relu", "tanh")
    initialise(generator, [0, 1], "generator", he())
    x = generator(torch.zeros(2, 5, 3))
    assert x.shape == (2, 5, image[0] * image[1] ** 2)
    encoder = convolutional_encoder(2, image, channels[::-1], strides[::-1], 4, "relu", "identity")
    assert encoder(x).shape == (2, 5, 4)


BAD = [(28, [4, 4, 4], [2, 2, 2]), (9, [4], [2]), (32, [], []), (32, [4], [3]), (32, [4, 4], [2]), (28, [4, 4], [4, 2])]


@pytest.mark.parametrize("side, channels, strides", BAD)
def test_layers_that_do_not_fit_the_side_are_refused_in_a_sentence(side, channels, strides):
    for make in (
        lambda: convolutional_generator(1, 2, (1, side), channels, strides, "relu", "tanh"),
        lambda: convolutional_encoder(1, (1, side), channels, strides, 1, "relu", "identity"),
        lambda: JointConvolutional(1, (1, side), channels, strides, 2, 4, "relu"),
    ):
        with pytest.raises(StudyError, match=f"images of side {side} through convolutions"):
            make()
