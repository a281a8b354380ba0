"""Points from a file: the numbers that stand there, drawn and held out, or refused with the place of what is wrong."""

import json

import numpy as np
import pytest
import torch
from arms import ADAM, CPU, moons
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gancore.data.points import Points, points_digest, read
from gancore.errors import StudyError
from gancore.recipes.build import population
from gancore.streams import Stream
from gancore.training.loop import train

SINGLES = st.floats(width=32, allow_nan=False, allow_infinity=False)
TABLES = arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=25), elements=SINGLES)


def as_csv(file, x, header=""):
    lines = [",".join(f"{value}" for value in row) for row in x.tolist()]
    file.write_text("\n".join([header] * bool(header) + lines) + "\n")


@given(x=TABLES, named=st.booleans())
def test_every_kind_of_file_gives_the_numbers_that_stand_in_it(x, named, tmp_path_factory):
    place = tmp_path_factory.mktemp("points")
    as_csv(place / "x.csv", x, ",".join(f"c{k}" for k in range(x.shape[1])) if named else "")
    np.save(place / "x.npy", x)
    np.savez(place / "x.npz", mine=x)
    for name in ("x.csv", "x.npy", "x.npz"):
        found = read(place / name)
        assert found.dtype == np.float32 and np.array_equal(found, x)
        target = Points(str(place / name))
        assert target.dimensions == x.shape[1]
        held_out = np.arange(len(x)) % 10 == 9
        assert np.array_equal(target.training(), x[~held_out]) and np.array_equal(target.held_out(), x[held_out])


def test_batches_are_drawn_with_replacement_from_the_training_points_alone(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(24.0).reshape(12, 2))
    target = Points(str(tmp_path / "x.npy"))
    x = Stream([0, 1], "data", target.draw(200), CPU)(0)
    assert x.shape == (2, 200, 2) and x.dtype == torch.float32
    assert torch.equal(x.flatten(0, 1).unique(dim=0), target.training())


@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float64])
def test_whole_numbers_and_doubles_become_single_precision(kind, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1, 2], [3, 4]], kind))
    assert np.array_equal(read(tmp_path / "x.npy"), np.float32([[1, 2], [3, 4]]))


def test_of_several_arrays_the_named_one_is_read(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.ones((3, 1)), b=np.zeros((2, 4)))
    assert read(tmp_path / "x.npz", "b").shape == (2, 4)


def test_blank_lines_spaces_and_a_byte_order_mark_do_not_count(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbfx, y\r\n\r\n 1, 2\r\n3 ,4e0\r\n\r\n")
    assert np.array_equal(read(tmp_path / "x.csv"), [[1, 2], [3, 4]])


TEXTS = {
    "": "has no points: allowed are rows",
    "x,y\n": "has no points: allowed are rows",
    "1,2\n3,nan\n": "line 2 of .* has nan: allowed",
    "x,y\n\n1,2\n3,inf\n": "line 4 of .* has inf: allowed",
    "1,2\n3,1e39\n": "line 2 of .* has 1e\\+39: allowed",
    "x,y\n1,2\n3,four\n": "line 3 of .* has 'four': allowed",
    "1,two\n3,4\n": "line 1 of .* has 'two': allowed",
    "1,2\n3,\n": "line 2 of .* has '': allowed",
    "1,2\n3\n": "line 2 of .* has 1 values: allowed are 2, as in line 1",
    "x,y\n1,2\n3,4,5\n": "line 3 of .* has 3 values: allowed are 2, as in line 2",
    "1_0,2\n1,2\n": "line 1 of .* has '1_0': allowed",
    "1;2\n3;4\n5;6\n": "line 2 of .* has '3;4': allowed are numbers with commas",
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_is_no_table_of_numbers_is_refused_with_the_line(text, tmp_path):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(StudyError, match=TEXTS[text]):
        read(tmp_path / "x.csv")


def test_a_text_in_no_encoding_is_refused(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"1,2\n\xff\xfe,3\n")
    with pytest.raises(StudyError, match="is no text of rows"):
        read(tmp_path / "x.csv")


ARRAYS = {
    "one axis": (np.ones(5), r"float64 of shape \(5,\): allowed are numbers \(points, dimensions\)"),
    "three axes": (np.ones((2, 2, 2)), r"shape \(2, 2, 2\): allowed"),
    "no points": (np.ones((0, 2)), r"shape \(0, 2\): allowed"),
    "no dimensions": (np.ones((2, 0)), r"shape \(2, 0\): allowed"),
    "texts": (np.array([["a", "b"]]), "<U1 of shape"),
    "complex numbers": (np.ones((2, 2), complex), "complex128 of shape"),
    "objects": (np.array([[1, None]], object), "is no file of an array of numbers"),
    "nan": (np.array([[1, 2], [np.nan, 3]]), "row 1 of .* has nan: allowed"),
    "too large": (np.array([[1, 1e300]]), r"row 0 of .* has 1e\+300: allowed"),
}


@pytest.mark.parametrize("suffix", ["npy", "npz"])
@pytest.mark.parametrize("fault", ARRAYS)
def test_an_array_that_is_no_table_of_numbers_is_refused(fault, suffix, tmp_path):
    x, sentence = ARRAYS[fault]
    file = tmp_path / f"x.{suffix}"
    np.save(file, x) if suffix == "npy" else np.savez(file, x=x)
    with pytest.raises(StudyError, match=sentence):
        read(file)


def test_a_damaged_or_misnamed_array_is_refused(tmp_path):
    np.save(tmp_path / "whole.npy", np.ones((9, 2)))
    np.savez(tmp_path / "whole.npz", x=np.ones((9, 2)))
    npy, npz = (tmp_path / "whole.npy").read_bytes(), (tmp_path / "whole.npz").read_bytes()
    flipped = npz.replace(np.ones(2).tobytes(), np.zeros(2).tobytes(), 1)
    contents = {"a.npy": npy[:-9], "b.npz": npz[:-30], "c.npy": b"", "d.npz": npy, "e.npy": npz, "f.npz": flipped}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(StudyError, match="is no file of an array of numbers"):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "key", "sentence"),
    [
        ("missing.csv", None, r"is no file of points: allowed are files that end with \.csv, \.npy, \.npz"),
        ("x.txt", None, "is no file of points"),
        ("x.npy", "a", "key = 'a' of .* allowed of a .npz file"),
        ("several.npz", None, "key = None of .*: allowed are a, b"),
        ("several.npz", "c", "key = 'c' of .*: allowed are a, b"),
    ],
)
def test_another_file_or_key_is_refused_with_those_that_are_allowed(name, key, sentence, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((2, 2)))
    (tmp_path / "x.txt").write_text("1,2\n")
    np.savez(tmp_path / "several.npz", a=np.ones((2, 2)), b=np.ones((2, 2)))
    with pytest.raises(StudyError, match=sentence):
        read(tmp_path / name, key)


def test_a_recipe_names_points_by_path_and_digest_and_refuses_others(tmp_path):
    file = tmp_path / "x.csv"
    as_csv(file, np.random.default_rng(0).normal(size=(50, 3)))
    target = {"name": "points", "path": str(file), "digest": points_digest(file)}
    recipe = moons(latent=2, optimiser=ADAM) | {"target": target}
    runs = population(json.loads(json.dumps(recipe)), [0, 1], CPU)
    train(runs, 3)
    assert runs.game.generator(runs.noise(0)).shape == (2, 32, 3)
    with pytest.raises(StudyError, match=r"the points in .* are not those of the recipe, whose digest is"):
        population(recipe | {"target": target | {"digest": "0" * 64}}, [0], CPU)
