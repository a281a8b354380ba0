"""Measures of runs that have diverged: NaN, never a plausible number, nor an error that stops their neighbours."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor

Found = TypeVar("Found", Tensor, Mapping[str, Tensor])


def all_finite(x: Tensor) -> Tensor:
    """Whether all numbers of a run are finite: (R, ...) -> bool (R,)."""
    return x.isfinite().flatten(1).all(1)


def blanked(found: Found, finite: Tensor) -> Found:
    """NaN for the runs that are not `finite`, (R,): a tensor (R, ...), or several by name.

    Tensors with less than R entries are the first runs' own.
    """
    if isinstance(found, Mapping):
        return {name: blanked(value, finite) for name, value in found.items()}
    keep = finite[: len(found)]
    if keep.all():
        return found
    return found.where(keep.reshape(-1, *[1] * (found.dim() - 1)), torch.nan)


def of_finite(measure: Callable[..., Found]) -> Callable[..., Found]:
    """A measure whose first argument is a sample (R, ...), made NaN for runs with a point that is not finite.

    The measure itself sees zeros in their place, so whatever it calls need not know.
    """

    @functools.wraps(measure)
    def measured(x: Tensor, *others: Any, **named: Any) -> Found:
        finite = all_finite(x)
        if finite.all():
            return measure(x, *others, **named)
        return blanked(measure(x.where(finite.reshape(-1, *[1] * (x.dim() - 1)), 0), *others, **named), finite)

    return measured
