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


# Runs every script of every folder as if it were started there; importing torch for each would take minutes.
DRIVER = """
import contextlib, os, runpy, sys, traceback
from pathlib import Path

for folder in sorted(Path.cwd().iterdir()):
    os.chdir(folder)
    sys.path[0] = str(folder)
    for script in sorted(folder.glob("[0-9].py")):
        sys.modules.pop("base", None)
        with open(script.with_suffix(".said"), "w") as said, contextlib.redirect_stdout(said):
            try:
                runpy.run_path(str(script), run_name="__main__")
            except Exception:
                script.with_suffix(".failed").write_text(traceback.format_exc())
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder a section, by its heading: what it says is pasted there, and has been run, outside the repository."""
    root = tmp_path_factory.mktemp("sections")
    folders = {section: root / f"{number}" for number, section in enumerate(SCRIPTS)}
    for section, folder in folders.items():
        folder.mkdir()
        for number, block in enumerate([BASE, *SCRIPTS[section]]):
            named = re.match(r"# (\S+)\n", block)
            (folder / (named[1] if named else f"{number}.py")).write_text(block)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", DRIVER]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folders


def test_the_sections_are_there():
    kinds = "generator and discriminator, points, images, penalty, objective, remedy, measure, claim"
    assert list(SCRIPTS) == [f"Your own {kind}" for kind in kinds.split(", ")]


@pytest.mark.parametrize("section", SCRIPTS)
def test_a_section_is_ten_lines_or_fewer(section):
    assert all(len(code_lines(block)) <= LINES for block in [BASE, *SCRIPTS[section]])


@pytest.mark.slow
@pytest.mark.parametrize("section", SCRIPTS)
def test_a_section_runs_as_it_stands_and_says_something_finite(section, folders):
    assert [path.read_text() for path in folders[section].glob("*.failed")] == []
    scripts = [block for block in SCRIPTS[section] if not re.match(r"# \S+\n", block)]
    said = [path.read_text() for path in folders[section].glob("*.said")]
    assert len(said) == len(scripts)
    shown = r"verdict='(supported|not supported|inconclusive)'" if section == "Your own claim" else r"\d\.\d"
    assert all(re.search(shown, text) and "nan" not in text for text in said)
