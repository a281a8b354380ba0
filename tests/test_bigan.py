"""The BiGAN against a textbook loop over ordinary networks, run by run."""

import pytest
import torch
from arms import ADAM, CPU, bigan, ordinary, penalty_of_run, same
from losses import averaged, paired
from torch import nn
from torch.testing import assert_close

from gancore.errors import StudyError
from gancore.recipes.build import assembled, population
from gancore.streams import BLOCK
from gancore.training.loop import train

SEEDS, STEPS = [3, 4, 5], 12
OUTPUTS = {"generator": "identity", "encoder": "sigmoid", "discriminator": "identity"}
PAIRWISE = [{"name": "pairwise", "weight": 0.2}]
CASES = {
    "plain": {},
    "reconstruction": {"reconstruction": 0.5},
    "a reconstruction weight each": {"reconstruction": [0.0, 0.5, 3.0]},
    "pairwise": {"penalties": PAIRWISE},
    "pairwise of the probability, a weight each": {
        "penalties": [{"name": "pairwise_probability", "weight": [0.1, 0.0, 1.0]}]
    },
    "both": {"penalties": PAIRWISE, "reconstruction": 1.0},
}


def taken_apart(runs, run):
    """A run's players as they are now, ordinary and in double precision."""
    players = runs.game.players
    stacked = {name: getattr(network, "body", network) for name, network in players.items()}
    return {name: ordinary(network, run, "tanh", output=OUTPUTS[name]).cpu() for name, network in stacked.items()}


def own(value, run):
    return value[run] if isinstance(value, list) else value


def taken_for(objective, score, label):
    """What a player loses who wants pairs with these scores to be taken for real ones (1) or for fakes (0)."""
    if objective in ("wasserstein", "hinge"):
        return (1 - 2 * label) * score.mean()
    entropy, labels = nn.BCEWithLogitsLoss(), torch.ones_like(score)
    return entropy(score, label * labels) if objective == "non_saturating" else -entropy(score, (1 - label) * labels)


def told_apart(objective, real, fake):
    if objective == "wasserstein":
        return fake.mean() - real.mean()
    if objective == "hinge":
        return nn.functional.relu(1 - real).mean() + nn.functional.relu(1 + fake).mean()
    entropy = nn.BCEWithLogitsLoss()
    return (entropy(real, torch.ones_like(real)) + entropy(fake, torch.zeros_like(fake))) / 2


def textbook(players, drawn, recipe, run):
    """One BiGAN as a tutorial would write it: yields each step's losses, and what each optimiser was given."""
    generator, encoder, discriminator = players.values()
    adam = {name: torch.optim.Adam(p.parameters(), ADAM["rate"], (ADAM["beta1"], 0.999)) for name, p in players.items()}
    objective, reconstruction = recipe["objective"], own(recipe.get("reconstruction", 0.0), run)

    def judge(x, z):
        return discriminator(torch.cat([x, z], 1))

    for x, z, epsilon in drawn:
        fake, code = generator(z), encoder(x)
        x_hat = generator(code.detach())
        losses, gradients = {}, {}

        def descend(name, loss, losses=losses, gradients=gradients):
            adam[name].zero_grad()
            loss.backward(retain_graph=True)
            losses[name], gradients[name] = loss.item(), [p.grad.clone() for p in players[name].parameters()]

        loss = taken_for(objective, judge(fake, z), 1) + reconstruction * (x - x_hat).square().sum(1).mean()
        descend("generator", loss)
        adam["generator"].step()
        descend("encoder", taken_for(objective, judge(x, code), 0))
        adam["encoder"].step()
        loss = told_apart(objective, judge(x, code.detach()), judge(fake.detach(), z))
        shown = {"real": x, "code": code.detach(), "reconstruction": x_hat.detach(), "epsilon": epsilon}
        for penalty in recipe.get("penalties", []):
            loss = loss + own(penalty["weight"], run) * penalty_of_run(penalty["name"], discriminator, shown)
        descend("discriminator", loss)
        adam["discriminator"].step()
        yield losses, gradients


def parts_of(runs, run, steps):
    return [[part[run].cpu().double() for part in runs.draw(step)] for step in range(steps)]


@pytest.mark.parametrize("objective", ["hinge", "minimax", "non_saturating", "wasserstein"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_players_loss_and_gradient_are_those_of_ordinary_networks_run_by_run(case, objective, device):
    recipe = bigan(objective=objective) | case
    runs = assembled(recipe, SEEDS, device)
    found = {}
    for name, network in runs.game.players.items():
        loss = runs.game.loss(name, runs.game.batch(*runs.draw(0)))
        found[name] = loss.detach(), torch.autograd.grad(loss.sum(), list(network.parameters()))
    assert list(found) == ["generator", "encoder", "discriminator"]
    for run in range(len(SEEDS)):
        ((losses, gradients),) = textbook(taken_apart(runs, run), parts_of(runs, run, 1), recipe, run)
        for name, (loss, gradient) in found.items():
            assert loss[run].item() == pytest.approx(losses[name], rel=1e-5, abs=1e-5)
            for all_of_them, one in zip(gradient, gradients[name], strict=True):
                assert_close(all_of_them[run].cpu().reshape(one.shape).double(), one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_whole_steps_are_those_of_the_textbook_loop(case, device):
    recipe = bigan() | case
    runs = assembled(recipe, SEEDS, device)
    players = [taken_apart(runs, run) for run in range(len(SEEDS))]
    losses = torch.stack([runs.move(*runs.draw(step)).cpu() for step in range(STEPS)])
    for run, own_players in enumerate(players):
        expected = [step for step, _ in textbook(own_players, parts_of(runs, run, STEPS), recipe, run)]
        for name, column in zip(runs.game.players, losses[:, run].T.tolist(), strict=True):
            assert column == pytest.approx([step[name] for step in expected], rel=1e-4, abs=1e-4)
        for name, network in runs.game.players.items():
            for stacked, one in zip(network.parameters(), own_players[name].parameters(), strict=True):
                assert_close(stacked[run].cpu().reshape(one.shape).double(), one, rtol=1e-4, atol=1e-4)


def test_a_loss_reaches_no_player_through_what_another_one_made():
    """The encoder is no way to a better reconstruction, and the discriminator's loss no way to worse fakes."""
    runs = population(bigan() | CASES["both"], SEEDS, CPU)
    reached = {}
    for name in runs.game.players:
        loss = runs.game.loss(name, runs.game.batch(*runs.draw(0))).sum()
        slopes = {
            player: torch.autograd.grad(loss, list(network.parameters()), retain_graph=True, allow_unused=True)
            for player, network in runs.game.players.items()
        }
        reached[name] = {player for player, slope in slopes.items() if any(s is not None for s in slope)}
    assert reached == {
        "generator": {"generator", "discriminator"},
        "encoder": {"encoder", "discriminator"},
        "discriminator": {"discriminator"},
    }


def test_only_the_movers_parameters_ask_for_gradients():
    runs, asked = population(bigan() | CASES["both"], SEEDS, CPU), {}
    plain_loss = runs.game.loss

    def watched_loss(mover, batch, discriminator):
        players = runs.game.players.items()
        asked[mover] = [name for name, network in players if any(p.requires_grad for p in network.parameters())]
        return plain_loss(mover, batch, discriminator)

    runs.game.loss = watched_loss
    runs.move(*runs.draw(0))
    assert asked == {name: [name] for name in ("generator", "encoder", "discriminator")}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_run_depends_on_its_seed_alone(case, device):
    among, (place, seed) = assembled(bigan() | case, SEEDS, device), (2, SEEDS[2])
    recipe = bigan() | {
        key: [p | {"weight": own(p["weight"], place)} for p in value] if key == "penalties" else own(value, place)
        for key, value in case.items()
    }
    alone = population(recipe, [seed], device)
    for one, all_of_them in zip(alone.state(), among.state(), strict=True):
        assert one.dim() == 0 or torch.equal(one[0], all_of_them[place])
    losses = torch.stack(train(among, 20).first_losses)
    assert_close(torch.stack(train(alone, 20).first_losses)[:, 0], losses[:, place], rtol=1e-5, atol=1e-5)


def test_no_two_players_begin_alike():
    runs = population(bigan(), SEEDS, CPU)
    first = [network.state_dict() for network in runs.game.players.values()]
    drawn = [tuple(weights[next(iter(weights))].flatten()[:5].tolist()) for weights in first]
    assert len(set(drawn)) == 3


SWEEP = {
    "reconstruction": {"sets": ["reconstruction"], "values": [0, 0.5, 2]},
    "penalty": {"sets": ["penalties.0.weight"], "values": [0, 1.0]},
}


def test_a_sweep_of_reconstruction_and_penalty_is_its_cells_trained_one_by_one(device):
    recipe = bigan() | CASES["both"]
    together, run = population(recipe | {"sweep": SWEEP}, SEEDS, device), 0
    losses = torch.stack(train(together, STEPS).first_losses)
    ended = set()
    for seed in SEEDS:
        for reconstruction in SWEEP["reconstruction"]["values"]:
            for weight in SWEEP["penalty"]["values"]:
                cell = {"reconstruction": reconstruction, "penalties": [PAIRWISE[0] | {"weight": weight}]}
                alone = population(recipe | cell, [seed], device)
                own_losses = torch.stack(train(alone, STEPS).first_losses)[:, 0]
                assert_close(losses[:, run], own_losses, rtol=1e-5, atol=1e-5)
                for stacked, one in zip(together.state(), alone.state(), strict=True):
                    assert one.dim() == 0 or torch.allclose(stacked[run], one[0], rtol=1e-5, atol=1e-5)
                ended.add(tuple(losses[-1, run].tolist()))
                run += 1
    assert run == len(together.seeds) == len(ended)


def test_a_training_that_is_resumed_ends_with_the_same_bits(device, tmp_path):
    recipe = bigan(turns={"discriminator": 2}) | CASES["both"]
    first, resumed, whole = (population(recipe, SEEDS, device) for _ in range(3))
    train(first, BLOCK + 5, checkpoint=tmp_path / "bigan.pt", every_seconds=0.0)
    train(resumed, BLOCK + 15, checkpoint=tmp_path / "bigan.pt")
    train(whole, BLOCK + 15)
    assert same(resumed.state(), whole.state()) and not same(first.state(), whole.state())


@pytest.mark.parametrize("objective", ["relativistic", "relativistic_average"])
def test_an_encoder_under_an_objective_that_compares_wants_its_pairs_below_the_generators(objective):
    runs = population(bigan(objective=objective), SEEDS, CPU)
    game, batch = runs.game, runs.game.batch(*runs.draw(0))
    real, fake = (game.discriminator(*pair) for pair in game.pairs(batch))
    loss = {"relativistic": paired, "relativistic_average": averaged}[objective]
    for name, (winning, losing) in {"generator": (fake, real), "encoder": (fake, real)}.items():
        expected = torch.stack([loss(winning[run], losing[run]) for run in range(len(SEEDS))])
        assert_close(game.loss(name, batch), expected)
    expected = torch.stack([loss(real[run], fake[run]) for run in range(len(SEEDS))])
    assert_close(game.loss("discriminator", batch), expected)


@pytest.mark.parametrize("objective", ["least_squares", {"name": "f_gan", "divergence": "kl"}])
def test_an_objective_whose_scores_have_no_sign_is_refused(objective):
    with pytest.raises(StudyError, match="allowed is one in which real and fake then change places"):
        population(bigan(objective=objective), SEEDS, CPU)
