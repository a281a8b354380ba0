"""VEEGAN against its losses written out, run by run and point by point."""

import torch
from arms import CPU, bigan, ordinary
from torch.testing import assert_close

from gancore.recipes.build import population
from gancore.training.loop import train

RECIPE = bigan() | {"game": "veegan"}
SEEDS = [3, 4, 5]


def taken_apart(runs, run):
    """A run's generator, encoder and discriminator as ordinary networks."""
    outputs = {"generator": "identity", "encoder": "sigmoid", "discriminator": "identity"}
    stacked = {name: getattr(network, "body", network) for name, network in runs.game.players.items()}
    return (ordinary(network, run, "tanh", output=outputs[name]) for name, network in stacked.items())


def test_each_player_minimises_what_the_paper_says():
    runs = population(RECIPE, SEEDS, CPU, torch.float64)
    batch = runs.game.batch(*runs.draw(0))
    found = {player: runs.game.loss(player, batch) for player in runs.game.players}
    for run in range(len(SEEDS)):
        generator, encoder, discriminator = taken_apart(runs, run)
        points = list(zip(batch.real[run], batch.z[run], strict=True))
        lost, taken, told = [], [], []
        for x, z in points:
            fake = generator(z)
            lost.append(((z - encoder(fake)) ** 2).sum())
            score = discriminator(torch.cat([fake, z]))
            taken.append(-torch.sigmoid(score).log())
            real = discriminator(torch.cat([x, encoder(x)]))
            told.append((-torch.sigmoid(real).log() - (1 - torch.sigmoid(score)).log()) / 2)
        expected = {
            "generator": torch.stack(taken).mean() + torch.stack(lost).mean(),
            "encoder": torch.stack(lost).mean(),
            "discriminator": torch.stack(told).mean(),
        }
        for player, loss in expected.items():
            assert_close(found[player][run], loss.detach(), check_dtype=False, rtol=1e-6, atol=1e-9)


def test_the_reconstructor_does_not_move_the_generator_and_noise_is_found_again():
    runs = population(RECIPE | {"steps": 400}, SEEDS, CPU)
    batch = runs.game.batch(*runs.draw(0))
    (slope,) = torch.autograd.grad(
        runs.game.loss("encoder", batch).sum(), runs.game.generator[0].weight, allow_unused=True
    )
    assert slope is None
    losses = train(runs, 400).first_losses[0][:, 1]
    after = runs.game.loss("encoder", runs.game.batch(*runs.draw(400)))
    assert (after < losses).all() and after.median() < losses.median() / 2
