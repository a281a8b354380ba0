"""Tables in Markdown, made from results."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import xarray as xr

from gancore.stats import Interval

NAMED = 2  # so many shortfalls are named in a table, the others counted


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def verdicts(given: Sequence[Mapping[str, Any]]) -> str:
    """A row a claim: the statement, what was measured, what was shown first, what it rests on, and the verdict."""
    measured = "measured, with its 95 % interval; at the other length of training"
    header = ["claim", "statement", measured, "holds if above", "shown first", "rests on", "verdict"]
    return table(header, map(_verdict_row, given))


def _verdict_row(verdict: Mapping[str, Any]) -> list[object]:
    name = f"{verdict['claim']}, revision {verdict['revision']}"
    again = [f"; {e['value']:.3g}" for e in verdict["settled"]["again"]] or [""] * len(verdict["effects"])
    measured = "<br>".join(f"{_effect(e)}{other}" for e, other in zip(verdict["effects"], again, strict=True))
    shown = shown_first(verdict)
    return [name, verdict["statement"], measured, verdict["above"], shown, rests_on(verdict), decided(verdict)]


def effects_of(verdict: Mapping[str, Any]) -> str:
    """A verdict's effects with their intervals, for one cell of a table."""
    return "<br>".join(map(_effect, verdict["effects"]))


def _effect(effect: Mapping[str, Any]) -> str:
    return f"{effect['name']}: {Interval(effect['value'], effect['low'], effect['high'])}"


def decided(verdict: Mapping[str, Any]) -> str:
    """The verdict, and where it is not the criterion's own or not on what the row asks for, why."""
    notes = [verdict["because"]] if verdict["because"] else []
    if not verdict["as_committed"]:
        indicative = f"profile {verdict['profile']}, " if verdict["profile"] != "paper" else ""
        notes.append(f"{indicative}indicative only: {_few(verdict['short'])}")
    return "<br>".join([f"**{verdict['verdict']}**", *notes])


def shown_first(verdict: Mapping[str, Any]) -> str:
    """What was shown of regime and control, and how many trials found the recipes, for one cell of a table."""
    shown = [(kind, m) for kind in ("regime", "control") for m in verdict[kind]["measured"]]
    rows = [f"{kind}: {m['name']} {m['value']:.3g}" for kind, m in shown]
    return "<br>".join([*rows, _trials(verdict["effort"])] if verdict["effort"] else rows)


def _trials(counts: Mapping[str, int | None]) -> str:
    """How many trials each method had, and whether the methods had equally many."""
    if None in counts.values():
        return "trials: not kept"
    fair = "" if len(set(counts.values())) == 1 else ", not equally many"
    return f"trials{fair}: {', '.join(f'{method} {count}' for method, count in counts.items())}"


def rests_on(verdict: Mapping[str, Any]) -> str:
    """Of how many seeds and steps the arms are, the fewest and the most."""
    seeds, steps = ([arm[key] for arm in verdict["rests_on"]] for key in ("count", "steps"))
    return f"{_range(seeds)} seeds, {_range(steps)} steps"


def _range(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _few(clauses: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = f" and {len(clauses) - NAMED} more" if len(clauses) > NAMED else ""
    return "; ".join(clauses[:NAMED]) + more


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
