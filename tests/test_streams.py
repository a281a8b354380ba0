"""The random numbers of a run are pure functions of its seed, the stream's name and the step."""

import numpy as np
import torch
from arms import CPU
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gancore.streams import BLOCK, Stream, generator_of, normal, uniform

SEEDS = st.integers(0, 2**63)
STEPS = st.integers(0, 10**6)


def normal_stream(seeds, name="latents", device=CPU, shape=(3, 2)):
    return Stream(seeds, name, normal(shape), device)


@given(seed=SEEDS, steps=st.lists(STEPS, min_size=1, max_size=6), data=st.data())
def test_any_order_of_asking_gives_the_same(seed, steps, data):
    once = {step: normal_stream([seed])(step) for step in steps}
    stream = normal_stream([seed])
    for step in data.draw(st.permutations(steps + steps)):
        assert torch.equal(stream(step), once[step])


@given(seeds=st.lists(SEEDS, min_size=2, max_size=5, unique=True), step=STEPS)
def test_a_seed_draws_alone_what_it_draws_among_others(seeds, step):
    together = normal_stream(seeds)(step)
    assert together.shape == (len(seeds), 3, 2) and together.dtype == torch.float32
    for run, seed in enumerate(seeds):
        assert torch.equal(together[run], normal_stream([seed])(step)[0])


@given(seed=SEEDS, other=SEEDS, step=STEPS, later=STEPS)
def test_other_seeds_names_and_steps_draw_other_numbers(seed, other, step, later):
    here = normal_stream([seed])(step)
    assert not torch.equal(here, normal_stream([seed], name="data")(step))
    assert seed == other or not torch.equal(here, normal_stream([other])(step))
    assert step == later or not torch.equal(here, normal_stream([seed])(later))


def test_a_whole_block_comes_from_one_generator():
    stream = normal_stream([5])
    for block in (0, 3):
        expected = generator_of(5, "latents", block).standard_normal((BLOCK, 3, 2), dtype=np.float32)
        found = torch.cat([stream(block * BLOCK + offset) for offset in range(BLOCK)])
        assert np.array_equal(found.numpy(), expected)


def test_every_device_sees_the_same_numbers(device):
    assert torch.equal(normal_stream([1, 2], device=device)(70).cpu(), normal_stream([1, 2])(70))


def test_normal_numbers_are_independent_standard_normals():
    stream = normal_stream(range(20), shape=(32, 2))
    numbers = torch.stack([stream(step) for step in range(3 * BLOCK)]).double()  # (steps, R, 32, 2)
    assert stats.kstest(numbers[::16].flatten().numpy(), "norm").pvalue > 0.001
    assert abs(stats.skew(numbers.flatten())) < 0.02 and abs(stats.kurtosis(numbers.flatten())) < 0.05
    for axis in range(4):
        a, b = numbers.narrow(axis, 0, 1), numbers.narrow(axis, 1, 1)
        assert abs(np.corrcoef(a.flatten(), b.flatten())[0, 1]) < 5 / np.sqrt(a.numel())


def test_uniform_numbers_are_independent_and_uniform_on_the_unit_interval():
    stream = Stream(range(20), "mixing", uniform((32, 1)), CPU)
    numbers = torch.stack([stream(step) for step in range(BLOCK)])  # (steps, R, 32, 1)
    assert numbers.dtype == torch.float32 and numbers.min() >= 0 and numbers.max() < 1
    assert stats.kstest(numbers[::8].double().flatten().numpy(), "uniform").pvalue > 0.001
    for axis in range(3):
        a, b = numbers.narrow(axis, 0, 1), numbers.narrow(axis, 1, 1)
        assert abs(np.corrcoef(a.flatten(), b.flatten())[0, 1]) < 5 / np.sqrt(a.numel())


def test_the_stream_calls_its_draw_with_the_seeds_own_generator():
    stream = Stream([4, 9], "data", lambda rng, n: rng.integers(10, size=(n, 6)), CPU)
    expected = [generator_of(seed, "data", 1).integers(10, size=(BLOCK, 6))[2] for seed in (4, 9)]
    assert stream(BLOCK + 2).tolist() == np.stack(expected).tolist()
