"""Generated points: numbers of them, and the points themselves."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gancore.choices import choose
from gancore.metrics import MEASURES
from gancore.streams import generator_of
from gancore.targets import target_of
from gancore.train import Measure, Population


def sampler(recipe: Mapping[str, Any], runs: Population, count: int) -> Callable[[], Tensor]:
    """Generated points (R, count, D) from latents that stay the same over a run's whole life."""
    drawn = [
        generator_of(seed, "evaluation").standard_normal((count, recipe["latent"]), np.float32) for seed in runs.seeds
    ]
    z = torch.from_numpy(np.stack(drawn)).to(runs.noise.device)

    @torch.no_grad()
    def sample() -> Tensor:
        return runs.game.players["generator"](z)

    return sample


def measures(recipe: Mapping[str, Any], runs: Population, spec: Mapping[str, Any]) -> Measure:
    """The target's measures of `points` generated points, each (R,)."""
    measure, target = choose(MEASURES, recipe["target"]["name"], "target with measures"), target_of(recipe)
    sample = sampler(recipe, runs, spec["points"])
    return lambda earlier: measure(sample(), target)


def snapshots(recipe: Mapping[str, Any], runs: Population, spec: Mapping[str, Any]) -> Measure:
    """`points` generated points of the first run, often enough to animate."""
    sample = sampler(recipe, runs, spec["points"])
    return lambda earlier: {"snapshots": sample()[:1]}


def portraits(recipe: Mapping[str, Any], runs: Population, spec: Mapping[str, Any]) -> Measure:
    """`points` generated points of every run."""
    sample = sampler(recipe, runs, spec["points"])
    return lambda earlier: {"portraits": sample()}


KINDS = {"measures": measures, "snapshots": snapshots, "portraits": portraits}
CLOCKS = {"measures": "step", "snapshots": "frame", "portraits": "moment"}
DIMENSIONS = {
    "snapshots": ("drawn", "frame", "point", "axis"),
    "portraits": ("seed", "moment", "place", "axis"),
}
