"""What is observed of segments and hidden units, against players made by hand and plain loops."""

import pytest
import torch
from arms import ADAM, CPU, NORMAL_THROUGHOUT, bigan, player

from gancore.errors import StudyError
from gancore.observers import observers
from gancore.observers.points import evaluation_points
from gancore.recipes.build import population

SEEDS = [3, 8]


def watched(recipe, device=CPU):
    runs = population(recipe, SEEDS, device)
    (observer,) = observers(recipe["observe"], recipe["steps"], runs).values()
    return runs, observer.measure({})


def test_segments_are_reconstructions_and_slopes_by_finite_differences_on_the_way(device):
    recipe = bigan(observe={"segments": {"at": [0], "points": 4, "places": 3}})
    runs, found = watched(recipe, device)
    assert found["again"].shape == (2, 4, 1) and found["slope"].shape == (2, 4, 3, 1)
    game, step = runs.game, 1e-2
    real = torch.stack([evaluation_points(runs.target, seed, 4) for seed in SEEDS]).to(device)
    code = game.encoder(real)
    assert torch.allclose(found["code"], code, atol=1e-6)
    assert torch.allclose(found["again"], game.generator(code), atol=1e-6)
    for k, part in enumerate((0, 0.5, 1)):
        at = part * real + (1 - part) * found["again"]
        rise = game.discriminator(at + step, code) - game.discriminator(at - step, code)
        assert torch.allclose(found["slope"][:, :, k], rise / (2 * step), atol=2e-3)


def of_units(hidden, activation="relu", **more):
    recipe = bigan(observe={"units": {"times": 1, "points": 101}}, **more)
    recipe["players"]["generator"] = player(hidden, activation, ADAM, NORMAL_THROUGHOUT)
    return recipe


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
@pytest.mark.parametrize("remedies", [[], [{"name": "averaging"}]], ids=["as it is", "averaged"])
def test_units_bend_where_their_kink_lies_among_the_latents(activation, remedies, device):
    recipe = of_units([4], activation, remedies=remedies)
    runs = population(recipe, SEEDS, device)
    first = next(iter(runs.game.generator))
    first.weight.data[:] = torch.tensor([1.0, 1.0, 1.0, -1.0], device=device)[:, None]
    first.bias.data[:] = torch.tensor([-0.5, 0.5, -1.5, 0.2], device=device)[:, None]  # kinks at .5, -.5, 1.5, .2
    if remedies:  # what is shown is the average, which has the weights of the start
        runs.remedies[0].generator_0.copy_(first.weight.data), runs.remedies[0].generator_1.copy_(first.bias.data)
    (observer,) = observers(recipe["observe"], recipe["steps"], runs).values()
    found = observer.measure({})
    assert found["bending"].tolist() == [0.5, 0.5] and found["silent"].tolist() == [0.25, 0.25]


def test_units_of_all_layers_are_counted_as_in_a_plain_loop():
    runs, found = watched(of_units([5, 3]))
    for run, seed in enumerate(SEEDS):
        z, active = evaluation_points(runs.latents, seed, 101), []
        for layer in list(runs.game.generator)[:-1]:
            z = (z @ layer.weight[run].T + layer.bias[run, :, 0]).relu()
            active += [(z[:, unit] > 0).tolist() for unit in range(z.shape[1])]
        assert found["bending"][run].item() == pytest.approx(sum(any(a) and not all(a) for a in active) / 8)
        assert found["silent"][run].item() == pytest.approx(sum(not any(a) for a in active) / 8)


def test_a_generator_without_hidden_layers_has_no_units():
    with pytest.raises(StudyError, match="no hidden layer"):
        watched(of_units([]))
