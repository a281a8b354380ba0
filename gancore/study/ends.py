"""What runs end with: a measure after the last step, arm by arm."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from gancore.observers import described
from gancore.stats import Interval, rate, worst_if_diverged


def ends(runs: Mapping[Any, xr.Dataset], measure: str) -> dict[Any, np.ndarray]:
    """A measure after the last step of each arm's runs, (seeds,); runs that diverged have the worst that it can be."""
    _, quantity = described()[measure]
    return {arm: worst_if_diverged(of_arm[measure].values[:, -1], quantity.worst) for arm, of_arm in runs.items()}


def rates(runs: Mapping[Any, xr.Dataset], arms: Mapping[str, Any], measure: str, least: float) -> dict[str, Interval]:
    """The rate of each arm's runs that end with so much of a measure or more, by the name of its effect."""
    last = ends(runs, measure)
    return {effect: rate(last[arm] >= least) for effect, arm in arms.items()}
