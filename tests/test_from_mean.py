"""Generators that start at the mean of the real points, against means taken by numpy."""

import numpy as np
import pytest
import torch
from arms import ADAM, CPU, player

from gancore.data.images import TrafficScene, digits
from gancore.errors import StudyError
from gancore.nets.from_mean import FromMean
from gancore.recipes.build import population
from gancore.training.loop import train

STARTS = {"output": "tanh", "starts": "mean"}
CONVOLUTIONS = {"network": "convolutional", "channels": [4], "strides": [2], "activation": "leaky_relu"}
UNIFORM = {"name": "uniform"}


def recipe(generator, **more):
    """A plain GAN on the small digits, whose last layer starts at 0 where its initial weights do."""
    players = {"generator": generator | STARTS, "discriminator": player([8], "tanh", ADAM, UNIFORM)}
    target = {"name": "pictures", "images": "digits"}
    base = {"target": target, "latent": 3, "batch": 12, "objective": "non_saturating"}
    return base | {"players": players, "steps": 5, "observe": {}} | more


NOTHING_YET = {"name": "normal", "weight": 0.0, "bias": 0.0}
GENERATORS = {
    "mlp": player([9], "tanh", ADAM, NOTHING_YET),
    "convolutional": CONVOLUTIONS | {"initialiser": NOTHING_YET, "optimiser": ADAM},
}


@pytest.mark.parametrize("network", GENERATORS)
def test_a_generator_that_makes_nothing_yet_draws_the_mean_image(network):
    runs = population(recipe(GENERATORS[network]), [3, 8], CPU)
    fake = runs.game.generator(torch.randn(2, 7, 3))
    mean = np.clip(digits().train.double().numpy().mean(0), -0.999, 0.999)
    assert fake.detach().numpy() == pytest.approx(np.broadcast_to(mean, fake.shape), abs=1e-5)


def test_a_generator_of_the_traffic_scene_starts_at_its_mean_frame():
    scene = {"name": "traffic", "rush": 5}
    runs = population(recipe(GENERATORS["mlp"], target=scene), [4], CPU)
    mean = TrafficScene(rush=5).labelled(40_000, np.random.default_rng(1))[0].mean(0)
    fake = runs.game.generator(torch.randn(1, 3, 3))[0].detach().numpy()
    assert abs(fake - mean).max() < 0.02


@pytest.mark.parametrize("network", GENERATORS)
def test_its_bias_is_learned_run_by_run_and_a_run_hangs_on_its_seed_alone(network):
    generator = GENERATORS[network] | {"initialiser": UNIFORM}
    together, alone = (population(recipe(generator), seeds, CPU) for seeds in ([3, 8], [8]))
    before = together.game.generator.bias.detach().clone()
    for runs in (together, alone):
        train(runs, 3)
    assert not torch.equal(before[0], together.game.generator.bias[0])
    torch.testing.assert_close(together.game.generator.bias[1], alone.game.generator.bias[0])


@pytest.mark.parametrize("output", ["identity", "tanh", "sigmoid"])
def test_the_bias_is_where_the_output_gives_the_mean(output):
    mean = torch.tensor([0.2, 0.5, 0.9])
    zero = torch.nn.Identity()
    assert torch.allclose(FromMean(zero, 2, mean, output)(torch.zeros(2, 1, 3)), mean.expand(2, 1, 3))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"starts": "zero"}, "starts of the generator = 'zero': allowed is"),
        ({"output": "relu"}, "output of the generator, which starts at the mean, 'relu'"),
    ],
)
def test_a_start_that_cannot_be_is_said(change, sentence):
    generator = GENERATORS["mlp"] | STARTS | change
    players = recipe(generator)["players"] | {"generator": generator}
    with pytest.raises(StudyError, match=sentence):
        population(recipe(generator, players=players), [0], CPU)


def test_discriminators_and_points_of_no_images_have_no_mean_to_start_at():
    players = recipe(GENERATORS["mlp"])["players"]
    players["discriminator"] |= {"starts": "mean"}
    with pytest.raises(StudyError, match="'starts' is unknown in the discriminator"):
        population(recipe(GENERATORS["mlp"], players=players), [0], CPU)
    ring = {"name": "ring", "modes": 8, "deviation": 0.01}
    with pytest.raises(StudyError, match="the generator starts at the mean of 'ring': allowed for images of any kind"):
        population(recipe(GENERATORS["mlp"], target=ring), [0], CPU)
