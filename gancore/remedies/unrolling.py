"""Unrolled GAN: the generator looks ahead (Metz et al. 2017)."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from gancore.games.gan import Batch, Discriminator
from gancore.nets.weighted import Weighted
from gancore.remedies.remedy import Learners, Remedy
from gancore.values import whole


class Unrolling(Remedy):
    """The generator plays against the discriminator as it will be `steps` updates from now.

    w_0 = w, w_k+1 = w_k - update(grad_w L_D(w_k, G)): Metz et al. 2017, equations 7 to 10. The updates are those of the
    discriminator's own optimiser, on the batch at hand, and the generator's gradient flows through all of them.
    """

    def __init__(self, steps: Annotated[int, whole(0)]):
        super().__init__()
        self.steps = steps

    def begin(self, runs: Learners, batch: Batch) -> None:
        network, self.optimiser = runs.game.players["discriminator"], runs.optimisers["discriminator"]
        self.with_weights = lambda weights: Weighted(network, weights)

    def opponent(self, learning: Callable[[Discriminator], Tensor], batch: Batch) -> Discriminator | None:
        if not self.steps:
            return None
        weights = [w.detach().clone().requires_grad_() for w in self.optimiser.parameters]
        state = [part.clone() for part in self.optimiser.state()]
        for _ in range(self.steps):
            loss = learning(self.with_weights(weights))
            gradients = torch.autograd.grad(loss.sum(), weights, create_graph=True)
            weights, state = self.optimiser.stepped(weights, gradients, state)
        return self.with_weights(weights)
