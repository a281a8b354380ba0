"""Generators whose first points are near the mean of the real ones."""

from torch import Tensor, nn

from gancore.nets.convolutions import ACTIVATIONS

EDGE = 1e-3  # a mean nearer than this to the end of an output's range is taken to be so near
# Of which number an output makes a mean, by its name.
INVERSES = {
    "identity": lambda mean: mean,
    "tanh": lambda mean: mean.clamp(EDGE - 1, 1 - EDGE).atanh(),
    "sigmoid": lambda mean: mean.clamp(EDGE, 1 - EDGE).logit(),
}


class FromMean(nn.Module):
    """R generators that add to what `body` makes a bias for each number of a point: (R, B, d) -> (R, B, D).

    y = output(body(z) + b), with b such that a body which gives 0 draws `mean` (D,). Where most of a frame never
    changes, a network whose last layer shares one bias over all pixels would first have to learn to draw it.
    """

    def __init__(self, body: nn.Module, replicas: int, mean: Tensor, output: str):
        super().__init__()
        self.body = body
        self.output = ACTIVATIONS[output]
        self.bias = nn.Parameter(INVERSES[output](mean.double()).float().expand(replicas, 1, -1).clone())

    def forward(self, z: Tensor) -> Tensor:
        return self.output(self.body(z) + self.bias)
