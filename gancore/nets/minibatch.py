"""Networks that see how close the points of a batch are to each other (Salimans et al. 2016)."""

import torch
from torch import Tensor, nn


class Closeness(nn.Module):
    """Features and, beside them, how close each point is to its batch: (R, B, A) -> (R, B, A + kernels).

    o(x_i)_k = sum_j exp(-|M_ik - M_jk|_1) with M_i = f(x_i) T, a matrix of kernels by dimensions, over all j, i too
    (Salimans et al. 2016, section 3.2).
    """

    def __init__(self, replicas: int, features: int, kernels: int, dimensions: int):
        super().__init__()
        self.kernels = kernels
        self.weight = nn.Parameter(torch.empty(replicas, kernels * dimensions, features))

    def forward(self, x: Tensor) -> Tensor:
        m = torch.bmm(self.weight, x.mT).unflatten(1, (self.kernels, -1))  # (R, kernels, dimensions, B)
        distance = (m.unsqueeze(4) - m.unsqueeze(3)).abs().sum(2)  # (R, kernels, B, B)
        return torch.cat([x.mT, (-distance).exp().sum(3)], 1).mT


class MinibatchDiscriminator(nn.Sequential):
    """R discriminators whose scores hang on the other points of the batch: (R, B, D) -> (R, B, 1)."""

    looks_across = True  # real and fake points are to be shown apart
