"""MNIST, and the data sets that share its file format: found where they lie, or downloaded."""

import contextlib
import functools
import hashlib
import http.client
import io
import os
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gancore.data.images.idx import array_of, content_of, files_in, places
from gancore.errors import StudyError
from gancore.files import ROOT, from_user, write_whole

FOLDER = "GANCORE_DATA"  # the environment variable that names the data folder
SHA256 = {  # of MNIST's files, unpacked
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
SECONDS_TO_ANSWER = 10.0
CLASSES = 10


class Published(NamedTuple):
    """A data set in MNIST's file format: its title, and torchvision's name of it and of its folder."""

    title: str
    folder: str


SIDE = 28  # pixels
PUBLISHED = {
    "mnist": Published("MNIST", "MNIST"),
    "fashion-mnist": Published("Fashion-MNIST", "FashionMNIST"),
    "kmnist": Published("KMNIST", "KMNIST"),
}


@dataclass(frozen=True)
class ImageSet:
    """Labelled grey images, flat: `train` (N, side * side) float32 in [-1, 1], `train_labels` (N,) int64."""

    name: str
    side: int
    train: Tensor
    train_labels: Tensor
    held_out: Tensor
    held_out_labels: Tensor


class Missing(StudyError):
    """The data are not here and could not be downloaded."""


def data_folder() -> Path:
    """Where data sets lie: the folder that GANCORE_DATA names, else data/downloads in the repository."""
    return from_user(os.environ.get(FOLDER) or ROOT / "data" / "downloads")


def mnist(folder: Path | None = None) -> ImageSet:
    """MNIST (LeCun, Cortes & Burges): 60,000 images of 28 x 28 and 10,000 held out; as `published`."""
    return published("mnist", folder)


def published(name: str, folder: Path | None = None) -> ImageSet:
    """A data set of PUBLISHED from `folder`, downloaded into it if it is not there.

    Its four files, plain or as .gz, may lie where torchvision puts them (MNIST/raw), or in a folder that `folder`
    itself names. MNIST's are compared with the digests of what was published; the others' are checked for
    the format, for their size and for agreeing with one another, and refused where they are MNIST's.

    Raises Missing where they are not there and cannot be downloaded, StudyError where a file is not what it should be.
    """
    return _published(name, data_folder() if folder is None else from_user(folder))


@functools.cache
def _published(name: str, folder: Path) -> ImageSet:
    place = _place(name, folder)
    if place is None:
        _download(name, folder)
        place = _place(name, folder)
    return _labelled(name, _arrays(name, place), place)


def _place(name: str, folder: Path) -> Path | None:
    """The first place in the folder that has all four files; those that hold MNIST are no place of another set."""
    for place in places(folder, PUBLISHED[name].folder):
        found = files_in(place)
        if len(found) == len(SHA256) and (name == "mnist" or not all(map(_is_mnist, found.values(), found))):
            return place
    return None


def _is_mnist(path: Path, name: str) -> bool:
    return hashlib.sha256(content_of(path)).hexdigest() == SHA256[name]


def _arrays(name: str, place: Path) -> dict[str, np.ndarray]:
    """What the four files hold. Raises StudyError where one is damaged, or is to be MNIST's and is not."""
    arrays = {}
    for part, path in files_in(place).items():
        content = content_of(path)
        if name == "mnist" and hashlib.sha256(content).hexdigest() != SHA256[part]:
            raise StudyError(
                f"{path} is not MNIST's, its SHA-256 differs: it is of another data set in this format or was altered. "
                'Ask for that one by images = "fashion-mnist" or "kmnist", restore the file, or set '
                f"{FOLDER} to another folder"
            )
        arrays[part] = array_of(content, part, path)
    return arrays


def _labelled(name: str, arrays: dict[str, np.ndarray], place: Path) -> ImageSet:
    """The arrays as images. Raises StudyError where they do not agree with one another."""
    parts = []
    for part in ("train", "t10k"):
        x, labels = arrays[f"{part}-images-idx3-ubyte"], arrays[f"{part}-labels-idx1-ubyte"]
        if not len(x) or len(x) != len(labels) or x.shape[1:] != (SIDE, SIDE) or labels.max() >= CLASSES:
            raise StudyError(
                f"{place} has {part} images of shape {x.shape} and {len(labels)} labels: allowed are images of "
                f"{SIDE} x {SIDE}, one or more, each with a label below {CLASSES}"
            )
        parts += [scaled(torch.from_numpy(x.copy()), 255), torch.from_numpy(labels.astype(np.int64))]
    return ImageSet(name, SIDE, *parts)


def scaled(x: Tensor, white: float) -> Tensor:
    """Values from 0 to `white`, (N, ...) -> (N, D) in [-1, 1]."""
    return x.flatten(1).float() / (white / 2) - 1


def _download(name: str, folder: Path) -> None:
    """Put those of the four files that are not there into torchvision's place in the folder; raises Missing.

    Nothing is made in the folder before all are there.
    """
    from torchvision import datasets  # takes seconds to import

    data = PUBLISHED[name]
    raw = folder / data.folder / "raw"
    if len(files_in(raw)) == len(SHA256):
        raise StudyError(f"{raw} has the files of MNIST, not of {data.title}: set {FOLDER} to another folder")
    try:
        with tempfile.TemporaryDirectory() as partial, quiet_and_impatient():
            getattr(datasets, data.folder)(partial, download=True)
            place = _place(name, Path(partial))
            if place is None:
                raise RuntimeError("the download is incomplete")
            _arrays(name, place)  # raises where it is damaged
            contents = {part: content_of(path) for part, path in files_in(place).items()}
        for part in contents.keys() - files_in(raw).keys():
            write_whole(raw / part, contents[part])
    except (OSError, EOFError, RuntimeError, http.client.HTTPException, StudyError) as error:
        raise Missing(f"{data.title} could not be downloaded: {_looked_for(name, folder)}") from error


def _looked_for(name: str, folder: Path) -> str:
    """Which files were looked for, and where, and what helps."""
    title, data = PUBLISHED[name]
    fullest = max(places(folder, data), key=lambda place: len(files_in(place)))
    lacking = [part for part in SHA256 if part not in files_in(fullest)]
    if 0 < len(lacking) < len(SHA256):
        where = f"{fullest} has no {' and no '.join(lacking)}"
    else:
        where = f"{', '.join(SHA256)} are not in {folder}, where {data}/raw, {data}, raw and the folder were tried"
    return f'{where}; set {FOLDER} to a folder that has all four of {title}, plain or as .gz, or use images="digits"'


@contextlib.contextmanager
def quiet_and_impatient() -> Iterator[None]:
    """No progress bars of torchvision's, and no server waited for longer than some seconds."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS_TO_ANSWER)
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        socket.setdefaulttimeout(before)
