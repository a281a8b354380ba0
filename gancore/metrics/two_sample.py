"""Distances between a sample and a reference, one value a run."""

import torch
from torch import Tensor


def energy_distance(x: Tensor, reference: Tensor) -> Tensor:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| (Szekely & Rizzo 2013, equation 5): (R, n, D), (m, D) -> (R,).

    In the data's unit of length; 0 where the distributions agree. X is a sample, so its own term
    leaves out the pairs of a point with itself: the estimate is unbiased in n, and may fall just
    below 0. The reference stands for the whole target and is averaged over all its pairs.
    """
    n = x.shape[1]
    between = torch.cdist(x, reference.expand(len(x), -1, -1)).mean((1, 2))
    within = torch.cdist(x, x).sum((1, 2)) / (n * (n - 1))
    return 2 * between - within - torch.cdist(reference, reference).mean()
