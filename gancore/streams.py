"""Random numbers of a run: pure functions of its seed, a name and the step.

No generator state is kept: a stream can be asked for any step, so a resumed run needs nothing but
its step number, and seed 7 alone draws what seed 7 draws among 64. The numbers are numpy's, made on
the CPU, so a run sees the same noise on every device.
"""

import zlib
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

Draw = Callable[[np.random.Generator, int], np.ndarray]

BLOCK = 64  # steps drawn at once: starting a generator costs as much as some thousand numbers


def generator_of(seed: int, name: str, block: int = 0) -> np.random.Generator:
    """The generator that belongs to one seed (0 or more), one stream's name and one block of steps."""
    return np.random.default_rng((seed, zlib.crc32(name.encode()), block))


class Stream:
    """What R runs draw at each step: `stream(step)` is a tensor (R, *shape) of the `dtype`.

    `draw(rng, n)` gives n steps of one run, an array (n, *shape), in single precision whatever the `dtype` is.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        name: str,
        draw: Draw,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ):
        self.seeds, self.name, self.draw, self.device, self.dtype = seeds, name, draw, device, dtype
        self._block, self._drawn = -1, torch.empty(0)

    def __call__(self, step: int) -> Tensor:
        block, offset = divmod(step, BLOCK)
        if block != self._block:
            # A seed that several runs share, as in a sweep, is drawn once.
            each = {seed: self.draw(generator_of(seed, self.name, block), BLOCK) for seed in set(self.seeds)}
            runs = [each[seed] for seed in self.seeds]
            drawn = torch.from_numpy(np.stack(runs, axis=1))  # (BLOCK, R, *shape)
            self._drawn = drawn.to(self.device, self.dtype)
            self._block = block
        return self._drawn[offset]


def normal(shape: tuple[int, ...]) -> Draw:
    """Standard normal numbers: a draw for `Stream`."""
    return lambda rng, n: rng.standard_normal((n, *shape), dtype=np.float32)


def uniform(shape: tuple[int, ...]) -> Draw:
    """Numbers uniform on [0, 1): a draw for `Stream`."""
    return lambda rng, n: rng.random((n, *shape), dtype=np.float32)
