"""Images from a folder: one's own, or the faces of CelebA."""

import contextlib
import functools
import hashlib
import os
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from gancore.data.images import decoded
from gancore.data.images.pixels import MODES, in_bytes, picture, reason
from gancore.data.images.published import FOLDER, Missing, data_folder, quiet_and_impatient
from gancore.data.splits import TrainingSet, trained_on
from gancore.errors import StudyError
from gancore.files import from_user
from gancore.streams import Draw
from gancore.values import NOTHING, TEXT, Count, check_settings, one_of

FORMATS = "apng avif bmp dib gif j2k jfif jp2 jpe jpeg jpg jpx mpo pbm pfm pgm png pnm ppm qoi sgi tga tif tiff webp"
SUFFIXES = {f".{suffix}" for suffix in FORMATS.split()}
SILENT = {"thumbs.db", "desktop.ini", "__macosx"}  # what file managers leave behind beside hidden files
NAMED = 5  # so many of the files left out are named, the others counted
CELEBA = Path("celeba", "img_align_celeba")  # where torchvision puts the images


@dataclass(frozen=True)
class Folder(TrainingSet):
    """The images in the folder `path` and all below it as points, pixels in [-1, 1]: see `read`.

    `digest`, if given, is what `folder_digest` says of the folder that a recipe means. Raises StudyError
    when the images are asked for and `path` is no folder, has no readable image, or has another digest.
    """

    path: Annotated[str, TEXT]
    side: Count = 32
    channels: Annotated[int, one_of(*MODES)] = 1
    digest: Annotated[str | None, TEXT | NOTHING] = None

    def __post_init__(self) -> None:
        check_settings(type(self), 0, vars(self), "a folder")

    @property
    def dimensions(self) -> int:
        return self.channels * self.side**2

    @property
    def image(self) -> tuple[int, int]:
        """Channels and side of an image."""
        return self.channels, self.side

    def draw(self, batch: int) -> Draw:
        """Batches for `Stream`, drawn with replacement: n of them, (n, batch, D)."""
        images = self._images()
        rows = trained_on(len(images)).nonzero()[:, 0]
        return lambda rng, n: _scaled(images[rows[rng.integers(len(rows), size=(n, batch))]]).numpy()

    def training(self) -> Tensor:
        """The images that are not held out, (N, D): all of them where there are fewer than ten."""
        return _scaled(self._images()[trained_on(len(self._images()))])

    def held_out(self) -> Tensor:
        """Every tenth image in the order of their names, (M, D): none where there are fewer than ten."""
        return _scaled(self._images()[~trained_on(len(self._images()))])

    def _images(self) -> Tensor:
        return _read(self)[0]

    def left_out(self) -> dict[str, str]:
        """Why files in the folder are not among the images, by their paths in it."""
        return dict(_read(self)[1])


def _scaled(x: Tensor) -> Tensor:
    """Bytes as float32 in [-1, 1]."""
    return x.float().div_(127.5).sub_(1)


@functools.cache
def _read(folder: Folder) -> tuple[Tensor, dict[str, str]]:
    if folder.digest is not None and folder_digest(folder.path) != folder.digest:
        raise StudyError(f"the images in {folder.path} are not those of the recipe, whose digest is {folder.digest}")
    return _read_with(_warn_once, folder.path, folder.side, folder.channels)


@functools.cache
def _warn_once(text: str) -> None:
    """Warn, unless the same has been said: a study reads a folder at several sides and in several colours."""
    warnings.warn(text, stacklevel=3)


def read(path: str | Path, side: int, channels: int) -> tuple[Tensor, dict[str, str]]:
    """The images in a folder and all below it, uint8 (N, D), and why each other file is left out, by its name.

    Each is turned upright as its camera says, laid on white where it is transparent, made grey
    (channels 1: luma by ITU-R BT.601) or colour (channels 3, D counting channel, row, column), cut to the square in its
    middle and resized to side x side with antialiasing. Of a film or of several pages, the first. Files are taken in
    the order of their names.

    Greys of up to 16 bits are read by the range of their type. Floats and 32-bit integers are read from 0 to the
    smallest of 1, 255 and 65535 that no file of the same kind in the folder exceeds; they are left out where
    that leaves all of them darker than a sixteenth of white, as do 0 to 1.2 or 0 to 1023, and so is a file with values
    that are negative, larger, infinite or NaN.

    What took long to decode is kept, and read from there the next time: `decoded`.

    One warning names the files that are left out: those that cannot be read, those without one of SUFFIXES, links to
    nothing. Hidden files, and what SILENT lists, are passed over. Raises StudyError where `path` is no folder, or
    has no readable image.
    """
    return _read_with(warnings.warn, path, side, channels)


def _read_with(
    warn: Callable[[str], None], path: str | Path, side: int, channels: int
) -> tuple[Tensor, dict[str, str]]:
    files, left = _listed(path)
    key = decoded.key_of(folder_digest(path), side, channels)
    images, doubtful = decoded.kept(key) or _decoded(files, side, channels, key)
    left |= doubtful
    if not len(images):
        others = f"; left out: {_list(left)}" if left else ""
        raise StudyError(f"{path} has no readable image: allowed is a folder of images, such as .png or .jpg{others}")
    if left:
        are = "file in {} is" if len(left) == 1 else "files in {} are"
        warn(f"{len(left)} {are.format(path)} left out: {_list(left)}")
    return torch.from_numpy(images), left


def _decoded(files: Mapping[str, Path], side: int, channels: int, key: str) -> tuple[np.ndarray, dict[str, str]]:
    """The images in files, uint8 (N, D), and why others are left out; kept under a key where this takes long."""
    began, pictures, left = time.monotonic(), {}, {}
    for name, file in files.items():
        try:
            pictures[name] = picture(file, side, channels)
        except Exception as error:  # Pillow's decoders raise most kinds of exceptions on damaged files
            left[name] = reason(error)
    by_name, doubtful = in_bytes(pictures)
    images = np.stack(list(by_name.values())) if by_name else np.empty((0, channels * side**2), np.uint8)
    decoded.keep(key, images, left | doubtful, time.monotonic() - began)
    return images, left | doubtful


def folder_digest(path: str | Path) -> str:
    """SHA-256 of the names and contents of the images in a folder and all below it, readable or not.

    Files that nobody has touched since they were last read are not read again: `decoded`. Raises StudyError where
    `path` is no folder.
    """
    files, began = _listed(path)[0], time.monotonic()
    stamp = decoded.stamp_of(files)
    if not (digest := decoded.remembered_digest(stamp)):
        digest = _digest(files)
        decoded.remember_digest(stamp, digest, time.monotonic() - began)
    return digest


def _digest(files: Mapping[str, Path]) -> str:
    state = hashlib.sha256()
    for name, file in files.items():
        try:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError:  # left out of what is read, as long as it cannot be opened
            content = "unreadable"
        state.update(f"{content} {name}\n".encode(errors="surrogateescape"))
    return state.hexdigest()


def _listed(path: str | Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Files with a suffix of an image format, by their paths in the folder, in order; and why others are left out."""
    folder = from_user(path)
    if not folder.is_dir():
        raise StudyError(f"{folder} is not a folder: allowed is a folder of images")
    files, left = {}, {}

    def name_of(place: str | Path) -> str:
        return Path(place).relative_to(folder).as_posix()

    def closed(error: OSError) -> None:
        left[name_of(error.filename)] = error.strerror

    for place, folders, names in os.walk(folder, onerror=closed):
        folders[:] = filter(_shown, folders)
        for file in (Path(place, name) for name in filter(_shown, [*folders, *names])):
            if why := _no_image(file):
                left[name_of(file)] = why
            elif not os.path.isdir(file):
                files[name_of(file)] = file
    return dict(sorted(files.items())), left


def _shown(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in SILENT


def _no_image(file: Path) -> str:
    """Why what is there is not taken for an image file or a folder to look into; empty where it is."""
    named_so = file.suffix.lower() in SUFFIXES
    if os.path.isdir(file):  # unlike Path's, these functions do not raise where nobody may look
        return "a folder" if named_so else "a link to a folder" if os.path.islink(file) else ""
    if not os.path.exists(file):
        return "a link to nothing" if os.path.islink(file) else "cannot be opened"
    if not os.path.isfile(file):
        return "no file"
    return "" if named_so else f"{file.suffix} is not read" if file.suffix else "no suffix of an image"


def _list(left: Mapping[str, str]) -> str:
    named = [f"{name} ({why})" for name, why in sorted(left.items())]
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return ", ".join(named[:NAMED]) + more


def celeba(folder: Path | None = None, side: int = 64) -> Folder:
    """The 202,599 aligned faces of CelebA in colour, from `folder/celeba`; downloaded if they are not there.

    Source: Liu et al. 2015, "Deep learning face attributes in the wild". Raises Missing where they are
    not there and cannot be downloaded.
    """
    folder = data_folder() if folder is None else from_user(folder)
    faces = folder / CELEBA
    if not faces.is_dir():
        _download_celeba(folder)
    return Folder(str(faces), side, 3)


def _download_celeba(folder: Path) -> None:
    from torchvision import datasets  # takes seconds to import

    made = [path for path in (folder / CELEBA.parts[0], folder) if not path.exists()]
    try:
        with quiet_and_impatient():
            datasets.CelebA(folder, download=True)
    except Exception as error:  # among them those of gdown, which torchvision downloads with
        for path in made:  # what has come already stays, for the next try
            with contextlib.suppress(OSError):
                path.rmdir()
        raise Missing(
            f"CelebA is not in {folder} and could not be downloaded, which takes a network and the package gdown: "
            f"set {FOLDER} to a folder that has {CELEBA.as_posix()}"
        ) from error
