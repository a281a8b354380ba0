"""Images decoded once: what it took long to find out about a folder, kept in the repository's data/downloads.

Nothing is ever written to the folder itself. Decoded images are found by the digest of the folder's contents, the size
asked for, and the code and library that decoded them. That digest is itself remembered by the names, sizes and times
of the files: a file's change of status cannot be set back by a user, so it tells of every change but one in the
same instant, and what changed in the last SETTLED seconds is not remembered.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import PIL

from gancore.errors import StudyError
from gancore.files import ROOT, write_whole, written_whole

KEPT = ROOT / "data" / "downloads" / "decoded"
WORTH = 2.0  # seconds: what took less is done again each time
SETTLED = 2.0  # seconds, the coarsest clock of a file system
CODE = [Path(__file__).with_name(name) for name in ("folders.py", "pixels.py")]


def stamp_of(files: Mapping[str, Path]) -> str:
    """What stands for files as long as nobody touches them; empty where one was changed just now, or cannot be seen."""
    state, newest = hashlib.sha256(), 0.0
    for name, file in files.items():
        try:
            seen = file.stat()
        except OSError:
            return ""
        newest = max(newest, seen.st_mtime, seen.st_ctime)
        told = (str(file), name, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_dev, seen.st_ino)
        state.update(f"{told}\n".encode(errors="surrogateescape"))
    return state.hexdigest() if newest < time.time() - SETTLED else ""


def remembered_digest(stamp: str) -> str:
    """The digest of the contents of files with this stamp; empty where it is not known, or damaged."""
    digest, _, sealed = _text(KEPT / f"{stamp}.digest").partition(" ") if stamp else ("", "", "")
    return digest if sealed == _seal(digest) else ""


def remember_digest(stamp: str, digest: str, seconds: float) -> None:
    """Keep a digest that took so many seconds."""
    if stamp and seconds >= WORTH:
        with contextlib.suppress(StudyError):  # where nothing can be written, it is made again each time
            write_whole(KEPT / f"{stamp}.digest", f"{digest} {_seal(digest)}".encode())


def _seal(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def key_of(digest: str, side: int, channels: int) -> str:
    """What stands for the images in a folder with this digest, decoded to this size by the code as it is."""
    made_by = [PIL.__version__, *(path.read_text() for path in CODE)]
    return hashlib.sha256(json.dumps([digest, side, channels, *made_by]).encode()).hexdigest()


def kept(key: str) -> tuple[np.ndarray, dict[str, str]] | None:
    """Images uint8 (N, D), read from disk as they are asked for, and why others are left out; None where they are not
    there, or damaged."""
    try:
        about, images = json.loads(_text(KEPT / f"{key}.json")), KEPT / f"{key}.npy"
        with open(images, "rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != about["sha256"]:
                return None
        return np.load(images, mmap_mode="c"), about["left"]
    except (ValueError, KeyError, TypeError, OSError):
        return None


def keep(key: str, images: np.ndarray, left: Mapping[str, str], seconds: float) -> None:
    """Keep images that took so many seconds."""
    if seconds < WORTH:
        return
    with contextlib.suppress(StudyError):  # where nothing can be written, they are decoded again each time
        with written_whole(KEPT / f"{key}.npy") as file:
            np.save(file, images)
        with open(KEPT / f"{key}.npy", "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        write_whole(KEPT / f"{key}.json", json.dumps({"sha256": digest, "left": dict(left)}).encode())


def _text(path: Path) -> str:
    """What a file says; empty where there is none."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
