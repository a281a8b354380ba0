"""The notebooks on images of one's own, and on other data in MNIST's format: what they learn, and what they refuse."""

import gzip
import json
import struct

import nbformat
import numpy as np
import pytest
import xarray as xr
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
    execute("06", tmp_path / "out.ipynb", {**SMALL, "frames": str(folder), "faces": str(folder)})
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    printed = "".join(o.get("text", "") for cell in cells for o in cell.get("outputs", []))
    assert printed.count("1 file in") == 1 and "broken.jpg (damaged)" in printed
    names = {path.name for path in build.rglob("*.nc")}
    assert sum("-rush-1-" in name for name in names) == 5
    assert sum(name.startswith("album-") for name in names) == 2
    figures = {path.name for path in build.rglob("*.png")}
    assert {"scene-real.png", "scene-rush-1.png", "drawn.png", "reconstructions.png"} == figures
    judged = {path.stem for path in build.rglob("verdicts/*.json")}
    assert not judged & {"pair-6", "pair-7"}


@pytest.mark.parametrize("parameter", ["frames", "faces"])
def test_an_empty_folder_stops_the_notebook_before_anything_is_trained(parameter, build, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudyError, match="has no readable image"):
        run_here("06", {**SMALL, parameter: str(tmp_path / "empty")})
    assert not list(build.rglob("*.nc"))


@pytest.fixture
def fashion(tmp_path, monkeypatch):
    """A data folder with a thousand images of noise in the place of Fashion-MNIST, packed."""
    raw, rng = tmp_path / "data" / "FashionMNIST" / "raw", np.random.default_rng(0)
    raw.mkdir(parents=True)
    for part, count in (("train", 1_000), ("t10k", 120)):
        for kind, shape, most in (("images-idx3", (count, 28, 28), 256), ("labels-idx1", (count,), 10)):
            header = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
            values = rng.integers(most, size=shape, dtype=np.uint8)
            (raw / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(header + values.tobytes()))
    monkeypatch.setenv("GANCORE_DATA", str(tmp_path / "data"))


def shown_by(notebook):
    """All text of a notebook's outputs."""
    outputs = [output for cell in nbformat.read(notebook, as_version=4).cells for output in cell.get("outputs", [])]
    kinds = ("text/html", "text/markdown", "text/plain")
    return "\n".join(o.get("text", "") + "".join(o.get("data", {}).get(kind, "") for kind in kinds) for o in outputs)


@pytest.mark.slow
def test_line_scans_run_on_fashion_mnist_without_a_word_on_digits_or_classes(fashion, build, tmp_path):
    execute("03", tmp_path / "out.ipynb", {**SMALL, "n_seeds": 2, "images": "fashion-mnist"})
    shown = shown_by(tmp_path / "out.ipynb")
    assert "Everything below is on Fashion-MNIST" in shown and "generated digits" not in shown
    stored = list(build.rglob("*.nc"))
    assert len(stored) == 15 and {path.parent.name for path in stored} == {"03-fashion-mnist"}
    for path in stored:
        with xr.open_dataset(path, engine="netcdf4") as runs:
            assert {"plates", "scores", "peak"} <= set(runs) and not {"classes", "recognised"} & set(runs)
    verdicts = [json.loads(path.read_text()) for path in build.rglob("verdicts/*.json")]
    assert {verdict["verdict"] for verdict in verdicts} == {"not judged"}


@pytest.mark.slow
def test_frames_of_a_relative_folder_and_fashion_mnist_run_without_a_verdict_on_them(
    fashion, folder, build, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    asked = {"images": "fashion-mnist", "frames": folder.name, "results": "kept"}
    execute("06", tmp_path / "out.ipynb", SMALL | asked)
    shown = shown_by(tmp_path / "out.ipynb")
    assert "Everything below is on Fashion-MNIST" in shown and "classes kept" not in shown
    assert not {"pair-6", "pair-7"} & {path.stem for path in build.rglob("verdicts/*.json")}
    assert len(list((tmp_path / "kept" / "06").glob("album-*.nc"))) == 2


def test_guided_games_refuse_images_that_no_guide_knows_before_anything_is_trained(fashion, build):
    with pytest.raises(StudyError, match="no classifier that guides is stored for fashion-mnist: allowed are mnist"):
        run_here("05", {**SMALL, "images": "fashion-mnist"})
    assert not list(build.rglob("*.nc"))
