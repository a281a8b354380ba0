"""The steps at which something is observed."""

from collections.abc import Mapping
from typing import Any


def moments(steps: int, spec: Mapping[str, Any]) -> list[int]:
    """The steps that an entry of `observe` asks for."""
    return sorted(set(spec["at"])) if "at" in spec else evenly(steps, spec["times"])


def evenly(steps: int, times: int) -> list[int]:
    """Step 0 and `times` more that divide `steps` evenly, the last one included."""
    return sorted({round(steps * i / times) for i in range(times + 1)})
