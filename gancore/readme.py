"""The README's tables, made from the stored verdicts and from the stored bench."""

import json
import re
from collections.abc import Mapping
from typing import Any

from gancore.claims import read_verdicts
from gancore.files import ROOT, write_whole
from gancore.tables import decided, effects_of, rests_on, table

VERDICTS, BENCH, README = ROOT / "data/results/verdicts", ROOT / "data/results/bench.json", ROOT / "README.md"


def refresh() -> None:
    """Write the README again with its tables as the stored results have them."""
    write_whole(README, filled(README.read_text()).encode())


def filled(text: str) -> str:
    """The README's text with its tables made anew."""
    text = _between(text, "findings", findings())
    return _between(text, "bench", bench(json.loads(BENCH.read_text()))) if BENCH.exists() else text


def findings() -> str:
    """A row a claim that was decided."""
    rows = [[_named(v), decided(v), effects_of(v), rests_on(v)] for v in read_verdicts(VERDICTS)]
    return table(["claim", "verdict", "measured, with its 95 % interval", "rests on"], rows)


def _named(verdict: Mapping[str, Any]) -> str:
    return f"{verdict['statement']} <br>({verdict['claim']}, revision {verdict['revision']})"


def bench(measured: Mapping[str, Any]) -> str:
    """A row an engine and population size, and the machine."""
    rows = [
        [
            row["engine"],
            row["device"],
            row["R"],
            f"{row['us_per_run_step']:.0f}",
            f"{row['speedup']:.1f}",
            row["peak_mb"],
        ]
        for row in measured["rows"]
    ]
    header = ["engine", "device", "runs R", "µs per run-step", "times faster than the textbook", "peak memory, MB"]
    return f"{table(header, rows)}\n\nMeasured on {measured['machine']}.{_scan(measured['scan'])}"


def _scan(scan: Mapping[str, Any]) -> str:
    return (
        f" A line-scan of a discriminator with three hidden layers of 512 units at {scan['points']:,} places takes "
        f"{scan['seconds']:.1f} s on all cores, within {scan['peak_mb']} MB for the whole process."
    )


def _between(text: str, name: str, content: str) -> str:
    """The text with what stands between `<!-- name` and `<!-- /name -->` replaced."""
    pattern = re.compile(rf"(<!-- {name}\b.*?-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}{content}\n{found[2]}", text)
