"""The f-divergences of Nowozin et al. 2016: D_f(P || Q) = E_Q f(p / q), and its bound from below by a critic.

D_f >= E_P g_f(v) - E_Q f*(g_f(v)) for any critic v of points, with equality where g_f(v) = f'(p / q) (equations 4 and
6). f* is the convex conjugate of f, and g_f an output activation onto f*'s domain that rises with v, so that a high
score means real (section 2.3). Both are functions of the scores v, which may be any numbers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor
from torch.nn.functional import softplus


@dataclass(frozen=True)
class Divergence:
    """g_f and f* o g_f of a divergence, each written so that no finite score overflows before its value does."""

    activation: Callable[[Tensor], Tensor]
    conjugate: Callable[[Tensor], Tensor]


# By name, each below its f(u) and f*(t) of tables 1, 2 and 6.
DIVERGENCES: Mapping[str, Divergence] = {
    # u log u; exp(t - 1)
    "kl": Divergence(lambda v: v, lambda v: (v - 1).exp()),
    # -log u; -1 - log(-t)
    "reverse_kl": Divergence(lambda v: -(-v).exp(), lambda v: v - 1),
    # (u - 1)^2; t^2 / 4 + t
    "pearson": Divergence(lambda v: v, lambda v: v.square() / 4 + v),
    # (1 - u)^2 / u; 2 - 2 sqrt(1 - t)
    "neyman": Divergence(lambda v: 1 - (-v).exp(), lambda v: 2 - 2 * (-v / 2).exp()),
    # (sqrt u - 1)^2; t / (1 - t)
    "squared_hellinger": Divergence(lambda v: 1 - (-v).exp(), torch.expm1),
    # u log u - (u + 1) log((u + 1) / 2), twice the divergence of that name; -log(2 - exp t)
    "jensen_shannon": Divergence(lambda v: log(2) - softplus(-v), lambda v: softplus(v) - log(2)),
    # u log u - (u + 1) log(u + 1), the former less log 4; -log(1 - exp t)
    "gan": Divergence(lambda v: -softplus(-v), softplus),
    # |u - 1| / 2; t
    "total_variation": Divergence(lambda v: v.tanh() / 2, lambda v: v.tanh() / 2),
}
