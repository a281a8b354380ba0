"""Where the repository and the user's files lie, and writing to disk: whole or not at all."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from gancore.errors import StudyError

ROOT = Path(__file__).resolve().parent.parent


def from_user(path: object) -> Path:
    """A path that a user gives, absolute: `~` is expanded, and a relative one counts from where the user stands.

    That is the working directory, but in a notebook's kernel, which runs in the notebook's folder, the one that the
    shell was in when papermill or Jupyter was started. Raises StudyError for what is no path.
    """
    if not isinstance(path, str | os.PathLike) or not str(path) or "\0" in str(path):
        raise StudyError(f"{path!r} is no path: allowed is the name of a file or folder")
    try:
        return Path(_standing(), Path(path).expanduser())
    except RuntimeError as error:
        raise StudyError(f"{path} names the home of a user whom this machine does not know") from error


def _standing() -> str:
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    in_kernel = hasattr(shell, "kernel")
    return (in_kernel and os.environ.get("PWD")) or os.getcwd()


def read_yaml(path: Path) -> Any:
    """What a YAML file holds, read by libyaml where it is at hand: ten times as fast. Raises as `yaml.safe_load`."""
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path`, as `written_whole` does."""
    with written_whole(path) as file:
        file.write(content)


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, of which a reader at `path` sees the old or the new one, never a part.

    Raises StudyError where the folder is read-only or the disk full; nothing is left behind then.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        if partial.exists():
            partial.unlink()
        raise StudyError(f"{path} cannot be written: {error.strerror}") from error
