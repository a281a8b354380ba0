"""Discriminators that are autoencoders (Zhao et al. 2017)."""

from torch import Tensor, nn


class Autoencoding(nn.Module):
    """R discriminators that score a point by how well they draw it again: (R, B, D) -> (R, B, 1), 0 at best.

    D(x) = -|x - decoder(encoder(x))|^2 / dimensions: minus the energy of Zhao et al. 2017, section 2.3, with a mean of
    squares in the place of the norm, which has no slope where a point is drawn exactly.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    @property
    def head(self) -> nn.Module:
        """What is shown the features, which are the code."""
        return self.decoder

    def forward(self, x: Tensor) -> Tensor:
        return -(x - self.decoder(self.encoder(x))).square().mean(2, keepdim=True)
