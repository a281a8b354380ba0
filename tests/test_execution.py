"""Whole notebooks executed: what is committed is made again bit for bit, and what a bad parameter says."""

import json
import subprocess
import sys

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from gancore import notebooks
from gancore.errors import StudyError
from gancore.files import ROOT
from gancore.notebooks import FIGURES, NOTEBOOKS, VERDICTS, find, numbers, render, rendered

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("build")]


def cells_that_differ(made, kept):
    """The first lines of the cells whose outputs differ."""
    pairs = zip(made.cells, kept.cells, strict=True)
    return [new.source.split("\n")[0] for new, old in pairs if new.get("outputs") != old.get("outputs")]


def contents(paths):
    return {path.name: path.read_bytes() for path in paths}


def verdicts_of(number):
    return [path for path in VERDICTS.iterdir() if json.loads(path.read_text())["notebook"] == number]


@pytest.mark.parametrize("number", numbers())
def test_what_is_committed_is_what_the_code_makes_bit_for_bit(number, tmp_path):
    """One execution is compared in everything that `make figures` would replace."""
    notebook = rendered(number, tmp_path)
    assert cells_that_differ(notebook, nbformat.read(find(number), as_version=4)) == []
    unchanged = f"{nbformat.writes(notebook)}\n" == find(number).read_text()
    assert unchanged, "the notebook's file is not as it is written"
    made, kept = contents((tmp_path / "paper" / "figures" / number).iterdir()), contents((FIGURES / number).iterdir())
    assert made.keys() == kept.keys()
    assert [name for name in made if made[name] != kept[name]] == []
    assert contents((tmp_path / "paper" / "verdicts").iterdir()) == contents(verdicts_of(number))


def test_a_notebook_that_stops_leaves_what_is_committed_and_hides_no_other(tmp_path, monkeypatch):
    folders = "[os.makedirs(os.environ['GANCORE_BUILD'] + f'/paper/{x}') for x in ('figures/13', 'verdicts')]"
    cells = {
        "11": "1 / 0",
        "12": "from gancore import StudyError; raise StudyError('no runs at all')",
        "13": f"import os; {folders}",
    }
    for number, code in cells.items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
        nbformat.write(notebook, tmp_path / f"{number}_a.ipynb")
        (tmp_path / number).mkdir()
        (tmp_path / number / "old.svg").write_text("old")
    before = contents(tmp_path.glob("*.ipynb"))
    for name in ("NOTEBOOKS", "FIGURES", "VERDICTS"):
        monkeypatch.setattr(notebooks, name, tmp_path)
    with pytest.raises(StudyError, match=r"(?s)notebook 11: .*ZeroDivisionError.*notebook 12: no runs at all$"):
        render(sorted(cells), at_once=2)
    after = contents(tmp_path.glob("*.ipynb"))
    assert [name for name in before if before[name] != after[name]] == ["13_a.ipynb"]
    assert [path.parent.name for path in sorted(tmp_path.glob("*/old.svg"))] == ["11", "12"]


def test_a_parameter_that_the_notebook_lacks_stops_it_with_a_sentence(tmp_path):
    (path,) = NOTEBOOKS.glob("01_*.ipynb")
    with pytest.raises(PapermillExecutionError) as stopped:
        papermill.execute_notebook(path, tmp_path / "out.ipynb", {"n_seed": 3}, kernel_name="python3", cwd=tmp_path)
    assert stopped.value.ename == "StudyError"
    assert stopped.value.evalue.startswith("unknown parameter 'n_seed': this notebook has device, first_seed")


def test_an_impossible_device_ends_the_command_with_one_sentence(tmp_path):
    words = ["run", "--notebooks", "01", "--profile", "smoke", "--device", "tpu", "--output", str(tmp_path / "o.ipynb")]
    done = subprocess.run([sys.executable, "-m", "gancore", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: unknown device 'tpu': allowed are auto, cpu, cuda and cuda:N"
    assert not (tmp_path / "build").exists()
    assert nbformat.read(tmp_path / "o.ipynb", as_version=4).cells
