"""What a kind of observation is: how it measures, when, and what."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gancore.metrics.described import Quantity
from gancore.training.loop import Measure
from gancore.training.population import Population


@dataclass(frozen=True)
class Kind:
    """`measure(runs, **settings)` gives a `Measure` of the `quantities`, observed at the steps of a `clock`.

    A measure that also takes `moments` is given these steps.
    """

    measure: Callable[..., Measure]
    clock: str
    quantities: Mapping[str, Quantity] = field(default_factory=dict)

    @property
    def given(self) -> list[str]:
        """What the measure is given before its settings."""
        parameters = inspect.signature(self.measure).parameters.values()
        return [parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]

    def made(self, runs: Population, moments: Sequence[int], settings: Mapping[str, Any]) -> Measure:
        """The measure of these runs. Raises StudyError where it needs what the game or the target does not have."""
        there = {"runs": runs, "moments": moments}
        return self.measure(*(there[name] for name in self.given), **settings)
