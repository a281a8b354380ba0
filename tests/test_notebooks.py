"""The committed notebooks keep the conventions that a reader relies on."""

import ast
import base64
import re
import statistics

import nbformat
import papermill
import pytest
from environment import PYPROJECT, environment

from gancore.errors import StudyError
from gancore.files import ROOT
from gancore.notebooks import chosen, find, numbers

PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CELLS, LINES = 50, 8  # cells at most, and lines of the median code cell
WIDTH = 95  # characters of a line of code
LONGER = {"05": 10}  # of a notebook that decides eleven claims with two dozen arms
ASKED = {"profile", "first_seed", "n_seeds", "device", "results", "train", "share"}


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def test_a_notebook_is_valid_and_of_readable_size(notebook, path):
    nbformat.validate(notebook)
    assert 25 <= len(notebook.cells) <= CELLS
    assert path.stat().st_size < 2.2e6


def test_half_of_a_notebook_is_prose_and_its_code_is_short(notebook, path):
    lengths = [len(cell.source.splitlines()) for cell in code_cells(notebook)]
    assert len(lengths) <= len(notebook.cells) / 2
    assert statistics.median(lengths) <= LONGER.get(path.name[:2], LINES)
    assert max(lengths) <= 30


def test_no_line_of_code_is_cut_in_a_rendered_page(notebook):
    lines = [line for cell in code_cells(notebook) for line in cell.source.splitlines()]
    assert [line for line in lines if len(line) > WIDTH] == []


def test_every_cell_was_executed_in_order_without_error_or_stderr(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    assert not [o for o in outputs(notebook) if o.output_type == "error" or o.get("name") == "stderr"]


def test_parameters_are_annotated_scalars_with_a_comment_each(notebook):
    (cell,) = tagged(notebook, "parameters")
    lines = cell.source.splitlines()
    found = [re.fullmatch(r'(\w+): (\w+) = (None|True|False|-?[\d.e]+|"[^"]*")  # .+', line) for line in lines]
    assert all(found)
    for name, kind, default in (match.groups() for match in found):
        value = ast.literal_eval(default)
        assert kind in ("str", "int", "float", "bool") and (value is None or type(value).__name__ == kind), name
    assert {match[1] for match in found} >= ASKED


def test_papermills_help_knows_every_parameters_type_and_says_what_it_is(path):
    asked = papermill.inspect_notebook(path)
    assert asked.keys() >= ASKED
    assert all(about["inferred_type_name"] in ("str", "int", "float", "bool") for about in asked.values())
    assert all(len(about["help"]) > 10 for about in asked.values())


def test_there_is_one_cell_that_trains(notebook):
    assert len(tagged(notebook, "train")) == 1


def test_nothing_of_one_machine_is_in_a_notebook(notebook):
    text = nbformat.writes(notebook)
    assert not re.search(r"/(home|root|tmp|work|Users)/\w", text)
    assert "widget" not in notebook.metadata
    assert not [o for o in outputs(notebook) if "application/vnd.jupyter.widget-view+json" in o.get("data", {})]


def test_every_picture_says_in_words_what_it_shows(notebook):
    shown = [output.get("data", {}).get("text/html", "") for output in outputs(notebook)]
    pictures = [tag for html in shown for tag in re.findall(r"<img [^>]*?src=", html)]
    assert pictures
    assert all(len(re.search(r'alt="([^"]*)"', tag)[1]) > 40 for tag in pictures)
    assert not [o for o in outputs(notebook) if "image/png" in o.get("data", {})]


def test_a_notebook_shows_the_files_in_figures_and_every_one_of_them(notebook, path):
    shown = "".join(output.get("data", {}).get("text/html", "") for output in outputs(notebook))
    embedded = re.findall(r'src="data:image/(?:png|svg\+xml);base64,([^"]*)"', shown)
    files = [file for file in (ROOT / "figures" / path.name[:2]).iterdir() if file.suffix != ".pdf"]
    assert {base64.b64decode(data) for data in embedded} == {file.read_bytes() for file in files}
    assert all(file.with_suffix(".pdf").exists() for file in files)


def test_environment_yml_is_what_pyproject_makes():
    assert (ROOT / "environment.yml").read_text() == environment()


def test_the_lock_holds_names_and_versions_only_and_every_direct_dependency():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z0-9.-]+==[\w.+]+( ; .*)?", line) for line in lines)
    locked = {line.split("==")[0] for line in lines}
    wanted = re.findall(r'"([\w.-]+)(?:==|>=)[\d.]+"', PYPROJECT.read_text())
    assert {name.lower() for name in wanted} - {"jax", "setuptools"} <= locked


def test_an_unknown_notebook_is_refused_with_what_there_is():
    with pytest.raises(StudyError, match="unknown notebook '99': allowed are 00"):
        find("99")
    with pytest.raises(StudyError, match="unknown notebook 'x'"):
        chosen("01 x")
    for text in ("", " ", ",", "01 01", "1 01"):
        with pytest.raises(StudyError, match=f"notebooks '{text}': allowed are all, or different ones of 00"):
            chosen(text)
    assert chosen("1 04") == ["01", "04"]  # Snakemake takes a lone 04 for the number 4
    assert chosen("all") == numbers() == [p.name[:2] for p in PATHS]
