"""The steps at which something is observed."""

from collections.abc import Mapping
from typing import Any

from gancore.errors import StudyError
from gancore.values import each, whole

CLOCK = {"times", "at"}  # an entry of `observe` has one of them; its other settings are those of its kind


def check_clock(steps: int, spec: Mapping[str, Any], where: str) -> None:
    """Raises StudyError unless the entry says, by `times` or by `at`, at which of so many steps to observe."""
    if len(spec.keys() & CLOCK) != 1:
        raise StudyError(f"{where} is observed when? allowed is either 'times' or 'at'")
    allowed = {"times": whole(1, steps), "at": each(whole(0, steps))}
    for setting in spec.keys() & allowed.keys():
        allowed[setting].check(f"{setting} of {where}", spec[setting])


def moments(steps: int, spec: Mapping[str, Any]) -> list[int]:
    """The steps that an entry of `observe` asks for."""
    return sorted(set(spec["at"])) if "at" in spec else evenly(steps, spec["times"])


def evenly(steps: int, times: int) -> list[int]:
    """Step 0 and `times` more that divide `steps` evenly, the last one included."""
    return sorted({round(steps * i / times) for i in range(times + 1)})
