"""Where the repository lies, and writing to disk: whole or not at all."""

import os
from pathlib import Path

from gancore.errors import StudyError

ROOT = Path(__file__).resolve().parent.parent


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a reader sees the old file or the new one, never a part.

    Raises StudyError where the folder is read-only or the disk full; nothing is left behind then.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        if partial.exists():
            partial.unlink()
        raise StudyError(f"{path} cannot be written: {error.strerror}") from error
