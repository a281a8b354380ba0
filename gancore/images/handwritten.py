"""Handwritten digits: MNIST, and the small digits of scikit-learn for where MNIST is not at hand."""

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

import torch
from torch import Tensor

from gancore.errors import StudyError
from gancore.files import ROOT

FOLDER = "GANCORE_DATA"  # the environment variable that names the data folder
RAW = Path("MNIST", "raw")  # where torchvision puts the files
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
SECONDS_TO_ANSWER = 10.0
DIGITS_TO_TRAIN = 1500
CLASSES = 10


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
    return Path(os.environ.get(FOLDER) or ROOT / "data" / "downloads")


def mnist(folder: Path | None = None) -> ImageSet:
    """MNIST, 60,000 images of 28 x 28 and 10,000 held out, from `folder/MNIST/raw`; downloaded if it is not there.

    Raises Missing where it cannot be downloaded, StudyError where a file is truncated or altered.
    """
    return _mnist(Path(folder or data_folder()))


@functools.cache
def _mnist(folder: Path) -> ImageSet:
    from torchvision.datasets.mnist import read_image_file, read_label_file  # takes seconds to import

    if not _found(folder):
        _download(folder)
    raw = folder / RAW
    train, held_out = (read_image_file(raw / f"{part}-images-idx3-ubyte") for part in ("train", "t10k"))
    labels = [read_label_file(raw / f"{part}-labels-idx1-ubyte") for part in ("train", "t10k")]
    return ImageSet("mnist", train.shape[-1], _scaled(train, 255), labels[0], _scaled(held_out, 255), labels[1])


def _scaled(x: Tensor, white: float) -> Tensor:
    """Values from 0 to `white`, (N, ...) -> (N, D) in [-1, 1]."""
    return x.flatten(1).float() / (white / 2) - 1


def _found(folder: Path) -> bool:
    """Whether the four files are there. Raises StudyError where one of those that are is not as published."""
    paths = [folder / RAW / name for name in SHA256]
    there = [path for path in paths if path.is_file()]
    for path in there:
        if _sha256(path) != SHA256[path.name]:
            raise StudyError(f"{path} is truncated or was altered: delete it, so that it is downloaded again")
    return there == paths


def _sha256(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror}") from error


def _download(folder: Path) -> None:
    """Put the four files into `folder/MNIST/raw`, each whole or not at all; raises Missing."""
    from torchvision import datasets

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(suffix=".part", dir=folder) as partial, quiet_and_impatient():
            datasets.MNIST(partial, download=True)
            if not _found(Path(partial)):
                raise RuntimeError("the download is incomplete")
            (folder / RAW).mkdir(parents=True, exist_ok=True)
            for name in SHA256:
                os.replace(Path(partial, RAW) / name, folder / RAW / name)
    except (OSError, EOFError, RuntimeError, http.client.HTTPException, StudyError) as error:
        raise Missing(
            f"MNIST is not in {folder} and could not be downloaded: set {FOLDER} to a folder that has {RAW}, "
            'or use images="digits"'
        ) from error


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


@functools.cache
def digits() -> ImageSet:
    """The 1,797 digits of 8 x 8 that scikit-learn carries, of which 1,500 train; each class is split alike."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, labels = load_digits(return_X_y=True)
    split = train_test_split(
        _scaled(torch.from_numpy(x), 16),
        torch.from_numpy(labels).long(),
        train_size=DIGITS_TO_TRAIN,
        random_state=0,
        stratify=labels,
    )
    train, held_out, train_labels, held_out_labels = split
    return ImageSet("digits", 8, train, train_labels, held_out, held_out_labels)


IMAGES = {"mnist": mnist, "digits": digits}
SIDES = {"mnist": 28, "digits": 8}  # pixels, known without opening the files


def load(name: str) -> ImageSet:
    """The images of that name. Raises StudyError for an unknown one, and as `mnist` does."""
    return IMAGES[known(name, *IMAGES)]()


def pick(name: str) -> str:
    """The name, `auto` being "mnist" where it is at hand or can be downloaded, else "digits".

    Raises StudyError for an unknown name, and for `auto` where MNIST is there but damaged.
    """
    if known(name, "auto", *IMAGES) != "auto":
        return name
    try:
        return mnist().name
    except Missing:
        return digits().name


def known(name: str, *allowed: str) -> str:
    """The name, if it is one of the allowed; StudyError if not."""
    if name not in allowed:
        raise StudyError(f"unknown images {name!r}: allowed are {', '.join(allowed)}")
    return name


DIGITS_BANNER = f"""\
> ⚠️ **MNIST was not at hand: everything below is on the 8x8 digits embedded in scikit-learn.**
>
> Their results are kept apart from those on MNIST, and the claims are not decided by them. For MNIST, run this
> notebook again with a network, or set `{FOLDER}` to a folder that has `{RAW.as_posix()}`.
"""


def banner(name: str) -> str:
    """What a notebook says above its results, in Markdown: a warning for "digits", nothing for "mnist"."""
    return DIGITS_BANNER if name == "digits" else ""
