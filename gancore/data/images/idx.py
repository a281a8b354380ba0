"""Data sets in MNIST's file format: where their four files lie, plain or as .gz, and what is in them.

Source of the format: LeCun, Cortes & Burges, "The MNIST database of handwritten digits".
"""

import gzip
import os
import zlib
from pathlib import Path

import numpy as np

from gancore.errors import StudyError

DIMENSIONS = {  # of each file's array, by its name
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}


def places(folder: Path, data: str) -> list[Path]:
    """Where a data set may lie: in torchvision's place below `folder`, or in what `folder` itself may be of it."""
    return [folder / data / "raw", folder / data, folder / "raw", folder]


def files_in(place: Path) -> dict[str, Path]:
    """Those of the four files that are there, by their names; a dot may stand before idx, and .gz at the end."""
    found = {}
    for name in DIMENSIONS:
        spelt = (name, name.replace("-idx", ".idx"))
        there = (place / f"{spelling}{packed}" for packed in ("", ".gz") for spelling in spelt)
        path = next(filter(os.path.isfile, there), None)
        if path is not None:
            found[name] = path
    return found


def content_of(path: Path) -> bytes:
    """What is in a file, unpacked if it is packed. Raises StudyError where that cannot be done."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise StudyError(f"{path} cannot be unpacked, it is truncated or was altered: restore it") from error
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror}") from error


def array_of(content: bytes, name: str, path: Path) -> np.ndarray:
    """The array of bytes in a file. Raises StudyError where its header or its length says that it is none."""
    count = DIMENSIONS[name]
    start = 4 + 4 * count
    shape = tuple(np.frombuffer(content[4:start], ">u4", -1).tolist()) if len(content) >= start else ()
    if content[:4] != bytes([0, 0, 8, count]) or len(content) != start + np.prod(shape, dtype=object):
        raise StudyError(f"{path} is no whole file of bytes in {count} dimensions, as {name} is: restore it")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
