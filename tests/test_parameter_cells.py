"""Every parameter of every notebook with values that cannot be meant: one sentence each, before anything is trained.

The sources of a notebook's cells are executed here, in this process, up to the cell that trains.
"""

import itertools
import math

import nbformat
import pytest

from gancore.errors import StudyError
from gancore.notebooks import NOTEBOOKS
from gancore.parameters import assigned
from gancore.recipes.checks import check
from gancore.study.results import key_of

pytestmark = pytest.mark.slow

PATHS = {path.name[:2]: path for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))}
BAD = [None, True, "", "a", "-1", 0.5, -1, -0.5, 10**30 + 0.5, math.nan, math.inf, [], {}, ["a"], [1, 2], [None], b"a"]
# What looks wrong and is not: by the parameter's default, or by its name.
FINE = {None: [None], False: [True], 10.0: [0.5, 10**30 + 0.5], "results": ["a", "-1"]}


def sources(number):
    """The parameters cell of a notebook, and the code cells from there to the one that trains."""
    cells = [cell for cell in nbformat.read(PATHS[number], as_version=4).cells if cell.cell_type == "code"]
    tags = [cell.metadata.get("tags", []) for cell in cells]
    assert tags[0] == ["parameters"]
    return [cell.source for cell in cells[: tags.index(["train"])]]


def parameters(number):
    """The names and defaults of a notebook's parameters."""
    defaults = {}
    exec(sources(number)[0], defaults)
    return {name: defaults[name] for name in sorted(assigned(sources(number)[0]))}


def opened(number, **injected):
    """Execute a notebook's cells up to its training, with these parameters put in after the first."""
    first, *others = sources(number)
    namespace = {}
    exec(first, namespace)
    given = {"profile": "smoke", "images": "digits", "device": "cpu"}
    namespace |= {name: value for name, value in (given | injected).items() if name in namespace}
    for source in others:
        exec(source, namespace)
    return namespace


@pytest.fixture(autouse=True)
def built_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("GANCORE_BUILD", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def fine(name, default):
    known = FINE.get(name, []) if isinstance(default, str) else FINE[10.0] if isinstance(default, float) else []
    return [*known, *(FINE[default] if default is None or default is False else [])]


def among(value, values):
    return any(type(value) is type(one) and repr(value) == repr(one) for one in values)


EVERY = [pytest.param(number, name, id=f"{number}-{name}") for number in PATHS for name in parameters(number)]


@pytest.mark.parametrize(("number", "name"), EVERY)
def test_a_parameter_that_cannot_be_meant_is_refused_in_a_sentence_before_the_training(number, name, tmp_path):
    default = parameters(number)[name]
    for value in [bad for bad in BAD if not among(bad, fine(name, default))]:
        with pytest.raises(StudyError) as refused:
            opened(number, **{name: value})
        said = str(refused.value)
        assert "\n" not in said and (name in said or str(value) in said), (value, said)
    assert not list(tmp_path.rglob("*.nc"))


@pytest.mark.parametrize("number", PATHS)
def test_the_defaults_and_the_smallest_training_are_accepted(number):
    assert opened(number)["study"].profile == "smoke"
    least = next(steps for steps in itertools.chain(range(1, 20), [60]) if accepts(number, steps))
    namespace = opened(number, steps=least, image_steps=1)
    assert namespace["study"].size["steps"] == least
    for recipe in recipes_of(namespace):
        check(recipe)


@pytest.mark.parametrize("number", PATHS)
def test_the_recipes_of_a_notebook_as_committed_are_those_that_are_stored(number):
    namespace = opened(number, profile="paper", images="auto")
    stored = {path.name.split("-seeds-")[0].rsplit("-", 1)[1] for path in namespace["study"].store.folder.glob("*.nc")}
    assert stored and stored <= {key_of(recipe) for recipe in recipes_of(namespace)}


def recipes_of(namespace):
    """The recipes among a notebook's variables, alone or as arms by name."""
    dictionaries = [value for value in namespace.values() if isinstance(value, dict)]
    every = [*dictionaries, *(part for value in dictionaries for part in value.values() if isinstance(part, dict))]
    return [recipe for recipe in every if {"target", "players", "steps", "observe"} <= recipe.keys()]


def accepts(number, steps):
    namespace = {}
    try:
        for source in sources(number)[:1]:
            exec(source, namespace)
        exec(sources(number)[1], namespace | {"profile": "smoke", "device": "cpu", "steps": steps})
    except StudyError:
        return False
    return True


@pytest.mark.parametrize("given", [[2, 4], (4, 2, 6), "2 4", "4, 2, 6"])
def test_latent_dimensions_are_a_list_or_a_text(given):
    assert {2, 4} <= set(opened("01", latent_dimensions=given)["dimensions"])
