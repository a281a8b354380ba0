"""Minibatch discrimination against a plain loop over points, and that no point is compared with the other kind."""

import pytest
import torch
from arms import ADAM, CPU, NORMAL_THROUGHOUT, drawn, moons, player, same, trained, whole_and_resumed
from torch.testing import assert_close

from gancore.errors import StudyError
from gancore.nets.minibatch import Closeness
from gancore.observers import observers
from gancore.recipes.build import population

KERNELS, DIMENSIONS = 3, 2


def recipe(**more):
    arm = moons(points=None, optimiser=ADAM, initialiser=NORMAL_THROUGHOUT, **more)
    discriminator = player([7, 5], "tanh", ADAM, NORMAL_THROUGHOUT)
    discriminator |= {"network": "minibatch", "kernels": KERNELS, "kernel_dimensions": DIMENSIONS}
    return arm | {"players": arm["players"] | {"discriminator": discriminator}}


def closeness_by_loops(weight, f):
    """o(x_i)_k of one run: weight (kernels * dimensions, A), features (B, A) -> (B, kernels)."""
    m = [(weight @ x).reshape(KERNELS, DIMENSIONS) for x in f]
    o = torch.zeros(len(f), KERNELS, dtype=f.dtype)
    for i in range(len(f)):
        for k in range(KERNELS):
            o[i, k] = sum(torch.exp(-(m[i][k] - m[j][k]).abs().sum()) for j in range(len(f)))
    return o


def test_the_layer_adds_how_close_each_point_is_to_its_batch_as_in_a_plain_loop():
    layer, f = Closeness(4, 6, KERNELS, DIMENSIONS).double(), drawn(4, 9, 6)
    torch.nn.init.normal_(layer.weight, std=0.5)
    found = layer(f)
    assert torch.equal(found[..., :6], f)
    for run in range(4):
        assert_close(found[run, :, 6:], closeness_by_loops(layer.weight[run], f[run]))


def test_equal_points_are_as_close_as_can_be_and_distant_ones_as_a_point_alone():
    layer = Closeness(1, 2, KERNELS, DIMENSIONS)
    torch.nn.init.normal_(layer.weight)
    assert (layer(torch.ones(1, 8, 2))[..., 2:] == 8).all()
    assert_close(layer(torch.arange(16.0).reshape(1, 8, 2) * 1e4)[..., 2:], torch.ones(1, 8, KERNELS))


def scores_by_parts(network, run, x):
    """The scores of one run's batch, layer by layer."""
    hidden, closeness, last = network
    for layer in hidden:
        x = torch.tanh(x @ layer.weight[run].T + layer.bias[run].T)
    x = torch.cat([x, closeness_by_loops(closeness.weight[run], x)], 1)
    return x @ last.weight[run].T + last.bias[run].T


def test_a_discriminator_compares_its_last_hidden_layer_run_by_run():
    runs = population(recipe(), range(3), CPU, torch.float64)
    x, network = runs.real(0), runs.game.discriminator
    for run in range(3):
        assert_close(network(x)[run], scores_by_parts(network, run, x[run]))


def test_other_fakes_leave_the_scores_of_real_points_bit_for_bit_and_the_other_way_round():
    runs = population(recipe(), range(3), CPU)
    game, shown = runs.game, []
    objective = game.objective

    def watched(real, fake):
        shown.append((real.detach(), fake.detach()))
        return objective.discriminator(real, fake)

    game.objective = type(objective)(watched, objective.generator)
    batch = game.batch(*runs.draw(0))
    for other in (batch, type(batch)(batch.real, batch.z, batch.epsilon, batch.fake + 5)):
        game.loss("discriminator", other)
    (real, fake), (same_real, other_fake) = shown
    assert torch.equal(real, same_real) and not torch.equal(fake, other_fake)
    game.loss("discriminator", type(batch)(batch.real + 5, batch.z, batch.epsilon, batch.fake))
    assert torch.equal(shown[-1][1], fake) and not torch.equal(shown[-1][0], real)


def test_a_score_hangs_on_the_other_points_of_its_own_run_alone():
    network, x = population(recipe(), range(3), CPU).game.discriminator, torch.randn(3, 6, 2)
    before, other = network(x), x.clone()
    other[1, 0] += 1
    after = network(other)
    assert torch.equal(after[[0, 2]], before[[0, 2]])
    assert (after[1] != before[1]).all()


def test_runs_train_as_each_would_alone():
    together = trained(recipe(), [3, 8], 30)
    for run, seed in enumerate((3, 8)):
        for all_of_them, one in zip(together, trained(recipe(), [seed], 30), strict=True):
            assert_close(all_of_them[[run]], one, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("penalty", ["r1", "wgan_gp"])
def test_its_penalties_are_differentiable_and_a_training_with_them_resumes_to_the_same_bits(penalty, device, tmp_path):
    arm = recipe() | {"penalties": [{"name": penalty, "weight": 0.1}]}
    record, whole, resumed = whole_and_resumed(arm, 12, 5, device, tmp_path)
    assert record.diverged.tolist() == [-1, -1] and same(resumed.state(), whole.state())


def test_only_a_discriminator_of_points_can_be_one():
    arm = recipe()
    arm["players"]["generator"] = arm["players"]["discriminator"]
    with pytest.raises(StudyError, match="unknown network of the generator 'minibatch': allowed are mlp, conv"):
        population(arm, [0], CPU)


@pytest.mark.parametrize(("key", "value"), [("kernels", 0), ("kernel_dimensions", 1.5), ("hidden", [])])
def test_its_sizes_are_checked(key, value):
    arm = recipe()
    arm["players"]["discriminator"][key] = value
    with pytest.raises(StudyError, match=f"{key} of the discriminator"):
        population(arm, [0], CPU)


def test_its_scores_are_not_observed_as_if_they_were_of_points_alone():
    arm = recipe(observe={"arrows": {"times": 1, "half_width": 1, "places": 3}})
    with pytest.raises(StudyError, match="the game's discriminator judges a point by its batch"):
        observers(arm["observe"], arm["steps"], population(arm, [0], CPU))
