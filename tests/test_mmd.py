"""The MMD GAN by its formulas, run by run, and that its players learn what the paper wants of them."""

import math

import pytest
import torch
from arms import ADAM, CPU, NORMAL_THROUGHOUT, drawn, moons, player, same, trained, whole_and_resumed
from sklearn.metrics.pairwise import rbf_kernel
from torch.testing import assert_close

from gancore.errors import StudyError
from gancore.games.mmd import KERNELS, gaussian, rational_quadratic, squared_distances, squared_mmd
from gancore.observers import observers
from gancore.recipes.build import population
from gancore.training.loop import train


def recipe(kernel="gaussian", **more):
    arm = moons(points=None, optimiser=ADAM, initialiser=NORMAL_THROUGHOUT, **more)
    arm["players"]["discriminator"] = player([6], "tanh", ADAM, NORMAL_THROUGHOUT) | {"outputs": 3, "clip": 0.5}
    del arm["objective"]
    return arm | {"game": "mmd_gan", "kernel": {"name": kernel}}


def by_loops(k, x, y):
    """The squared MMD of two samples (B, J), pair by pair."""
    n, m = len(x), len(y)
    within_x = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_y = sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return within_x + within_y - 2 * sum(k(a, b) for a in x for b in y) / (n * m)


PAIRS = {  # of two points, written out
    "gaussian": lambda a, b: sum(math.exp(-sum((a - b) ** 2) / (2 * s * s)) for s in (1, 2, 4, 8, 16)),
    "rational_quadratic": lambda a, b: sum((1 + sum((a - b) ** 2) / (2 * s)) ** -s for s in (0.2, 0.5, 1, 2, 5)),
}


@pytest.mark.parametrize("name", KERNELS)
def test_the_squared_mmd_is_that_of_a_loop_over_pairs_run_by_run(name):
    x, y = drawn(3, 5, 2, seed=1), drawn(3, 4, 2, seed=2) + 1
    found = squared_mmd(KERNELS[name](), x, y)
    for run in range(3):
        assert found[run].item() == pytest.approx(by_loops(PAIRS[name], x[run].numpy(), y[run].numpy()))


def test_a_gaussian_kernel_is_scikit_learns():
    x, y = drawn(1, 5, 2, seed=1), drawn(1, 4, 2, seed=2)
    expected = rbf_kernel(x[0], y[0], gamma=1 / (2 * 0.7**2)) + rbf_kernel(x[0], y[0], gamma=1 / 8)
    assert_close(gaussian([0.7, 2])(squared_distances(x, y))[0], torch.from_numpy(expected))


def test_a_rational_quadratic_of_exponent_one_is_the_cauchy_kernel():
    assert_close(rational_quadratic([1])(torch.tensor([0.0, 2.0, 6.0])), torch.tensor([1, 1 / 2, 1 / 4]))


def test_the_estimate_for_two_gaussians_is_unbiased():
    """With k(x, y) = exp(-(x - y)^2 / 2): E k of N(m, 2 s^2) differences is exp(-m^2 / (2 (1 + 2 s^2))) / root."""
    x, y = drawn(4000, 3, 1, seed=1), drawn(4000, 3, 1, seed=2) + 1
    exact = 2 / math.sqrt(3) * (1 - math.exp(-1 / 6))
    found = squared_mmd(gaussian([1]), x, y)
    assert abs(found.mean().item() - exact) < 4 * found.std().item() / math.sqrt(len(found))
    none = squared_mmd(gaussian([1]), x, y - 1)
    assert abs(none.mean().item()) < 4 * none.std().item() / math.sqrt(len(none))


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_discriminator_raises_what_the_generator_lowers_each_run_its_own(kernel):
    runs = population(recipe(kernel), range(3), CPU, torch.float64)
    game, batch = runs.game, runs.game.batch(*runs.draw(0))
    assert game.discriminator(batch.real).shape == (3, 32, 3)
    expected = squared_mmd(KERNELS[kernel](), game.discriminator(batch.real), game.discriminator(batch.fake))
    assert_close(game.loss("generator", batch), expected)
    assert_close(game.loss("discriminator", batch), -expected)
    for name, network in game.players.items():
        weights = list(network.parameters())
        for run, part in enumerate(game.loss(name, batch)):
            gradients = torch.autograd.grad(part, weights, retain_graph=True)
            assert all(not gradient[[r for r in range(3) if r != run]].any() for gradient in gradients)
            assert gradients[0][run].any()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("learner", ["generator", "discriminator"])
def test_a_player_that_learns_alone_gets_what_it_wants(learner, kernel):
    arm = recipe(kernel)
    (other,) = arm["players"].keys() - {learner}
    arm["players"][other]["optimiser"] = {"name": "sgd", "rate": 0}
    del arm["players"]["discriminator"]["clip"]
    runs = population(arm, range(3), CPU)

    def loss():
        batches = [runs.game.batch(*runs.draw(step)) for step in range(20)]
        return torch.stack([runs.game.loss(learner, batch).detach() for batch in batches]).mean(0)

    before = loss()
    train(runs, 200)
    assert (loss() < before).all()


def test_runs_train_as_each_would_alone():
    together = trained(recipe(), [3, 8], 20)
    for run, seed in enumerate((3, 8)):
        for all_of_them, one in zip(together, trained(recipe(), [seed], 20), strict=True):
            assert_close(all_of_them[[run]], one, rtol=1e-3, atol=1e-4)


def test_a_training_with_remedies_goes_on_from_a_checkpoint_to_the_same_bits(device, tmp_path):
    remedies = [{"name": "packing", "size": 2}, {"name": "replay"}, {"name": "feature_matching", "adversarial": 1.0}]
    arm = recipe("rational_quadratic") | {"remedies": remedies, "turns": {"discriminator": 2}}
    record, whole, resumed = whole_and_resumed(arm, 7, 3, device, tmp_path)
    assert record.diverged.tolist() == [-1, -1] and same(resumed.state(), whole.state())


REFUSED = {
    "unknown kernel 'linear': allowed are gaussian, rational_quadratic": {"kernel": {"name": "linear"}},
    "'width' is unknown in the kernel 'gaussian': allowed are widths": {"kernel": {"name": "gaussian", "width": 1}},
    r"widths of the kernel 'gaussian' = \[0\]: allowed is": {"kernel": {"name": "gaussian", "widths": [0]}},
    "batch, of which the kernel compares pairs, = 1: allowed is a whole number from 2": {"batch": 1},
    "'penalties' is unknown in the recipe": {"penalties": []},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_cannot_be_meant_is_refused(sentence):
    with pytest.raises(StudyError, match=sentence):
        population(recipe() | REFUSED[sentence], [0], CPU)


def test_its_outputs_are_not_observed_as_scores():
    arm = recipe(observe={"arrows": {"times": 1, "half_width": 1, "places": 3}})
    with pytest.raises(StudyError, match="the game's discriminator gives a point several outputs"):
        observers(arm["observe"], arm["steps"], population(arm, [0], CPU))
