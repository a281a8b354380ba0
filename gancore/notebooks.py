"""Executing the notebooks: whole, up to their training, or in place for the repository."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import papermill
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

from gancore.errors import StudyError
from gancore.files import ROOT, write_whole

NOTEBOOKS, FIGURES, VERDICTS = ROOT / "notebooks", ROOT / "figures", ROOT / "data" / "results" / "verdicts"
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


def render(numbers: Sequence[str], at_once: int = 1) -> None:
    """Execute notebooks, so many at once, and put each in place of what is committed with its figures and verdicts.

    Raises StudyError with a sentence for each notebook that stops; what is committed of that one stays as it is.
    """
    with ThreadPoolExecutor(at_once) as threads:  # each waits for the process that executes its notebook
        faults = [fault for fault in threads.map(_replace, numbers) if fault]
    if faults:
        raise StudyError("; ".join(faults))


def rendered(number: str, build: Path) -> NotebookNode:
    """A notebook executed as committed, from the stored results; its figures and verdicts are in `build`/paper.

    A second rendering gives the same bits: no times, no versions, no machine in the file. Raises StudyError where
    the notebook stops with one.
    """
    notebook = nbformat.read(find(number), as_version=4)
    client = NotebookClient(
        notebook,
        kernel_name=KERNEL,
        record_timing=False,
        startup_timeout=300,
        extra_arguments=QUIET,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    try:
        client.execute(env=os.environ | {"GANCORE_BUILD": str(build), "OMP_NUM_THREADS": "1"})
    except CellExecutionError as error:
        if error.ename == StudyError.__name__:
            raise StudyError(error.evalue) from None
        raise
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": KERNEL},
        "language_info": {"name": "python"},
    }
    return notebook


def _replace(number: str) -> str:
    """Render a notebook over what is committed. Returns what stopped it, empty if nothing did."""
    with TemporaryDirectory() as build:
        try:
            notebook = rendered(number, Path(build))
        except (StudyError, CellExecutionError) as error:
            return f"notebook {number}: {error}"
        _mirror(Path(build) / "paper" / "figures" / number, FIGURES / number)
        for path in (Path(build) / "paper" / "verdicts").iterdir():
            write_whole(VERDICTS / path.name, path.read_bytes())
    write_whole(find(number), f"{nbformat.writes(notebook)}\n".encode())
    return ""


def _mirror(made: Path, kept: Path) -> None:
    """Let `kept` hold the files of `made` and no others."""
    for path in made.iterdir():
        write_whole(kept / path.name, path.read_bytes())
    for path in kept.iterdir():
        if not (made / path.name).exists():
            path.unlink()
