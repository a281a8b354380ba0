"""How far generated points are from the target: functions of samples (R, n, D), one value a run.

A measure is NaN for a run whose points are not finite and leaves its neighbours alone (`finite`). Measures that are
computed together are a `Family`, entered in MEASURES with a description of each quantity and with what it needs of a
target.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gancore.errors import StudyError
from gancore.metrics.coverage import ARCS, MIXTURE
from gancore.metrics.described import Family
from gancore.metrics.neighbours import NEIGHBOURS
from gancore.metrics.pictures import SHOWN
from gancore.metrics.traffic import TRAFFIC
from gancore.metrics.two_sample import DISTANCE, UNIFORM

MEASURES = {
    "arcs": ARCS,
    "mixture": MIXTURE,
    "uniform": UNIFORM,
    "classes": SHOWN,
    "traffic": TRAFFIC,
    "distance": DISTANCE,
    "neighbours": NEIGHBOURS,
}


def chosen(target: Any, which: Sequence[str] | None = None) -> dict[str, Family]:
    """The family that measures each of these quantities, by name; those that are usual for the target if none is named.

    Where several know a quantity, the first in MEASURES that suits the target. Raises StudyError for a quantity that
    the target lacks something for, and where nothing is usual.
    """
    suited, known = [family for family in MEASURES.values() if family.suits(target)], {}
    for family in suited:
        known |= {name: family for name in family.quantities if name not in known}
    if which is None:
        which = [name for family in suited if family.usual for name in family.quantities]
        if not which:
            raise StudyError(f"no measure is usual for {target}: allowed are, by 'which', {', '.join(known)}")
    for name in which:
        if name not in known:
            raise StudyError(f"{name!r} cannot be measured of {target}: allowed are {', '.join(known)}")
    return {name: known[name] for name in which}


def measured(x: Tensor, target: Any, which: Sequence[str] | None = None) -> dict[str, Tensor]:
    """Measures of generated points (R, n, D), each (R, ...), as `chosen`, which says what it raises."""
    families = chosen(target, which)
    found = {family: family.measure(x, target) for family in dict.fromkeys(families.values())}
    return {name: found[family][name] for name, family in families.items()}
