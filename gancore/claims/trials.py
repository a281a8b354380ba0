"""The trials by which recipes were found: `data/trials.yml`, each with its recipe, its seeds and what was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gancore.claims.rows import Effort
from gancore.errors import StudyError
from gancore.files import ROOT, read_yaml

TRIALS = ROOT / "data" / "trials.yml"


@dataclass(frozen=True)
class Trials:
    """Trials of one method in one search: `count` of them, None if not even that was kept.

    They differed in what was `varied`. `seeds` and `steps` are as they were, in words where they differed; `seen` is
    what was seen and chosen. Those from before trials were kept have no `recipes`.
    """

    search: str
    method: str
    count: int | None
    varied: str
    seeds: str
    steps: str
    seen: str
    recipes: Sequence[Mapping] = ()


def load_trials(path: Path = TRIALS) -> list[Trials]:
    """All trials. Raises StudyError where a row misses a field or has one too many."""
    try:
        return [Trials(**row) for row in read_yaml(path)]
    except TypeError as error:
        raise StudyError(f"{path} has a row with a missing or unknown field: {error}") from error


def counted(effort: Effort, trials: Sequence[Trials]) -> dict[str, int | None]:
    """How many trials each of the methods compared had in the claim's search, None where that was not kept.

    Raises StudyError where the search is not in the file.
    """
    if effort.none_needed:
        return {}
    of_search = [trial for trial in trials if trial.search == effort.trials]
    if not of_search:
        raise StudyError(f"no trials of the search {effort.trials!r} in {TRIALS.relative_to(ROOT)}")
    return {method: _sum([t.count for t in of_search if t.method == method]) for method in effort.methods}


def _sum(counts: Sequence[int | None]) -> int | None:
    return None if None in counts else sum(counts)
