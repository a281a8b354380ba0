"""Progress bars on long work, silent where nobody watches."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm as line_bar
from tqdm.auto import tqdm as notebook_bar

WATCHER = "GANCORE_PROGRESS"  # a file or terminal that takes progress lines; empty: silence


@contextmanager
def progress_bar(title: str, steps: int) -> Iterator[line_bar]:
    """A bar of `steps`: in the notebook, or as lines in the file that GANCORE_PROGRESS names."""
    watcher = os.environ.get(WATCHER)
    if watcher is None:
        with notebook_bar(total=steps, desc=title, leave=False, mininterval=1) as bar:
            yield bar
        return
    with open(watcher or os.devnull, "a") as file:
        layout = "  {desc}: {percentage:3.0f} % of {total_fmt} steps, {elapsed} gone, {remaining} left\n"
        settings = {"file": file, "bar_format": layout, "mininterval": 5, "miniters": 1}
        with line_bar(total=steps, desc=title, leave=True, **settings) as bar:
            yield bar
