"""What a measured number is, said beside the measure and stored with its values."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

POINT = 1 / 256  # points are stored in whole multiples of it, up to +-127
GREY = 1 / 7  # pixels are: 15 levels of grey


@dataclass(frozen=True)
class Quantity:
    """A number a run and moment, or an array of them along `dimensions`: what it `says`, in a word or two.

    `least` and `most` are the ends of its range, `better` says which of them is ("higher" or "lower", None: neither).
    With a `grain` it is stored in 16 bits, in whole multiples of it. It is of every run, or `of_first` alone.
    """

    says: str
    dimensions: Sequence[str] = ()
    unit: str = "1"
    least: float = -math.inf
    most: float = math.inf
    better: str | None = None
    grain: float | None = None
    of_first: bool = False

    @property
    def worst(self) -> float:
        """The end of its range that is not the better one, for runs that diverged. NaN where neither is better."""
        return {"higher": self.least, "lower": self.most}.get(self.better or "", math.nan)

    def as_attributes(self) -> dict[str, str | float]:
        """As it is stored beside its values: what is not said is left out."""
        ends = {"least": self.least, "most": self.most}
        better = {} if self.better is None else {"better": self.better}
        return {
            "long_name": self.says,
            "units": self.unit,
            **{end: value for end, value in ends.items() if math.isfinite(value)},
            **better,
        }


def share(says: str, better: str | None = None, dimensions: Sequence[str] = ()) -> Quantity:
    """A quantity between 0 and 1."""
    return Quantity(says, dimensions, least=0, most=1, better=better)


@dataclass(frozen=True, eq=False)
class Family:
    """Measures that are computed together: `measure(x, target)` gives its `quantities`, each (R, ...), of (R, n, D).

    The target must have all that it `needs`, by name. `usual` ones are measured where a recipe does not choose.
    """

    measure: Callable[[Tensor, Any], Mapping[str, Tensor]]
    quantities: Mapping[str, Quantity]
    needs: Sequence[str]
    usual: bool = True

    def suits(self, target: Any) -> bool:
        """Whether the target has what is needed."""
        return all(hasattr(target, ability) for ability in self.needs)
