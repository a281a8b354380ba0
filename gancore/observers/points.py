"""Generated points: numbers of them, and the points themselves."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from gancore.choices import choose
from gancore.data.targets import latent_of, target_of
from gancore.metrics import MEASURES
from gancore.streams import generator_of
from gancore.training.loop import Measure, Population
from gancore.values import Count

CHUNK = 2**22  # numbers generated at once: 16 MB


def sampler(recipe: Mapping[str, Any], runs: Population, count: int) -> Callable[[], Tensor]:
    """Generated points (R, count, D) from latents that stay the same over a run's whole life."""
    z = evaluated(latent_of(recipe), runs, count)

    parts = z.split(max(1, CHUNK // (len(runs.seeds) * target_of(recipe).dimensions)), 1)

    @torch.no_grad()
    def sample() -> Tensor:
        return torch.cat([runs.game.players["generator"](part) for part in parts], 1)

    return sample


def evaluated(source: Any, runs: Population, count: int) -> Tensor:
    """Points of a distribution, each run's own, the same over its whole life: (R, count, D)."""
    return torch.stack([evaluation_points(source, seed, count) for seed in runs.seeds]).to(runs.noise.device)


def evaluation_points(source: Any, seed: int, count: int) -> Tensor:
    """The points of a distribution on which a seed's run is judged: (count, D)."""
    return torch.from_numpy(source.draw(count)(generator_of(seed, "evaluation"), 1)[0])


def measures(recipe: Mapping[str, Any], runs: Population, *, points: Count) -> Measure:
    """The target's measures of `points` generated points, each (R,)."""
    measure, target = choose(MEASURES, recipe["target"]["name"], "target with measures"), target_of(recipe)
    sample = sampler(recipe, runs, points)
    return lambda earlier: measure(sample(), target)


def snapshots(recipe: Mapping[str, Any], runs: Population, *, points: Count) -> Measure:
    """`points` generated points of the first run, often enough to animate."""
    sample = sampler(recipe, runs, points)
    return lambda earlier: {"snapshots": sample()[:1]}


def portraits(recipe: Mapping[str, Any], runs: Population, *, points: Count) -> Measure:
    """`points` generated points of every run."""
    sample = sampler(recipe, runs, points)
    return lambda earlier: {"portraits": sample()}


KINDS = {"measures": measures, "snapshots": snapshots, "portraits": portraits}
CLOCKS = {"measures": "step", "snapshots": "frame", "portraits": "moment"}
DIMENSIONS = {
    "snapshots": ("drawn", "frame", "point", "axis"),
    "portraits": ("seed", "moment", "place", "axis"),
    "captured_within": ("seed", "step", "within"),
    "frequency_ratio": ("seed", "step", "lane"),
}
