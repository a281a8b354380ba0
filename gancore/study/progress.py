"""Progress bars on long work, silent where nobody watches."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from tqdm.auto import tqdm

WATCHER = "GANCORE_PROGRESS"  # a file or terminal that takes progress lines; empty: silence
SECONDS_BETWEEN_LINES = 5.0
LINE = "  {desc}: {percentage:3.0f} % of {total_fmt} steps, {elapsed} gone, {remaining} left"


class Progress(Protocol):
    """What work reports to."""

    def update(self, made: int) -> None:
        """Say that so many more steps are made."""


class Lines:
    """Progress as lines of text, one every few seconds and one at the end."""

    def __init__(self, file: TextIO, title: str, steps: int):
        self.file, self.title, self.steps = file, title, steps
        self.made, self.began = 0, time.monotonic()
        self.told = self.began

    def update(self, made: int) -> None:
        self.made += made
        now = time.monotonic()
        if now - self.told >= SECONDS_BETWEEN_LINES or self.made >= self.steps:
            self.told = now
            text = tqdm.format_meter(self.made, self.steps, now - self.began, prefix=self.title, bar_format=LINE)
            print(text, file=self.file, flush=True)


@contextmanager
def progress_bar(title: str, steps: int) -> Iterator[Progress]:
    """A bar of `steps`: in the notebook, or as lines in the file that GANCORE_PROGRESS names."""
    watcher = os.environ.get(WATCHER)
    if watcher is None:
        with tqdm(total=steps, desc=title, leave=False, mininterval=1) as bar:
            yield bar
        return
    with open(watcher or os.devnull, "a") as file:
        yield Lines(file, title, steps)
