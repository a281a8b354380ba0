"""Generators whose first points are near the mean of the real ones."""

from torch import Tensor, nn

from gancore.choices import choose

EDGE = 1e-3  # a mean nearer than this to the end of an output's range is taken to be so near
# What each output makes of a number, and which number it makes near a mean.
OUTPUTS = {
    "identity": (nn.Identity(), lambda mean: mean),
    "tanh": (nn.Tanh(), lambda mean: mean.clamp(EDGE - 1, 1 - EDGE).atanh()),
    "sigmoid": (nn.Sigmoid(), lambda mean: mean.clamp(EDGE, 1 - EDGE).logit()),
}


class FromMean(nn.Module):
    """R generators that add to what `body` makes a bias for each number of a point: (R, B, d) -> (R, B, D).

    y = output(body(z) + b), with b such that a body which gives 0 draws `mean` (D,). Where most of a frame never
    changes, a network whose last layer shares one bias over all pixels would first have to learn to draw it. Raises
    StudyError for an output that has no inverse.
    """

    def __init__(self, body: nn.Module, replicas: int, mean: Tensor, output: str):
        super().__init__()
        self.body = body
        self.output, inverse = choose(OUTPUTS, output, "output of a generator that starts at the mean")
        self.bias = nn.Parameter(inverse(mean.double()).float().expand(replicas, 1, -1).clone())

    def forward(self, z: Tensor) -> Tensor:
        return self.output(self.body(z) + self.bias)
