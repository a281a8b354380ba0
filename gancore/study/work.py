"""What is to be trained: an arm's seeds, cut into populations and shared out among processes."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from gancore.observers import observers
from gancore.parameters import Share
from gancore.provenance import provenance
from gancore.recipes import build as recipes
from gancore.recipes.sweeps import cells
from gancore.study.progress import progress_bar
from gancore.study.replay import with_double_losses
from gancore.study.results import Store, as_dataset, key_of
from gancore.training.loop import train

POPULATION = 512  # runs trained together at most: more gain little and need more memory


class Piece(NamedTuple):
    """One population to be trained."""

    arm: str
    recipe: Mapping[str, Any]
    seeds: Sequence[int]


def pieces(
    arms: Mapping[str, Mapping[str, Any]], seeds: Sequence[int], share: Share, together: int = POPULATION
) -> Iterator[Piece]:
    """This share's populations: every arm's seeds in populations of at most `together` runs, dealt out in turn."""
    everything = [Piece(arm, recipe, part) for arm, recipe in arms.items() for part in _parts(recipe, seeds, together)]
    yield from everything[share.index - 1 :: share.count]


def _parts(recipe: Mapping[str, Any], seeds: Sequence[int], together: int) -> list[Sequence[int]]:
    at_once = max(1, together // cells(recipe))
    return [seeds[start : start + at_once] for start in range(0, len(seeds), at_once)]


def train_piece(piece: Piece, store: Store, device: torch.device, checkpoints: Path) -> None:
    """Train what is not stored of a piece, and store it. Resumes from its checkpoint if there is one."""
    stored = store.seeds(piece.arm, piece.recipe)
    seeds = [seed for seed in piece.seeds if seed not in stored]
    if not seeds:
        return
    origin = provenance(device)
    runs = recipes.population(piece.recipe, seeds, device)
    watching = observers(piece.recipe["observe"], piece.recipe["steps"], runs)
    checkpoint = checkpoints / f"{piece.arm}-{key_of(piece.recipe)}-seeds-{seeds[0]}-{seeds[-1]}.pt"
    title = f"{piece.arm}, {len(runs.seeds)} runs"
    with progress_bar(title, piece.recipe["steps"]) as bar:
        record = train(
            runs,
            piece.recipe["steps"],
            list(watching.values()),
            checkpoint,
            progress=bar.update,
        )
    origin["seconds"] = round(record.seconds, 1)
    trained = with_double_losses(as_dataset(piece.recipe, runs, record), piece.recipe, origin)
    store.add(piece.arm, piece.recipe, trained, origin)
    checkpoint.unlink(missing_ok=True)
