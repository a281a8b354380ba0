"""Hops from mode to mode: functions of the modes' shares over time."""

import numpy as np

HOLDS = 0.8  # a mode holds the fakes from this share of them on


def holders(shares: np.ndarray) -> np.ndarray:
    """The mode that holds the fakes at each moment, else the last that did, else -1: (..., T, modes) -> (..., T)."""
    shares = np.nan_to_num(shares)
    held = np.where(shares.max(-1) >= HOLDS, shares.argmax(-1), -1)
    for moment in range(1, held.shape[-1]):
        held[..., moment] = np.where(held[..., moment] < 0, held[..., moment - 1], held[..., moment])
    return held


def hops(shares: np.ndarray) -> np.ndarray:
    """Where another mode has come to hold the fakes: (..., T, modes) -> bool (..., T - 1)."""
    held = holders(shares)
    return (held[..., 1:] != held[..., :-1]) & (held[..., :-1] >= 0)
