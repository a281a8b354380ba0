"""What a notebook shows besides figures: tables, and code taken from the module itself."""

import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from IPython.display import Markdown

from gancore.claims import tables
from gancore.recipes import changed


def source(*functions: Callable) -> Markdown:
    """The source of these functions as it is, so that what is shown cannot drift from what runs."""
    listing = "\n\n".join(textwrap.dedent(inspect.getsource(function)).rstrip() for function in functions)
    return Markdown(f"```python\n{listing}\n```")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Markdown:
    """A table of these rows."""
    return Markdown(tables.table(header, rows))


def differences(arms: Mapping[str, Mapping[str, Any]]) -> Markdown:
    """A table of what differs between the recipes of these arms, a row a place."""
    return table(*changed.differences(arms))
