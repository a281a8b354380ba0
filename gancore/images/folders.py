"""Images from a folder: one's own, or the faces of CelebA."""

import functools
import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from gancore.errors import StudyError
from gancore.images.handwritten import FOLDER, Missing, data_folder, quiet_and_impatient
from gancore.streams import Draw
from gancore.values import NOTHING, TEXT, Count, check_settings, one_of

FORMATS = "avif bmp gif jfif jp2 jpe jpeg jpg pbm pgm png pnm ppm tga tif tiff webp"
SUFFIXES = {f".{suffix}" for suffix in FORMATS.split()}
MODES = {1: "L", 3: "RGB"}  # Pillow's names of grey and colour
HELD_OUT = 10  # every so many images, one is held out
NAMED = 5  # so many unreadable files are named, the others counted
CELEBA = Path("celeba", "img_align_celeba")  # where torchvision puts the images


@dataclass(frozen=True)
class Folder:
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
        rows = _trained_on(len(images)).nonzero()[:, 0]
        return lambda rng, n: _scaled(images[rows[rng.integers(len(rows), size=(n, batch))]]).numpy()

    def training(self) -> Tensor:
        """The images that are not held out, (N, D): all of them where there are fewer than ten."""
        return _scaled(self._images()[_trained_on(len(self._images()))])

    def held_out(self) -> Tensor:
        """Every tenth image in the order of their names, (M, D): none where there are fewer than ten."""
        return _scaled(self._images()[~_trained_on(len(self._images()))])

    def _images(self) -> Tensor:
        return _read(self)[0]

    def skipped(self) -> list[str]:
        """The files that look like images and cannot be read, by their paths in the folder."""
        return list(_read(self)[1])


def _trained_on(count: int) -> Tensor:
    """Which of so many images are not held out, bool (count)."""
    return torch.arange(count) % HELD_OUT != HELD_OUT - 1


def _scaled(x: Tensor) -> Tensor:
    """Bytes as float32 in [-1, 1]."""
    return x.float().div_(127.5).sub_(1)


@functools.cache
def _read(folder: Folder) -> tuple[Tensor, list[str]]:
    if folder.digest is not None and folder_digest(folder.path) != folder.digest:
        raise StudyError(f"the images in {folder.path} are not those of the recipe, whose digest is {folder.digest}")
    return read(folder.path, folder.side, folder.channels)


def read(path: str | Path, side: int, channels: int) -> tuple[Tensor, list[str]]:
    """The images in a folder and all below it, uint8 (N, D), and the files skipped.

    Each is turned upright as its camera says, laid on white where it is transparent, made grey
    (channels 1) or colour (channels 3, D counting channel, row, column), cut to the square in its middle
    and resized to side x side with antialiasing. Of a film, its first picture. Files are taken in the
    order of their names; those without one of SUFFIXES are passed over, and one warning names those that
    cannot be read. Raises StudyError where `path` is no folder, or has no readable image.
    """
    images, skipped = [], []
    files = _files(Path(path))
    for name, file in files.items():
        try:
            images.append(_pixels(file, side, channels))
        except Exception:  # Pillow's decoders raise most kinds of exceptions on damaged files
            skipped.append(name)
    if not images:
        raise StudyError(f"{path} has no readable image: allowed is a folder of images, such as .png or .jpg files")
    if skipped:
        warnings.warn(f"{len(skipped)} of {len(files)} images in {path} cannot be read: {_list(skipped)}", stacklevel=2)
    return torch.from_numpy(np.stack(images)), skipped


def folder_digest(path: str | Path) -> str:
    """SHA-256 of the names and contents of the images in a folder and all below it, readable or not.

    Raises StudyError where `path` is no folder, or a file in it cannot be opened.
    """
    state = hashlib.sha256()
    for name, file in _files(Path(path)).items():
        try:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise StudyError(f"{file} cannot be read: {error.strerror}") from error
        state.update(f"{content} {name}\n".encode())
    return state.hexdigest()


def _files(folder: Path) -> dict[str, Path]:
    """Files with a suffix of an image format, by their paths in the folder, in order."""
    if not folder.is_dir():
        raise StudyError(f"{folder} is not a folder: allowed is a folder of images")
    files = (file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    named = {file.relative_to(folder).as_posix(): file for file in files}
    return dict(sorted(named.items()))


def _pixels(file: Path, side: int, channels: int) -> np.ndarray:
    """One image, flat: (channels * side * side,)."""
    with Image.open(file) as opened:
        upright = ImageOps.exif_transpose(opened)
    square = ImageOps.fit(_opaque(upright).convert(MODES[channels]), (side, side), Image.Resampling.LANCZOS)
    pixels = np.asarray(square).reshape(side, side, channels)
    return pixels.transpose(2, 0, 1).ravel()


def _opaque(image: Image.Image) -> Image.Image:
    """On white where it is transparent, and with eight bits a channel."""
    if image.mode.startswith("I"):  # Pillow would cut 16 bits off at 255
        return Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)


def _list(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def celeba(folder: Path | None = None, side: int = 64) -> Folder:
    """The 202,599 aligned faces of CelebA in colour, from `folder/celeba`; downloaded if they are not there.

    Source: Liu et al. 2015, "Deep learning face attributes in the wild". Raises Missing where they are
    not there and cannot be downloaded.
    """
    from torchvision import datasets  # takes seconds to import

    folder = Path(folder or data_folder())
    try:
        with quiet_and_impatient():
            datasets.CelebA(folder, download=True)
    except Exception as error:  # among them those of gdown, which torchvision downloads with
        raise Missing(
            f"CelebA is not in {folder} and could not be downloaded, which takes a network and the package gdown: "
            f"set {FOLDER} to a folder that has {CELEBA.as_posix()} and the lists that come with it"
        ) from error
    return Folder(str(folder / CELEBA), side, 3)
