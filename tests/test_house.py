"""The folders of the module: imports run one way, and the README's map is what they say of themselves."""

import ast
from pathlib import Path

import pytest

from gancore.claims.readme import FOLDERS, README, house
from gancore.files import ROOT

MODULE = ROOT / "gancore"
# Modules beside the folders: those that import no folder, the surface of a network, and the commands.
BELOW = {
    *("annealing", "choices", "divergences", "errors", "files", "host", "objectives", "parameters", "penalties"),
    *("provenance", "stats", "streams", "values", "landscape"),
}
ABOVE = {"__main__", "notebooks"}


def place(name: str) -> float:
    """Where a folder or module stands: it may import from what stands lower, or on the same level."""
    if name == "landscape":
        return FOLDERS.index("nets") + 0.5
    return -1 if name in BELOW else len(FOLDERS) if name in ABOVE else FOLDERS.index(name)


def imported(path: Path) -> set[str]:
    """The folders and modules of gancore that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "gancore":
            names |= {alias.name for alias in node.names if (MODULE / alias.name).exists() or alias.name in BELOW}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gancore."):
            names.add(node.module.split(".")[1])
    return names


def test_every_folder_and_module_has_its_place():
    found = {path.stem for path in MODULE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert found - {"__init__"} == {*FOLDERS, *BELOW, *ABOVE}


@pytest.mark.parametrize("path", sorted(MODULE.rglob("*.py")), ids=lambda path: str(path.relative_to(MODULE)))
def test_imports_run_one_way(path):
    here = path.relative_to(MODULE).parts[0].removesuffix(".py")
    if here != "__init__":
        assert [name for name in imported(path) if place(name) > place(here)] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_longer_than_one_reads_at_once(folder):
    assert [path.name for path in (MODULE / folder).rglob("*.py") if len(path.read_text().splitlines()) > 250] == []


def test_the_readmes_map_names_every_folder_as_it_describes_itself():
    assert house() in README.read_text()
    assert len({row.split("|")[2] for row in house().splitlines()[2:]}) == len(FOLDERS)
