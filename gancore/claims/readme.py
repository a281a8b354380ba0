"""The README's tables, made from the stored verdicts, the stored bench, and the docstrings of the folders."""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gancore.claims.rows import read_verdicts
from gancore.claims.tables import decided, effects_of, rests_on, table
from gancore.files import ROOT, write_whole

VERDICTS, BENCH, README = ROOT / "data/results/verdicts", ROOT / "data/results/bench.json", ROOT / "README.md"

# A folder imports from those before it alone, and from the modules beside them.
FOLDERS = (
    "nets",
    "data",
    "judges",
    "games",
    "remedies",
    "training",
    "metrics",
    "observers",
    "recipes",
    "claims",
    "study",
)


def refresh() -> None:
    """Write the README again with its tables as the stored results have them."""
    write_whole(README, filled(README.read_text()).encode())


def filled(text: str) -> str:
    """The README's text with its tables made anew."""
    text = _between(_between(text, "findings", findings()), "house", house())
    return _between(text, "bench", bench(json.loads(BENCH.read_text()))) if BENCH.exists() else text


def findings() -> str:
    """A row a claim that was decided."""
    rows = [[_named(v), decided(v), effects_of(v), rests_on(v)] for v in read_verdicts(VERDICTS)]
    return table(["claim", "verdict", "measured, with its 95 % interval", "rests on"], rows)


def _named(verdict: Mapping[str, Any]) -> str:
    return f"{verdict['statement']} <br>({verdict['claim']}, revision {verdict['revision']})"


def house() -> str:
    """A row a folder of the module: what its docstring begins with."""
    rows = [[f"`gancore/{folder}/`", _begins(ROOT / "gancore" / folder / "__init__.py")] for folder in FOLDERS]
    return table(["folder", "holds"], rows)


def _begins(path: Path) -> str:
    """The first paragraph of a file's docstring."""
    return ast.get_docstring(ast.parse(path.read_text())).split("\n\n")[0].replace("\n", " ")


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
    beside = f"Measured on {measured['machine']}.{_scan(measured['scan'])}"
    return f"{table(header, rows)}\n\n{_steps(measured['steps'])}\n\n{beside}"


def _steps(rows: Sequence[Mapping[str, Any]]) -> str:
    """A row a kind of step, beside the plain one that it is compared with."""
    cells = [
        [row["step"], row["R"], f"{row['ms_per_run_step']:.3g}", f"{row['ratio']:.2f}", row["beside"]] for row in rows
    ]
    return table(["a step of", "runs R", "ms per run-step", "times", "that of"], cells)


def _scan(scan: Mapping[str, Any]) -> str:
    return (
        f" A line-scan of a discriminator with three hidden layers of 512 units at {scan['points']:,} places takes "
        f"{scan['seconds']:.1f} s on all cores, within {scan['peak_mb']} MB for the whole process."
    )


def _between(text: str, name: str, content: str) -> str:
    """The text with what stands between `<!-- name` and `<!-- /name -->` replaced."""
    pattern = re.compile(rf"(<!-- {name}\b.*?-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}{content}\n{found[2]}", text)
