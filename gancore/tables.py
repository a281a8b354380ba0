"""Tables in Markdown, made from results."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import xarray as xr

from gancore.stats import Interval


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def verdicts(given: Sequence[Mapping[str, Any]]) -> str:
    """A row a claim: the statement, what was measured, and the verdict."""
    header = ["claim", "statement", "measured, with its 95 % interval", "holds if above", "verdict"]
    return table(header, map(_verdict_row, given))


def _verdict_row(verdict: Mapping[str, Any]) -> list[object]:
    decided = f"**{verdict['verdict']}**{_note(verdict)}"
    return [verdict["claim"], verdict["statement"], effects_of(verdict), verdict["above"], decided]


def effects_of(verdict: Mapping[str, Any]) -> str:
    """A verdict's effects with their intervals, for one cell of a table."""
    intervals = {e["name"]: Interval(e["value"], e["low"], e["high"]) for e in verdict["effects"]}
    return "<br>".join(f"{name}: {interval}" for name, interval in intervals.items())


def _note(verdict: Mapping[str, Any]) -> str:
    return "" if verdict["as_committed"] else f"<br>(profile {verdict['profile']}: indicative only)"


def provenance(origins: Sequence[Mapping[str, Any]], arms: Sequence[xr.Dataset]) -> str:
    """A row a property of the arms' stored runs: commits, machine, versions, seeds, time spent."""

    def every(key: str) -> str:
        return ", ".join(sorted({str(origin[key]) for origin in origins}))

    versions = sorted({json.dumps(origin["versions"], sort_keys=True) for origin in origins})
    commits = sorted({origin["commit"][:12] + (" (with changes)" if origin["dirty"] else "") for origin in origins})
    rows = [
        ("commit", ", ".join(commits)),
        ("trained on", every("device")),
        ("versions", "; ".join(", ".join(f"{k} {v}" for k, v in json.loads(text).items()) for text in versions)),
        ("arms", len(arms)),
        ("seeds of an arm", " or ".join(sorted({f"{int(arm.seed[0])} to {int(arm.seed[-1])}" for arm in arms}))),
        ("runs", f"{sum(arm.diverged.size for arm in arms):,}"),
        ("training time", f"{sum(origin['seconds'] for origin in origins) / 60:.0f} core minutes"),
        ("date", every("date").split("T")[0]),
    ]
    return table(["stored runs", ""], rows)
