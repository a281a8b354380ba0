"""Rank correlation, one value a run."""

import torch
from scipy.stats import rankdata
from torch import Tensor


def rank_correlation(a: Tensor, b: Tensor) -> Tensor:
    """Spearman's correlation over the last axis, ties sharing their mean rank: twice (R, n) -> (R,).

    NaN where one of the two is constant or not finite.
    """
    ranks = [torch.from_numpy(rankdata(x.cpu().numpy(), axis=-1)) for x in (a, b)]
    centred = [rank - rank.mean(-1, keepdim=True) for rank in ranks]
    found = (torch.linalg.vecdot(*centred) / (centred[0].norm(dim=-1) * centred[1].norm(dim=-1))).to(a)
    return found.where(a.isfinite().all(-1) & b.isfinite().all(-1), torch.nan)
