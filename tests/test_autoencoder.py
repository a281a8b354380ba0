"""The autoencoder against a textbook loop over ordinary networks, run by run."""

import pytest
import torch
from arms import ADAM, CPU, bigan, ordinary
from torch.testing import assert_close

from gancore.errors import StudyError
from gancore.observers import observers
from gancore.recipes.build import population
from gancore.training.loop import train

SEEDS, STEPS = [3, 4, 5], 12
OUTPUTS = {"generator": "identity", "encoder": "sigmoid"}


def autoencoder(**more):
    """The recipe of generator and encoder of a line of Gaussians; `more` replaces or adds whole entries."""
    recipe = bigan(game="autoencoder")
    del recipe["objective"], recipe["players"]["discriminator"]
    return recipe | more


def textbook(generator, encoder, batches):
    """One autoencoder as a tutorial would write it, but that its halves move in turn: yields each step's losses."""
    halves = {"generator": generator, "encoder": encoder}
    adam = {name: torch.optim.Adam(p.parameters(), ADAM["rate"], (ADAM["beta1"], 0.999)) for name, p in halves.items()}
    for x in batches:
        losses = {}
        for name in halves:
            loss = torch.nn.functional.mse_loss(generator(encoder(x)), x)
            adam[name].zero_grad()
            loss.backward()
            adam[name].step()
            losses[name] = loss.item()
        yield losses


def test_whole_steps_are_those_of_the_textbook_loop(device):
    runs = population(autoencoder(), SEEDS, device)
    players = runs.game.players
    apart = [
        {name: ordinary(network, run, "tanh", output=OUTPUTS[name]).cpu() for name, network in players.items()}
        for run in range(len(SEEDS))
    ]
    losses = torch.stack([runs.move(*runs.draw(step)).cpu() for step in range(STEPS)])
    for run, halves in enumerate(apart):
        batches = [runs.draw(step)[0][run].cpu().double() for step in range(STEPS)]
        expected = list(textbook(**halves, batches=batches))
        for name, column in zip(players, losses[:, run].T.tolist(), strict=True):
            assert column == pytest.approx([step[name] for step in expected], rel=1e-4, abs=1e-5)
        for name, network in players.items():
            for stacked, one in zip(network.parameters(), halves[name].parameters(), strict=True):
                assert_close(stacked[run].cpu().reshape(one.shape).double(), one, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_reconstructions_become_better():
    recipe = autoencoder(steps=2000, observe={"inversions": {"times": 1, "points": 200}})
    runs = population(recipe, SEEDS, CPU)
    errors = train(runs, 2000, list(observers(recipe["observe"], recipe["steps"], runs).values())).observed["x_error"]
    assert (errors[-1] < 0.2 * errors[0]).all()


@pytest.mark.parametrize("part", [{"objective": "non_saturating"}, {"penalties": []}, {"turns": {"discriminator": 2}}])
def test_what_belongs_to_a_discriminator_is_refused(part):
    with pytest.raises(StudyError, match="is unknown in the recipe"):
        population(autoencoder(**part), SEEDS, CPU)
