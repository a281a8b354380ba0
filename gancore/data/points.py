"""Points from a file: one's own, of any dimension."""

import csv
import functools
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from gancore.data.splits import TrainingSet, trained_on
from gancore.errors import StudyError
from gancore.files import from_user
from gancore.streams import Draw
from gancore.values import NOTHING, TEXT

SUFFIXES = (".csv", ".npy", ".npz")


@dataclass(frozen=True)
class Points(TrainingSet):
    """The points in a file, as they are: see `read`. `key` names the array of a .npz file that has several.

    `digest`, if given, is what `points_digest` says of the file that a recipe means. Raises StudyError when the points
    are asked for and the file has none, or another digest.
    """

    path: Annotated[str, TEXT]
    key: Annotated[str | None, TEXT | NOTHING] = None
    digest: Annotated[str | None, TEXT | NOTHING] = None

    @property
    def dimensions(self) -> int:
        return _points(self).shape[1]

    def draw(self, batch: int) -> Draw:
        """Batches for `Stream`, drawn with replacement: n of them, (n, batch, D)."""
        training = self.training().numpy()
        return lambda rng, n: training[rng.integers(len(training), size=(n, batch))]

    def training(self) -> Tensor:
        """The points that are not held out, (N, D): all of them where there are fewer than ten."""
        return _points(self)[trained_on(len(_points(self)))]

    def held_out(self) -> Tensor:
        """Every tenth point in the order of the file, (M, D): none where there are fewer than ten."""
        return _points(self)[~trained_on(len(_points(self)))]


@functools.cache
def _points(points: Points) -> Tensor:
    if points.digest is not None and points_digest(points.path) != points.digest:
        raise StudyError(f"the points in {points.path} are not those of the recipe, whose digest is {points.digest}")
    return torch.from_numpy(read(points.path, points.key))


def points_digest(path: str | Path) -> str:
    """SHA-256 of a file of points. Raises StudyError where there is no such file."""
    return hashlib.sha256(_file(path).read_bytes()).hexdigest()


def read(path: str | Path, key: str | None = None) -> np.ndarray:
    """The points in a file, float32 (N, D): rows of a .csv, with or without a line of names, or an array (N, D).

    Of a .npz file the array `key`, which need not be named where it is alone. Raises StudyError where the file is none
    of these or has no points, and for a value that is no number, or infinite in single precision, with its place.
    """
    file = _file(path)
    if key is not None and file.suffix.lower() != ".npz":
        raise StudyError(f"key = {key!r} of {file}: allowed of a .npz file")
    if file.suffix.lower() == ".csv":
        return _rows(file)
    return _array(file, key)


def _file(path: str | Path) -> Path:
    file = from_user(path)
    if file.suffix.lower() not in SUFFIXES or not file.is_file():
        raise StudyError(f"{file} is no file of points: allowed are files that end with {', '.join(SUFFIXES)}")
    return file


def _rows(file: Path) -> np.ndarray:
    """The lines of a text file, without the first where that names the columns."""
    try:
        with open(file, encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text)
            lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"{file} is no text of rows of numbers: {error}") from error
    if lines and not any(map(_is_number, lines[0][1])):
        del lines[0]
    if not lines:
        raise StudyError(f"{file} has no points: allowed are rows of numbers with commas between them")
    first, width = lines[0][0], len(lines[0][1])
    for line, cells in lines:
        if len(cells) != width:
            raise StudyError(f"line {line} of {file} has {len(cells)} values: allowed are {width}, as in line {first}")
    rows = [[_value(file, line, cell) for cell in cells] for line, cells in lines]
    return _single(file, np.array(rows), [f"line {line}" for line, _ in lines])


def _value(file: Path, line: int, cell: str) -> float:
    if not _is_number(cell):
        raise StudyError(f"line {line} of {file} has {cell.strip()!r}: allowed are numbers with commas between them")
    return float(cell)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own way to write numbers


def _array(file: Path, key: str | None) -> np.ndarray:
    try:
        loaded = np.load(file, allow_pickle=False)
        if file.suffix.lower() == ".npz":
            loaded = loaded[_key(file, key, loaded.files)]
        kind, shape = loaded.dtype.kind, loaded.shape  # not of an archive that is named .npy
    except (ValueError, OSError, EOFError, AttributeError, BadZipFile, zlib.error) as error:
        raise StudyError(f"{file} is no file of an array of numbers: {error}") from error
    if kind not in "fiu" or len(shape) != 2 or 0 in shape:
        is_ = f"{loaded.dtype} of shape {shape}"
        raise StudyError(f"the array in {file} is {is_}: allowed are numbers (points, dimensions), one or more each")
    return _single(file, loaded, [])


def _key(file: Path, key: str | None, keys: list[str]) -> str:
    if key is None and len(keys) == 1:
        return keys[0]
    if key not in keys:
        raise StudyError(f"key = {key!r} of {file}: allowed are {', '.join(keys) or 'none'}")
    return key


def _single(file: Path, values: np.ndarray, places: list[str]) -> np.ndarray:
    """The values in single precision, all finite; `places` says where each row stands, else it is counted from 0."""
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(values, np.float32)
    bad = ~np.isfinite(single)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        place = places[row] if places else f"row {row}"
        raise StudyError(f"{place} of {file} has {values[row, column]}: allowed are numbers of single precision")
    return single
