"""Executing the notebooks: whole, up to their training, or in place for the repository."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from papermill.exceptions import PapermillExecutionError

from gancore.errors import StudyError
from gancore.files import ROOT

NOTEBOOKS = ROOT / "notebooks"
KERNEL = "python3"
# What a kernel logs about its transport and its end is not about the study; a notebook's own errors come in its cells.
QUIET = ["--log-level=CRITICAL"]


def numbers() -> list[str]:
    """The numbers of all notebooks, in order."""
    return sorted(path.name[:2] for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def find(number: str) -> Path:
    """The notebook with this number, with or without its leading 0. Raises StudyError if there is none."""
    found = sorted(NOTEBOOKS.glob(f"{number.zfill(2)}_*.ipynb")) if number.isdigit() else []
    if len(found) != 1:
        raise StudyError(f"unknown notebook {number!r}: allowed are {', '.join(numbers())}")
    return found[0]


def chosen(text: str) -> list[str]:
    """The numbers that `text` names: some, or all. Raises StudyError for an unknown one, for one twice and for none."""
    wanted = numbers() if text == "all" else text.replace(",", " ").split()
    found = [find(number).name[:2] for number in wanted]
    if not found or len(set(found)) < len(found):
        raise StudyError(f"notebooks {text!r}: allowed are all, or different ones of {', '.join(numbers())}")
    return found


def execute(number: str, output: Path, parameters: Mapping[str, Any]) -> None:
    """Run a notebook with these parameters and write it, with its outputs, to `output`.

    Raises StudyError where the notebook stops with one; the part that ran is in `output` then.
    """
    _papermill(find(number), output, parameters)


def train_share(number: str, output: Path, parameters: Mapping[str, Any]) -> None:
    """Run a notebook up to its cell tagged `train` and no further; the runs that it stores are the result."""
    notebook = nbformat.read(find(number), as_version=4)
    tags = ["train" in cell.metadata.get("tags", []) for cell in notebook.cells]
    notebook.cells = notebook.cells[: tags.index(True) + 1]
    output.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, output)
    _papermill(output, output, parameters)


def _papermill(source: Path, output: Path, parameters: Mapping[str, Any]) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    settings = {"kernel_name": KERNEL, "cwd": NOTEBOOKS, "progress_bar": False, "start_timeout": 300}
    try:
        papermill.execute_notebook(source, output, dict(parameters), extra_arguments=QUIET, **settings)
    except PapermillExecutionError as error:
        if error.ename == StudyError.__name__:
            raise StudyError(error.evalue) from None
        raise


def render(number: str) -> None:
    """Execute a notebook in place, as committed, and copy its figures and verdicts to where they are kept.

    A second rendering writes the same bits: no times, no versions, no machine in the file.
    """
    path = find(number)
    notebook = nbformat.read(path, as_version=4)
    shutil.rmtree(ROOT / "build" / "paper" / "figures" / number, ignore_errors=True)
    client = NotebookClient(
        notebook,
        kernel_name=KERNEL,
        record_timing=False,
        startup_timeout=300,
        extra_arguments=QUIET,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        if error.ename == StudyError.__name__:
            raise StudyError(error.evalue) from None
        raise
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": KERNEL},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, path)
    built = ROOT / "build" / "paper"
    shutil.rmtree(ROOT / "figures" / number, ignore_errors=True)
    shutil.copytree(built / "figures" / number, ROOT / "figures" / number)
    shutil.copytree(built / "verdicts", ROOT / "data" / "results" / "verdicts", dirs_exist_ok=True)
