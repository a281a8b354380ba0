"""Notebook 05 where there is no MNIST, and what it says of parameters that cannot be."""

import nbformat
import pytest
import torch
from cells import run_here

from gancore.errors import StudyError
from gancore.judges.guide import Guide
from gancore.judges.weights import save_weights
from gancore.notebooks import execute

SMALL = {"profile": "smoke", "images": "digits"}


@pytest.mark.slow
def test_on_the_small_digits_everything_runs_says_so_and_decides_nothing(build, tmp_path):
    execute("05", tmp_path / "out.ipynb", SMALL)
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    shown = "".join(o.get("data", {}).get("text/markdown", "") for cell in cells for o in cell.get("outputs", []))
    assert "MNIST was not at hand" in shown and "**not judged**" in shown
    folders = {path.parent.name for path in build.rglob("*.nc")}
    assert folders == {"05-digits"}
    assert len(list(build.rglob("figures/05/*.pdf"))) == 10


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"usual": 4}, "4 latent dimensions for 10 sections: allowed is at least one a section"),
        ({"batch": 19}, "batch size 19 for 10 classes: allowed is two a class or more"),
        ({"statistics": 0}, "statistics = 0: allowed is a number above 0"),
        ({"classifier": "none.safetensors"}, r".*none\.safetensors cannot be read"),
    ],
)
def test_what_cannot_be_stops_the_notebook_before_anything_is_trained(parameters, sentence, build):
    with pytest.raises(StudyError, match=f"^{sentence}"):
        run_here("05", SMALL | parameters)
    assert not list(build.rglob("*.nc"))


def test_a_classifier_whose_word_is_noise_stops_the_notebook_with_its_accuracy(build, tmp_path):
    torch.manual_seed(0)
    save_weights(tmp_path / "poor.safetensors", Guide(8), {})
    with pytest.raises(StudyError, match=r"of the held-out images of digits rightly: its verdicts would be noise"):
        run_here("05", SMALL | {"classifier": str(tmp_path / "poor.safetensors")})
    assert not list(build.rglob("*.nc"))
