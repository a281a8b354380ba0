"""The parameters of a notebook: refused with a sentence where they cannot be meant."""

import ast
import re
from collections.abc import Sequence
from typing import NamedTuple

from gancore.errors import StudyError
from gancore.values import each, whole

PROFILES = ("smoke", "quick", "paper")
INJECTED = "# Parameters\n"  # how papermill begins the cell that it puts in


class Share(NamedTuple):
    """The `index`-th of `count` equal shares of the work, counted from 1."""

    index: int
    count: int


def assigned(source: str) -> set[str]:
    """The names that a cell assigns at its top level; none if it is not plain Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    annotated = [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    return {target.id for target in [*targets, *annotated] if isinstance(target, ast.Name)}


def refuse_unknown(history: Sequence[str]) -> None:
    """Raises StudyError if papermill put in a parameter that no cell before assigns (it only warns).

    `history` holds the sources of the cells executed so far, IPython's `In`.
    """
    known: set[str] = set()
    for source in history:
        names = assigned(source)
        if source.startswith(INJECTED):
            for name in sorted(names - known):
                raise StudyError(f"unknown parameter {name!r}: this notebook has {', '.join(sorted(known))}")
        known |= names


def known_profile(name: object) -> str:
    """The name, if there is such a profile; StudyError if not."""
    if name not in PROFILES:
        raise StudyError(f"unknown profile {name!r}: allowed are {', '.join(PROFILES)}")
    return name


def known_device(name: object) -> str:
    """The name, if a device can be called so on some machine; StudyError if not."""
    if not isinstance(name, str) or not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", name):
        raise StudyError(f"unknown device {name!r}: allowed are auto, cpu, cuda and cuda:N")
    return name


def read_share(text: object) -> Share:
    """`"2/3"` as Share(2, 3). Raises StudyError for anything else."""
    found = re.fullmatch(r"([0-9]+)/([0-9]+)", text) if isinstance(text, str) else None
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise StudyError(f"unknown share {text!r}: allowed is i/k with 1 <= i <= k, such as 1/2")
    return Share(int(found[1]), int(found[2]))


def whole_numbers(name: str, value: object, least: int) -> list[int]:
    """Different whole numbers: one, a list, or a text such as `"1 2 4"`. Raises StudyError for anything else."""
    numbers = value
    if isinstance(value, str):
        words = value.replace(",", " ").split()
        numbers = [int(word) if re.fullmatch(r"[0-9]+", word) else word for word in words]
    elif not isinstance(value, list | tuple):
        numbers = [value]
    if not each(whole(least)).holds(numbers) or len(set(numbers)) != len(numbers):
        raise StudyError(f"{name} = {value!r}: allowed are different whole numbers from {least} up, such as '1 2 4'")
    return list(numbers)


def require(holds: bool, sentence: str) -> None:
    """Raises StudyError with the sentence unless the condition holds."""
    if not holds:
        raise StudyError(sentence)
