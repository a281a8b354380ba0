"""Points that runs train on, and which of a reader's own are held out."""

import torch
from torch import Tensor

HELD_OUT = 10  # of so many, one is held out


def trained_on(count: int) -> Tensor:
    """Which of so many are not held out, bool (count): all but every tenth."""
    return torch.arange(count) % HELD_OUT != HELD_OUT - 1


class TrainingSet:
    """A target whose points are all known, those that runs train on being `training()`."""

    def training(self) -> Tensor:
        """The training set, (N, D)."""
        raise NotImplementedError

    def mean(self) -> Tensor:
        """The mean of the training set, (D,)."""
        return self.training().mean(0)
