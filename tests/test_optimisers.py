"""The stacked optimisers are torch's, run by run."""

import pytest
import torch
from torch.testing import assert_close

from gancore.training.optimisers import SGD, Adam, Clipped

RUNS, STEPS = 4, 100
SHAPES = [(5, 3), (5, 1)]

PAIRS = {
    "sgd": (SGD, {}, torch.optim.SGD, {}),
    "sgd with momentum": (SGD, {"momentum": 0.9}, torch.optim.SGD, {"momentum": 0.9}),
    "sgd with a momentum each": (SGD, {"momentum": [0.5] * RUNS}, torch.optim.SGD, {"momentum": 0.5}),
    "adam": (Adam, {}, torch.optim.Adam, {}),
    "adam with a momentum each": (Adam, {"beta1": [0.5] * RUNS}, torch.optim.Adam, {"betas": (0.5, 0.999)}),
    "adam of the gan papers": (
        Adam,
        {"beta1": 0.5, "beta2": 0.99, "epsilon": 1e-6},
        torch.optim.Adam,
        {"betas": (0.5, 0.99), "eps": 1e-6},
    ),
}
RATES = {"one rate": 1e-3, "a rate each": [1e-2, 3e-3, 1e-3, 0.0]}


def descend_alone(kind, start, gradients, rate, **settings):
    """One run's parameters after torch's own optimiser took every gradient in turn."""
    parameters = [torch.nn.Parameter(p.clone()) for p in start]
    optimiser = kind(parameters, lr=rate, **settings)
    for step in gradients:
        for parameter, gradient in zip(parameters, step, strict=True):
            parameter.grad = gradient.clone()
        optimiser.step()
    return [p.detach() for p in parameters]


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_stacked_parameters_move_as_under_torch_optim(pair, rate, device):
    stacked, settings, textbook, textbook_settings = pair
    numbers = torch.Generator().manual_seed(0)
    start = [torch.randn(RUNS, *shape, generator=numbers).to(device) for shape in SHAPES]
    gradients = [[torch.randn(RUNS, *s, generator=numbers).to(device) for s in SHAPES] for _ in range(STEPS)]
    found = [torch.nn.Parameter(p.clone()) for p in start]
    optimiser = stacked(found, rate, **settings)
    for step in gradients:
        optimiser.step(step)
    rates = rate if isinstance(rate, list) else [rate] * RUNS
    for run in range(RUNS):
        own = [[g[run] for g in step] for step in gradients]
        alone = descend_alone(textbook, [p[run] for p in start], own, rates[run], **textbook_settings)
        for all_of_them, one in zip(found, alone, strict=True):
            assert_close(all_of_them[run].detach(), one, rtol=1e-6, atol=1e-6)


MOMENTA = {
    "sgd": (SGD, "momentum", [0.0, 0.5, 0.9, 0.99], torch.optim.SGD, lambda own: {"momentum": own}),
    "adam": (Adam, "beta1", [0.0, 0.5, 0.9, 0.99], torch.optim.Adam, lambda own: {"betas": (own, 0.999)}),
}


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize("kind", MOMENTA)
def test_each_run_has_its_own_momentum_as_under_torch_optim(kind, rate, device):
    stacked, name, momenta, textbook, settings_of = MOMENTA[kind]
    numbers = torch.Generator().manual_seed(0)
    start = [torch.randn(RUNS, *shape, generator=numbers).to(device) for shape in SHAPES]
    gradients = [[torch.randn(RUNS, *s, generator=numbers).to(device) for s in SHAPES] for _ in range(STEPS)]
    found = [p.clone() for p in start]
    optimiser = stacked(found, rate, **{name: momenta})
    for step in gradients:
        optimiser.step(step)
    rates = rate if isinstance(rate, list) else [rate] * RUNS
    for run, momentum in enumerate(momenta):
        own = [[g[run] for g in step] for step in gradients]
        alone = descend_alone(textbook, [p[run] for p in start], own, rates[run], **settings_of(momentum))
        for all_of_them, one in zip(found, alone, strict=True):
            assert_close(all_of_them[run], one, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_the_state_is_all_that_an_optimiser_remembers(pair):
    stacked, settings, _, _ = pair
    numbers = torch.Generator().manual_seed(0)
    gradients = [[torch.randn(RUNS, *shape, generator=numbers) for shape in SHAPES] for _ in range(20)]
    first = [torch.zeros(RUNS, *shape) for shape in SHAPES]
    optimiser = stacked(first, 1e-2, **settings)
    for step in gradients[:10]:
        optimiser.step(step)
    second = [p.clone() for p in first]
    successor = stacked(second, 1e-2, **settings)
    for memory, value in zip(successor.state(), optimiser.state(), strict=True):
        memory.copy_(value)
    for step in gradients[10:]:
        optimiser.step(step)
        successor.step(step)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("pair", [PAIRS["sgd with momentum"], PAIRS["adam"]], ids=["sgd", "adam"])
def test_a_clipped_optimiser_is_torchs_and_then_a_clamp(pair, device):
    stacked, settings, textbook, textbook_settings = pair
    numbers, bound, rate = torch.Generator().manual_seed(0), 0.02, 1e-2
    start = [torch.randn(RUNS, *shape, generator=numbers).to(device) for shape in SHAPES]
    gradients = [[torch.randn(RUNS, *s, generator=numbers).to(device) for s in SHAPES] for _ in range(STEPS)]
    found = [p.clone() for p in start]
    expected = [torch.nn.Parameter(p.clone()) for p in start]
    clipped = Clipped(stacked(found, rate, **settings), bound)
    alone = textbook(expected, lr=rate, **textbook_settings)
    for step in gradients:
        clipped.step(step)
        for parameter, gradient in zip(expected, step, strict=True):
            parameter.grad = gradient
        alone.step()
        for parameter in expected:
            parameter.data.clamp_(-bound, bound)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other.detach(), rtol=1e-5, atol=1e-6)
    share = torch.cat([p.flatten() for p in found]).abs().eq(bound).float().mean()
    assert 0 < share < 1 and clipped.parameters is clipped.optimiser.parameters
    assert all(a is b for a, b in zip(clipped.state(), clipped.optimiser.state(), strict=True))


@pytest.mark.parametrize("until", [STEPS, STEPS // 2, 1])
def test_a_rate_that_falls_to_zero_is_torchs_linear_schedule(until, device):
    numbers = torch.Generator().manual_seed(0)
    start = [torch.randn(RUNS, *shape, generator=numbers).to(device) for shape in SHAPES]
    found, expected = [p.clone() for p in start], [torch.nn.Parameter(p.clone()) for p in start]
    falling, alone = Adam(found, 1e-2, until=until), torch.optim.Adam(expected, 1e-2)
    schedule = torch.optim.lr_scheduler.LinearLR(alone, start_factor=1.0, end_factor=0.0, total_iters=until)
    for made in range(STEPS):
        before = [p.clone() for p in found]
        gradients = [torch.randn(p.shape, generator=numbers).to(device) for p in start]
        falling.step(gradients)
        for parameter, gradient in zip(expected, gradients, strict=True):
            parameter.grad = gradient
        alone.step()
        schedule.step()
        for one, other, was in zip(found, expected, before, strict=True):
            assert_close(one, other.detach(), rtol=2e-6, atol=2e-6)
            assert torch.equal(one, was) == (made >= until)
