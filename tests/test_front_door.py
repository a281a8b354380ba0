"""What the README says that readers may bring, pasted from it and run in a folder of its own."""

import os
import re
import subprocess
import sys

import pytest

from gancore.claims.readme import README
from gancore.files import ROOT

SECTION = README.read_text().split("\n## Bring your own\n")[1].split("\n## ")[0]
LINES = 10  # of code, imports and the opening comment not counted


def blocks(text):
    """The code in a text."""
    return re.findall(r"```(?:python|yaml)\n(.*?)```", text, re.DOTALL)


INTRODUCTION, *PARTS = re.split(r"\n### ", SECTION)
SCRIPTS = {part.splitlines()[0]: blocks(part) for part in PARTS}
(BASE,) = blocks(INTRODUCTION)


def code_lines(block):
    return [line for line in block.splitlines() if line.strip() and not re.match(r"(from|import|#) ?", line)]


def run(folder, *pasted):
    """Write the blocks that name a file into it, and run the others one after another, each as a script."""
    said = ""
    for block in (BASE, *pasted):
        if named := re.match(r"# (\S+)\n", block):
            (folder / named[1]).write_text(block)
            continue
        (folder / "mine.py").write_text(block)
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
        done = subprocess.run(
            [sys.executable, "mine.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        said += done.stdout
    return said


def test_the_sections_are_there():
    kinds = "generator and discriminator, points, images, penalty, objective, remedy, measure, claim"
    assert list(SCRIPTS) == [f"Your own {kind}" for kind in kinds.split(", ")]


@pytest.mark.parametrize("section", SCRIPTS)
def test_a_section_is_ten_lines_or_fewer(section):
    assert all(len(code_lines(block)) <= LINES for block in SCRIPTS[section])


@pytest.mark.slow
@pytest.mark.parametrize("section", SCRIPTS)
def test_a_section_runs_as_it_stands_and_says_something_finite(section, tmp_path):
    said = run(tmp_path, *SCRIPTS[section])
    if section == "Your own claim":
        assert re.search(r"verdict='(supported|not supported|inconclusive)'", said)
    else:
        assert re.search(r"\d\.\d", said) and "nan" not in said
