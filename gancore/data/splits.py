"""Which of a reader's own points or images are held out."""

import torch
from torch import Tensor

HELD_OUT = 10  # of so many, one is held out


def trained_on(count: int) -> Tensor:
    """Which of so many are not held out, bool (count): all but every tenth."""
    return torch.arange(count) % HELD_OUT != HELD_OUT - 1
