"""Whole notebooks executed: what a bad parameter says, and figures regenerated bit for bit."""

import subprocess
import sys

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from gancore.files import ROOT
from gancore.notebooks import NOTEBOOKS, execute, numbers

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def built_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("GANCORE_BUILD", str(tmp_path / "build"))
    monkeypatch.setenv("GANCORE_PROGRESS", "")


@pytest.mark.parametrize("number", numbers())
def test_figures_and_verdicts_are_regenerated_bit_for_bit_from_the_stored_results(number, tmp_path):
    execute(number, tmp_path / "executed.ipynb", {"profile": "paper"})
    built, kept = tmp_path / "build" / "paper", ROOT / "figures" / number
    assert {p.name for p in (built / "figures" / number).iterdir()} == {p.name for p in kept.iterdir()}
    changed = [p.name for p in kept.iterdir() if p.read_bytes() != (built / "figures" / number / p.name).read_bytes()]
    assert changed == []
    for path in (built / "verdicts").iterdir():
        assert path.read_bytes() == (ROOT / "data" / "results" / "verdicts" / path.name).read_bytes()


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
