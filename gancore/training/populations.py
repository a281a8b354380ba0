"""A population from its parts: what each run draws, from streams of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from gancore.games import Game
from gancore.remedies import Remedies
from gancore.streams import Stream, uniform
from gancore.training.optimisers import Optimiser
from gancore.training.population import Population

CPU = torch.device("cpu")


def population_of(
    seeds: Sequence[int],
    game: Game,
    optimisers: Mapping[str, Optimiser],
    target: Any,
    latents: Any,
    batch: int,
    turns: Mapping[str, int] | None = None,
    remedies: Remedies | None = None,
    device: torch.device = CPU,
    dtype: torch.dtype = torch.float32,
) -> Population:
    """R runs of a game, one a seed: in each step every player is shown `batch` points and latents.

    A player with more `turns` in a step sees others in each. Raises StudyError as `Population` does.
    """
    turns, remedies = turns or {}, Remedies() if remedies is None else remedies
    drawn = batch * max(turns.values(), default=1)

    def stream(name: str, draw: Any) -> Stream:
        return Stream(seeds, name, draw, device, dtype)

    return Population(
        seeds=seeds,
        game=game,
        optimisers=optimisers,
        real=stream("data", target.draw(drawn)),
        noise=stream("latents", latents.draw(drawn)),
        mixing=stream("mixing", uniform((drawn, 1))),
        turns=turns,
        remedies=remedies,
        chance={
            remedy: stream(f"remedy {number}", uniform((drawn, remedy.DRAWS)))
            for number, remedy in enumerate(remedies)
            if remedy.DRAWS
        },
        target=target,
        latents=latents,
    )
