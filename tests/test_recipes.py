"""What a recipe may say: the games and networks that it builds, and what it is told where it is impossible."""

import pytest
import torch
from arms import ADAM, CPU, bigan, encoder_alone, moons
from torch import nn

from gancore.data.mixtures import Line
from gancore.errors import StudyError
from gancore.games import GAN, BiGAN
from gancore.nets.architectures import Joint
from gancore.nets.dcgan import JointConvolutional
from gancore.nets.layers import Linear
from gancore.recipes.build import population
from gancore.streams import BLOCK, generator_of
from gancore.training.loop import train
from gancore.training.optimisers import Adam, Clipped

SEEDS = [2, 5]


def shapes(network):
    return [tuple(layer.weight.shape) for layer in network.modules() if isinstance(layer, Linear)]


def test_without_a_game_two_players_play_a_gan_and_with_one_three_play_a_bigan():
    plain, pairs = population(moons(latent=3), SEEDS, CPU).game, population(bigan(), SEEDS, CPU).game
    assert type(plain) is GAN and list(plain.players) == ["generator", "discriminator"]
    assert shapes(plain.generator) == [(2, 8, 3), (2, 4, 8), (2, 2, 4)]
    assert type(pairs) is BiGAN and list(pairs.players) == ["generator", "encoder", "discriminator"]
    assert shapes(pairs.generator) == [(2, 8, 1), (2, 1, 8)]
    assert shapes(pairs.encoder) == [(2, 7, 1), (2, 5, 7), (2, 1, 5)]
    assert isinstance(pairs.discriminator, Joint) and shapes(pairs.discriminator) == [(2, 9, 2), (2, 4, 9), (2, 1, 4)]


def test_players_move_in_the_games_order_however_the_recipe_lists_them():
    recipe = bigan()
    recipe["players"] = dict(reversed(recipe["players"].items()))
    assert list(population(recipe, SEEDS, CPU).optimisers) == ["generator", "encoder", "discriminator"]


def test_an_encoder_alone_is_trained_from_a_mixture_to_uniform_codes(device):
    recipe = encoder_alone(batch=64, latent={"name": "line", "modes": 4, "deviation": 0.02}, steps=150)
    runs = population(recipe, SEEDS, device)
    for run, seed in enumerate(SEEDS):
        mixture = Line(4, 0.02).draw(64)(generator_of(seed, "latents", 0), BLOCK)
        assert torch.equal(runs.noise(3)[run].cpu(), torch.from_numpy(mixture[3]))
        uniform = generator_of(seed, "data", 0).random((BLOCK, 64, 1), dtype="float32")
        assert torch.equal(runs.real(3)[run].cpu(), torch.from_numpy(uniform[3]))
    before = runs.game.generator(runs.noise(0)).detach().clone()
    assert before.min() > 0 and before.max() < 1
    record = train(runs, 150)
    after = runs.game.generator(runs.noise(0)).detach()
    assert record.diverged.tolist() == [-1, -1] and not torch.allclose(after, before, atol=0.01)
    assert after.min() > 0 and after.max() < 1


@pytest.mark.parametrize("output, low, high", [("sigmoid", 0, 1), ("tanh", -1, 1), ("relu", 0, torch.inf)])
def test_a_players_output_is_of_the_kind_that_it_names(output, low, high):
    recipe = moons()
    recipe["players"]["generator"] |= {"output": output}
    runs = population(recipe, SEEDS, CPU)
    made = runs.game.generator(100 * runs.noise(0))
    assert low <= made.min() and made.max() <= high and made.std() > 0


def test_a_player_with_a_clip_has_its_own_optimiser_clipped():
    recipe = moons(optimiser=ADAM)
    recipe["players"]["discriminator"]["clip"] = 0.01
    optimisers = population(recipe, SEEDS, CPU).optimisers
    assert type(optimisers["generator"]) is Adam
    assert type(optimisers["discriminator"]) is Clipped and optimisers["discriminator"].bound == 0.01


IMAGES = {"digits": ({"name": "pictures", "images": "digits"}, 64), "traffic": ({"name": "traffic"}, 400)}


def convolutional(target, strides=(2, 2), **more):
    """A BiGAN of images whose players are convolutional."""
    recipe = bigan(target=target, latent=3, batch=4, steps=2, **more)
    for spec in recipe["players"].values():
        del spec["hidden"]
        spec |= {
            "network": "convolutional",
            "channels": [4, 6],
            "strides": list(strides),
            "initialiser": {"name": "he"},
        }
    recipe["players"]["generator"]["output"] = "tanh"
    recipe["players"]["encoder"]["output"] = "identity"
    recipe["players"]["discriminator"] |= {"hidden": 5}
    return recipe


@pytest.mark.parametrize("images", IMAGES)
def test_convolutional_players_of_pairs_are_built_for_the_targets_images(images, device):
    target, pixels = IMAGES[images]
    strides = {"digits": (2, 2), "traffic": (2, 2)}[images]
    recipe = convolutional(target, strides, penalties=[{"name": "pairwise", "weight": 0.1}], reconstruction=0.1)
    runs = population(recipe, SEEDS, device)
    generator, encoder, discriminator = runs.game.players.values()
    real, z, _ = runs.draw(0)
    assert real.shape == generator(z).shape == (2, 4, pixels) and generator(z).abs().max() <= 1
    assert encoder(real).shape == z.shape == (2, 4, 3) and isinstance(discriminator, JointConvolutional)
    assert discriminator(real, z).shape == (2, 4, 1)
    before = [p.detach().clone() for network in runs.game.players.values() for p in network.parameters()]
    assert train(runs, 2).diverged.tolist() == [-1, -1]
    after = [p for network in runs.game.players.values() for p in network.parameters()]
    assert not any(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_convolutional_discriminator_plays_a_gan_too():
    recipe = convolutional(IMAGES["digits"][0])
    del recipe["game"], recipe["players"]["encoder"], recipe["players"]["discriminator"]["hidden"]
    runs = population(recipe | {"penalties": [{"name": "wgan_gp", "weight": 10}]}, SEEDS, CPU)
    assert isinstance(runs.game.discriminator, nn.Sequential)
    assert runs.game.discriminator(runs.real(0)).shape == (2, 4, 1)
    assert train(runs, 2).diverged.tolist() == [-1, -1]


def changed(recipe, player, **spec):
    recipe["players"][player] = {k: v for k, v in (recipe["players"][player] | spec).items() if v is not None}
    return recipe


def without(recipe, player):
    return recipe | {"players": {name: spec for name, spec in recipe["players"].items() if name != player}}


DIGITS = IMAGES["digits"][0]
WRONG = {
    "unknown game 'bigam': allowed are gan, bigan": lambda: bigan(game="bigam"),
    "unknown objective 'hinged': allowed are minimax, non_saturating": lambda: moons(objective="hinged"),
    "'encoder' is missing from players: allowed are": lambda: without(bigan(), "encoder"),
    "'encoder' is unknown in players: allowed are discriminator, generator": lambda: bigan(game="gan"),
    "unknown network of the generator 'rnn': allowed are mlp": lambda: changed(moons(), "generator", network="rnn"),
    "unknown activation 'gelu': allowed are": lambda: changed(moons(), "generator", activation="gelu"),
    "unknown output 'softmax': allowed are": lambda: changed(moons(), "generator", output="softmax"),
    "the generator is convolutional, and 'moons' has no images": lambda: changed(
        moons(), "generator", network="convolutional", hidden=None, channels=[4], strides=[2]
    ),
    "turns of the generator 2: allowed is": lambda: moons() | {"turns": {"generator": 2}},
    "turns of the discriminator 0: allowed is": lambda: moons() | {"turns": {"discriminator": 0}},
    "'reconstruction' is unknown in the recipe: allowed are": lambda: moons() | {"reconstruction": 1.0},
    "'hidden' is missing from the generator": lambda: changed(moons(), "generator", hidden=None),
    "'channels' is unknown in the generator": lambda: changed(moons(), "generator", channels=[4]),
    "'channels' is missing from the encoder": lambda: changed(convolutional(DIGITS), "encoder", channels=None),
    "'strides' is missing from the generator": lambda: changed(convolutional(DIGITS), "generator", strides=None),
    "'hidden' is missing from the discriminator": lambda: changed(convolutional(DIGITS), "discriminator", hidden=None),
    "'hidden' is unknown in the encoder": lambda: changed(convolutional(DIGITS), "encoder", hidden=[3]),
    "'penalty' is unknown in the recipe: allowed are": lambda: moons() | {"penalty": "r1"},
    "latent = 0: allowed is a whole number from 1 up": lambda: moons(latent=0),
    "unknown latent distribution 'gauss': allowed are": lambda: bigan(latent={"name": "gauss", "dimensions": 2}),
    "images of side 8 through convolutions with [4, 6] maps and strides [4, 4]: allowed are": lambda: changed(
        convolutional(DIGITS), "encoder", strides=[4, 4]
    ),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_an_impossible_recipe_is_refused_in_a_sentence(sentence):
    with pytest.raises(StudyError) as refused:
        population(WRONG[sentence](), SEEDS, CPU)
    assert str(refused.value).startswith(sentence)
