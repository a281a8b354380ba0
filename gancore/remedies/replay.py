"""Experience replay: the discriminator is shown old fakes again (Shrivastava et al. 2017)."""

from dataclasses import replace
from typing import Annotated

import torch
from torch import Tensor

from gancore.games.gan import Batch
from gancore.remedies.remedy import Learners, PerRun, Remedy, per_run
from gancore.values import number, whole


class Replay(Remedy):
    """A `share` of the fakes that the discriminator learns from are old ones (Shrivastava et al. 2017, section 2.3).

    Of every step one fake is kept. When `kept` are there, it takes the place of any, so that fakes are remembered for
    about as many steps.
    """

    DRAWS = 3

    def __init__(self, share: Annotated[PerRun, number(least=0, most=1)] = 0.5, kept: Annotated[int, whole(1)] = 1024):
        super().__init__()
        self.share, self.kept = share, kept

    def begin(self, runs: Learners, batch: Batch) -> None:
        replicas, _, *point = batch.fake.shape
        self.register_buffer("old", batch.fake.new_zeros(replicas, self.kept, *point))
        self.register_buffer("count", torch.zeros(replicas, dtype=torch.int64, device=batch.fake.device))
        self.register_buffer("shares", per_run(self.share, batch.fake))

    def lesson(self, batch: Batch) -> Batch:
        chance, which, _ = batch.chance[self].unbind(2)  # (R, B) each
        earlier = rows(self.old, (which * self.count[:, None]).long())
        again = (chance < self.shares[:, None]) & (self.count > 0)[:, None]
        return replace(batch, fake=torch.where(again[..., None], earlier, batch.fake))

    def remember(self, batch: Batch) -> None:
        anywhere = (batch.chance[self][:, 0, 2] * self.kept).long()  # (R,)
        place = torch.where(self.count < self.kept, self.count, anywhere)
        place = place[:, None, None].expand(-1, 1, batch.fake.shape[2])
        self.old.scatter_(1, place, batch.fake[:, :1].detach())
        self.count.add_(1).clamp_(max=self.kept)


def rows(x: Tensor, which: Tensor) -> Tensor:
    """Each run's own rows: (R, n, D), (R, B) -> (R, B, D)."""
    return x.gather(1, which[..., None].expand(-1, -1, x.shape[2]))
