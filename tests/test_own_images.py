"""Notebook 04 on images of one's own: what it learns from them, and what it says where it cannot."""

import nbformat
import numpy as np
import pytest
from cells import run_here
from PIL import Image

from gancore.errors import StudyError
from gancore.notebooks import execute

SMALL = {"profile": "smoke", "n_seeds": 1}


@pytest.fixture
def folder(tmp_path):
    """Twenty-four coloured images of different shapes and formats, and one that is cut short."""
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for number in range(24):
        shape = (40 + number, 36, 3)
        image = Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8))
        image.save(tmp_path / "images" / f"{number:02d}.{('png', 'jpg', 'bmp')[number % 3]}")
    whole = (tmp_path / "images" / "01.jpg").read_bytes()
    (tmp_path / "images" / "broken.jpg").write_bytes(whole[:100])
    return tmp_path / "images"


@pytest.mark.slow
def test_both_image_parts_run_on_a_folder_and_name_what_they_could_not_read(folder, build, tmp_path):
    execute("04", tmp_path / "out.ipynb", {**SMALL, "frames": str(folder), "faces": str(folder)})
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    printed = "".join(o.get("text", "") for cell in cells for o in cell.get("outputs", []))
    assert "broken.jpg" in printed
    names = {path.name for path in build.rglob("*.nc")}
    assert sum(name.startswith("scene-") for name in names) == 5
    assert sum(name.startswith("album-") for name in names) == 2
    figures = {path.name for path in build.rglob("*.png")}
    assert {"scene-generated.png", "reconstructions.png", "interpolations.png"} <= figures
    judged = {path.stem for path in build.rglob("verdicts/*.json")}
    assert "pair-5" in judged and not judged & {"pair-6", "pair-7"}


@pytest.mark.parametrize("parameter", ["frames", "faces"])
def test_an_empty_folder_stops_the_notebook_before_anything_is_trained(parameter, build, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudyError, match="has no readable image"):
        run_here("04", {**SMALL, parameter: str(tmp_path / "empty")})
    assert not list(build.rglob("*.nc"))
