"""Generated points: numbers of them, and the points themselves."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import torch
from torch import Tensor

from gancore.metrics import MEASURES, chosen, measured
from gancore.metrics.described import POINT, Quantity
from gancore.observers.kinds import Kind
from gancore.observers.needs import known_latents, known_target, players_of
from gancore.streams import generator_of
from gancore.training.loop import Measure
from gancore.training.population import Population
from gancore.values import NOTHING, Count, Values, each

CHUNK = 2**22  # numbers generated at once: 16 MB
QUANTITY = Values(
    "the name of a measure such as " + ", ".join(name for family in MEASURES.values() for name in family.quantities),
    lambda name: isinstance(name, str) and any(name in family.quantities for family in MEASURES.values()),
)


def sampler(runs: Population, count: int) -> Callable[[], Tensor]:
    """Generated points (R, count, D) from latents that stay the same over a run's whole life."""
    z = evaluated(known_latents(runs), runs, count)
    parts = z.split(max(1, CHUNK // (len(runs.seeds) * known_target(runs).dimensions)), 1)
    (generator,) = players_of(runs, "generator")

    @torch.no_grad()
    def sample() -> Tensor:
        return torch.cat([generator(part) for part in parts], 1)

    return sample


def evaluated(source: Any, runs: Population, count: int) -> Tensor:
    """Points of a distribution, each run's own, the same over its whole life: (R, count, D)."""
    return torch.stack([evaluation_points(source, seed, count) for seed in runs.seeds]).to(runs.device)


def evaluation_points(source: Any, seed: int, count: int) -> Tensor:
    """The points of a distribution on which a seed's run is judged: (count, D)."""
    return torch.from_numpy(source.draw(count)(generator_of(seed, "evaluation"), 1)[0])


def measures(
    runs: Population, *, points: Count, which: Annotated[Sequence[str] | None, each(QUANTITY) | NOTHING] = None
) -> Measure:
    """Measures of `points` generated points, each (R, ...): the target's usual ones, or those named by `which`."""
    target = known_target(runs)
    names, sample = list(chosen(target, which)), sampler(runs, points)
    return lambda earlier: measured(sample(), target, names)


def snapshots(runs: Population, *, points: Count) -> Measure:
    """`points` generated points of the first run, often enough to animate."""
    sample = sampler(runs, points)
    return lambda earlier: {"snapshots": sample()[:1]}


def portraits(runs: Population, *, points: Count) -> Measure:
    """`points` generated points of every run."""
    sample = sampler(runs, points)
    return lambda earlier: {"portraits": sample()}


KINDS = {
    "measures": Kind(measures, "step"),
    "snapshots": Kind(
        snapshots,
        "frame",
        {"snapshots": Quantity("generated points", ("point", "axis"), grain=POINT, of_first=True)},
    ),
    "portraits": Kind(portraits, "moment", {"portraits": Quantity("generated points", ("place", "axis"), grain=POINT)}),
}
