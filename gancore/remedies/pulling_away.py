"""The repelling term of EBGAN: features of a batch's fakes are to point different ways (Zhao et al. 2017)."""

from typing import Annotated

from torch import Tensor
from torch.nn.functional import normalize

from gancore.games.gan import Batch, Discriminator, Game
from gancore.nets.weighted import features
from gancore.remedies.remedy import Learners, PerRun, Remedy, per_run
from gancore.values import number


def pulling_away(s: Tensor) -> Tensor:
    """E_{i != j} cos^2(s_i, s_j) over a batch (Zhao et al. 2017, equation 6): (R, B, J) -> (R,)."""
    count, unit = s.shape[1], normalize(s, dim=2)
    cosines = (unit @ unit.mT).square()  # (R, B, B), ones on the diagonal
    return (cosines.sum((1, 2)) - cosines.diagonal(dim1=1, dim2=2).sum(1)) / (count * (count - 1))


class PullingAway(Remedy):
    """The generator's loss and `weight` times `pulling_away` of the features of the fakes: what D's last layer sees."""

    def __init__(self, weight: Annotated[PerRun, number(least=0)] = 0.1):
        super().__init__()
        self.weight = weight

    def begin(self, runs: Learners, batch: Batch) -> None:
        self.register_buffer("weights", per_run(self.weight, batch.fake))

    def reshaped(self, loss: Tensor, game: Game, batch: Batch, discriminator: Discriminator) -> Tensor:
        _, fake = game.pairs(batch)
        return loss + self.weights * pulling_away(features(discriminator, *fake))
