"""What a verdict rests on, as the stored runs themselves say: arms, seeds, steps, sizes and commits."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import xarray as xr

from gancore.claims.rows import Claim
from gancore.errors import StudyError
from gancore.observers import clocks
from gancore.study.results import provenance_of

# An arm's runs, by whatever name the measure knows it; in one piece or several, such as files of some seeds each.
Runs = Mapping[Any, xr.Dataset | Sequence[xr.Dataset]]


class Evidence(NamedTuple):
    """One arm's runs: their seeds, how many they are, the fewest steps of one, their dimensions and their commits."""

    arm: str
    seeds: list[int]
    runs: int
    steps: int
    sizes: Mapping[str, int]
    commits: list[str]

    def as_entry(self) -> dict[str, Any]:
        """As a verdict stores it."""
        return {
            "arm": self.arm,
            "seeds": spans(self.seeds),
            "count": len(self.seeds),
            "runs": self.runs,
            "steps": self.steps,
            "commits": self.commits,
        }


def rests_on(runs: Runs) -> list[Evidence]:
    """What the arms' runs are. Raises StudyError where there are none: a verdict rests on some."""
    if not runs:
        raise StudyError("a verdict rests on runs, and none were given")
    return [_evidence([part] if isinstance(part, xr.Dataset) else part) for part in runs.values()]


def _evidence(parts: Sequence[xr.Dataset]) -> Evidence:
    return Evidence(
        parts[0].attrs["arm"],
        seeds=sorted({int(seed) for part in parts for seed in part.seed.values}),
        runs=sum(part.diverged.size for part in parts),
        steps=min(json.loads(part.attrs["recipe"])["steps"] for part in parts),
        sizes={str(dim): size for part in parts for dim, size in part.sizes.items()},
        commits=sorted({origin["commit"] for part in parts for origin in provenance_of(part)}),
    )


def spans(numbers: Sequence[int]) -> str:
    """Whole numbers in order, those that follow one another as a span: 0, 1, 2, 5 as "0-2, 5"."""
    starts = [numbers[0], *(b for a, b in pairwise(numbers) if b != a + 1)] if numbers else []
    ends = [*(a for a, b in pairwise(numbers) if b != a + 1), numbers[-1]] if numbers else []
    return ", ".join(f"{a}-{b}" if b > a else f"{a}" for a, b in zip(starts, ends, strict=True))


def shortfalls(claim: Claim, arms: Sequence[Evidence]) -> list[str]:
    """Where the runs fall short of what the claim's row asks for, a clause each; none where they do not."""
    short = []
    for arm in arms:
        if len(arm.seeds) < claim.seeds:
            short.append(f"{arm.arm} has {len(arm.seeds)} of {claim.seeds} seeds")
        if arm.steps < claim.steps:
            short.append(f"{arm.arm} has {arm.steps:,} of {claim.steps:,} steps")
        for dim, size in claim.sizes.items():
            if arm.sizes.get(dim, size) < size:
                short.append(f"{arm.arm} has {arm.sizes[dim]} of {size} in {dim!r}")
    return short


def first_halves(runs: Mapping[Any, xr.Dataset]) -> dict[Any, xr.Dataset]:
    """The same arms' runs as if their training had ended at half of its steps."""
    return {arm: first_half(of_arm) for arm, of_arm in runs.items()}


def first_half(runs: xr.Dataset) -> xr.Dataset:
    """The same runs as if their training had ended at half of its steps: every clock is cut there."""
    end = json.loads(runs.attrs["recipe"])["steps"] / 2
    cut = runs.isel({clock: (runs[clock].values <= end).nonzero()[0] for clock in sorted(clocks() & set(runs.coords))})
    return cut.isel(earlier=slice(cut.sizes["moment"])) if "earlier" in cut.dims else cut
