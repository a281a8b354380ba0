"""The loop against a textbook one, and what it records on the way."""

import itertools

import numpy as np
import pytest
import torch
from arms import ADAM, CPU, moons, ordinary, penalty_of_run, runs_of, same
from torch import nn
from torch.testing import assert_close

from gancore.observers import observers
from gancore.recipes.build import assembled, population
from gancore.streams import BLOCK, Stream, normal
from gancore.training.loop import FIRST_STEPS, Observer, train


def textbook(generator, discriminator, real, noise, steps, rate=5e-4):
    """One GAN as tutorials write it: yields both losses of each step."""
    probability = nn.Sequential(discriminator, nn.Sigmoid())
    of_generator = torch.optim.SGD(generator.parameters(), lr=rate)
    of_discriminator = torch.optim.SGD(discriminator.parameters(), lr=rate)
    loss, ones, zeros = nn.BCELoss(), torch.ones(len(real), 1).double(), torch.zeros(len(real), 1).double()
    for step in range(steps):
        fake = generator(noise(step))
        of_generator.zero_grad()
        generator_loss = loss(probability(fake), ones)
        generator_loss.backward()
        of_generator.step()
        of_discriminator.zero_grad()
        discriminator_loss = (loss(probability(real), ones) + loss(probability(fake.detach()), zeros)) / 2
        discriminator_loss.backward()
        of_discriminator.step()
        yield generator_loss.item(), discriminator_loss.item()


def test_the_moons_recipe_equals_the_textbook_loop(device):
    runs, steps, losses = runs_of([3, 4, 5], device), 50, []
    pairs = [[ordinary(runs.game.generator, r, "relu"), ordinary(runs.game.discriminator, r, "tanh")] for r in range(3)]
    pairs = [[network.to("cpu") for network in pair] for pair in pairs]
    for step in range(steps):
        losses.append(runs.move(*runs.draw(step)).cpu())
    for run, (generator, discriminator) in enumerate(pairs):
        real = runs.real(0)[run].cpu().double()
        expected = textbook(generator, discriminator, real, lambda s, r=run: runs.noise(s)[r].cpu().double(), steps)
        found = torch.stack(losses)[:, run].double()
        assert_close(found, torch.tensor(list(expected), dtype=torch.float64), rtol=1e-4, atol=1e-4)
        for stacked, own in ((runs.game.generator, generator), (runs.game.discriminator, discriminator)):
            for all_of_them, one in zip(stacked.parameters(), own.parameters(), strict=True):
                assert_close(all_of_them[run].cpu().reshape(one.shape).double(), one, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("optimiser", [{"name": "sgd", "rate": 5e-4, "momentum": 0.5}, ADAM], ids=["sgd", "adam"])
def test_training_equals_moving_step_by_step(optimiser, device):
    trained, moved = runs_of(range(4), device, optimiser=optimiser), runs_of(range(4), device, optimiser=optimiser)
    record = train(trained, 2 * BLOCK + 7)
    losses = [moved.move(*moved.draw(s)).cpu() for s in range(2 * BLOCK + 7)]
    for found, expected in zip(trained.state(), moved.state(), strict=True):
        assert_close(found, expected, rtol=1e-6, atol=1e-6)
    assert len(record.first_losses) == FIRST_STEPS and record.step == 2 * BLOCK + 7
    assert_close(torch.stack(record.first_losses), torch.stack(losses[:FIRST_STEPS]), rtol=1e-6, atol=1e-6)
    assert record.diverged.tolist() == [-1] * 4


def arm_of_rates(rates):
    return assembled(moons(optimiser={"name": "sgd", "rate": rates}), range(len(rates)), CPU)


def test_an_insane_rate_is_recorded_and_leaves_its_neighbours_every_bit():
    sane, insane = arm_of_rates([5e-4] * 4), arm_of_rates([5e-4, 5e-4, 1e30, 5e-4])
    twin = arm_of_rates([5e-4, 5e-4, 1e30, 5e-4])
    first = train(sane, 100)
    second = train(insane, 100)
    finite = [twin.move(*twin.draw(s))[2].isfinite().all().item() for s in range(10)]
    assert first.diverged.tolist() == [-1] * 4
    assert second.diverged.tolist() == [-1, -1, finite.index(False), -1]
    others = [0, 1, 3]
    assert same([t[others] for t in insane.state()], [t[others] for t in sane.state()])
    assert same([t[others] for t in second.first_losses], [t[others] for t in first.first_losses])


@pytest.mark.parametrize("step", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 36])
def test_a_run_diverges_at_the_step_whose_batch_broke_it(step):
    runs = runs_of(range(3))
    fine = runs.real

    def broken(s):
        real = fine(s).clone()
        real[1] *= np.nan if s == step else 1
        return real

    broken.device = fine.device
    runs.real = broken
    assert train(runs, 3 * BLOCK).diverged.tolist() == [-1, step, -1]


AT = [0, 3, BLOCK, BLOCK + 1, 100, 2 * BLOCK]


def test_observers_see_the_players_as_they_are_at_their_steps():
    runs, moved = runs_of(range(2)), runs_of(range(2))
    whole = Observer(AT, lambda earlier: {"weights": runs.state()[0].clone()})
    late = Observer([2 * BLOCK], lambda earlier: {"bias": runs.state()[1].clone()})
    record = train(runs, 2 * BLOCK, [whole, late])
    expected = {0: moved.state()[0].clone()}
    for s in range(2 * BLOCK):
        moved.move(*moved.draw(s))
        expected[s + 1] = moved.state()[0].clone()
    assert same(record.observed["weights"], [expected[s] for s in AT])
    assert same(record.observed["bias"], [moved.state()[1]])


def test_watching_changes_nothing():
    watched, unwatched = runs_of(range(3)), runs_of(range(3))
    observe = {"measures": {"times": 21, "points": 20}, "portraits": {"at": [0, 50], "points": 5}}
    recipe = moons(steps=150, observe=observe)
    record = train(watched, 150, list(observers(recipe["observe"], recipe["steps"], watched).values()))
    assert same(record.first_losses, train(unwatched, 150).first_losses)
    assert same(watched.state(), unwatched.state())
    assert len(record.observed["arc_coverage"]) == 22
    assert [tuple(portrait.shape) for portrait in record.observed["portraits"]] == [(3, 5, 2)] * 2


def test_progress_tells_the_steps_made_since_it_last_told():
    reached = []
    train(runs_of([0]), 150, [Observer([10], lambda earlier: {})], progress=reached.append)
    assert reached == [10, BLOCK - 10, BLOCK, 150 - 2 * BLOCK]


def test_the_rates_of_a_phase_diagram_are_those_of_separate_trainings():
    rates = [1e-4, 5e-4, 2e-3]
    together = arm_of_rates(rates)
    train(together, 20)
    for run, rate in enumerate(rates):
        alone = population(moons(optimiser={"name": "sgd", "rate": rate}), [run], CPU)
        train(alone, 20)
        for stacked, one in zip(together.state(), alone.state(), strict=True):
            assert_close(stacked[run], one[0], rtol=1e-5, atol=1e-5)


def test_each_step_takes_its_own_batch_and_its_own_noise():
    runs, asked = runs_of([0, 1]), []
    shapes = {"real": (32, 2), "noise": (32, 2), "mixing": (32, 1)}
    for name, shape in shapes.items():
        stream = Stream(runs.seeds, name, normal(shape), CPU)

        def noted(step, name=name, stream=stream):
            asked.append((step, name))
            return stream(step)

        noted.device = CPU
        setattr(runs, name, noted)
    train(runs, BLOCK + 3, [Observer([5], lambda earlier: {})])
    assert asked == list(itertools.product(range(BLOCK + 3), shapes))


def moved_before_there_were_turns(runs, step):
    """One step as it is when everyone has one turn, written out."""
    for optimiser in runs.optimisers.values():
        for parameter in optimiser.parameters:
            parameter.requires_grad_(True)
    batch, losses = runs.game.batch(*runs.draw(step)), []
    for player, optimiser in runs.optimisers.items():
        losses.append(runs.game.loss(player, batch))
        optimiser.step(torch.autograd.grad(losses[-1].sum(), optimiser.parameters, retain_graph=True))
    return torch.stack(losses, 1).detach()


@pytest.mark.parametrize("turns", [{}, {"discriminator": 1}], ids=["none", "one"])
def test_a_turn_each_leaves_every_bit_as_it_is_without_turns(turns):
    recipe = moons(points=None, optimiser=ADAM)
    runs, expected = population(recipe | {"turns": turns}, range(3), CPU), population(recipe, range(3), CPU)
    for step in range(10):
        assert torch.equal(runs.move(*runs.draw(step)), moved_before_there_were_turns(expected, step))
    assert same(runs.state(), expected.state())


def textbook_critic(generator, critic, parts, weight, clip):
    """One Wasserstein GAN whose critic moves once on each of a step's parts: yields both first losses of each step."""
    of_generator, of_critic = (
        torch.optim.Adam(network.parameters(), lr=ADAM["rate"], betas=(ADAM["beta1"], 0.999))
        for network in (generator, critic)
    )
    for step in parts:
        fakes, losses = [generator(z) for _, z, _ in step], []
        of_generator.zero_grad()
        losses.append(-critic(fakes[0]).mean())
        losses[0].backward()
        of_generator.step()
        for (real, _, epsilon), fake in zip(step, fakes, strict=True):
            of_critic.zero_grad()
            loss = critic(fake.detach()).mean() - critic(real).mean()
            if weight:
                shown = {"real": real, "fake": fake, "epsilon": epsilon}
                loss = loss + weight * penalty_of_run("wgan_gp", critic, shown)
            loss.backward()
            of_critic.step()
            if clip:
                for parameter in critic.parameters():
                    parameter.data.clamp_(-clip, clip)
            losses.append(loss)
        yield losses[0].item(), losses[1].item()


@pytest.mark.parametrize("weight, clip", [(0, None), (10, None), (0, 0.3)], ids=["plain", "wgan_gp", "clipped"])
def test_a_critic_with_three_turns_moves_on_three_batches_as_in_the_textbook_loop(weight, clip, device):
    recipe = moons(points=None, objective="wasserstein", activations=("tanh", "tanh"), optimiser=ADAM)
    recipe |= {"turns": {"discriminator": 3}, "batch": 8, "penalties": [{"name": "wgan_gp", "weight": weight}]}
    recipe["players"]["discriminator"] |= {"clip": clip} if clip else {}
    runs, steps, at_first = population(recipe, [3, 4], device), 8, population(recipe, [3, 4], CPU).game.players
    alone = [[ordinary(network, run, "tanh") for network in at_first.values()] for run in range(2)]
    losses = torch.stack([runs.move(*runs.draw(step)).cpu() for step in range(steps)]).double()
    for run, pair in enumerate(alone):
        drawn = [[x[run].cpu().double().split(8) for x in runs.draw(step)] for step in range(steps)]
        parts = [list(zip(*step, strict=True)) for step in drawn]
        assert {len(step) for step in parts} == {3}
        expected = list(textbook_critic(*pair, parts, weight, clip))
        assert_close(losses[:, run], torch.tensor(expected).double(), rtol=1e-4, atol=1e-4)
        for stacked, own in zip(runs.game.players.values(), pair, strict=True):
            for all_of_them, one in zip(stacked.parameters(), own.parameters(), strict=True):
                assert_close(all_of_them[run].cpu().reshape(one.shape).double(), one, rtol=1e-4, atol=1e-4)


def test_a_run_with_turns_depends_on_its_seed_alone_and_each_part_is_new():
    recipe = moons(points=None, optimiser=ADAM) | {"turns": {"discriminator": 3}}
    among, alone = population(recipe, [5, 6, 7], CPU), population(recipe, [6], CPU)
    losses = torch.stack(train(among, 20).first_losses)
    assert_close(torch.stack(train(alone, 20).first_losses)[:, 0], losses[:, 1], rtol=1e-5, atol=1e-5)
    for drawn in among.draw(0):
        first, second, third = drawn.split(32, 1)
        assert first.shape[1] == 32 and not torch.equal(first, second) and not torch.equal(second, third)


def test_a_clipped_critics_weights_stay_within_the_bound():
    recipe = moons(points=None, objective="wasserstein", optimiser={"name": "sgd", "rate": 0.1})
    recipe["players"]["discriminator"]["clip"] = 0.05
    runs = population(recipe, range(3), CPU)
    assert max(p.abs().max() for p in runs.game.discriminator.parameters()) > 1
    for step in range(20):
        runs.move(*runs.draw(step))
        assert max(p.abs().max().item() for p in runs.game.discriminator.parameters()) <= torch.tensor(0.05).item()
    assert max(p.abs().max() for p in runs.game.generator.parameters()) > 1
