"""The parameters of a notebook: refused with a sentence where they cannot be meant."""

import ast
import re
from collections.abc import Sequence

from gancore.errors import StudyError

PROFILES = ("smoke", "quick", "paper")
INJECTED = "# Parameters\n"  # how papermill begins the cell that it puts in


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


def known_profile(name: str) -> str:
    """The name, if there is such a profile; StudyError if not."""
    if name not in PROFILES:
        raise StudyError(f"unknown profile {name!r}: allowed are {', '.join(PROFILES)}")
    return name


def known_device(name: object) -> str:
    """The name, if a device can be called so on some machine; StudyError if not."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", str(name)):
        raise StudyError(f"unknown device {name!r}: allowed are auto, cpu, cuda and cuda:N")
    return str(name)


def whole_number(name: str, value: object, least: int) -> int:
    """The value, if it is a whole number from `least` up; StudyError if not."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise StudyError(f"{name} = {value!r}: allowed is a whole number from {least} up")
    return value


def whole_numbers(name: str, text: object, least: int) -> list[int]:
    """A list of different whole numbers written as in `"1 2 4"`; StudyError for anything else."""
    words = str(text).replace(",", " ").split()
    numbers = [int(word) for word in words if word.lstrip("-").isdigit()]
    if len(numbers) != len(words) or not numbers or min(numbers) < least or len(set(numbers)) != len(numbers):
        raise StudyError(f"{name} = {text!r}: allowed are different whole numbers from {least} up, such as '1 2 4'")
    return numbers


def require(holds: bool, sentence: str) -> None:
    """Raises StudyError with the sentence unless the condition holds."""
    if not holds:
        raise StudyError(sentence)
