"""What games share whose real points have a class, and whose generator is asked for one."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gancore.games.gan import GAN, Batch


@dataclass
class Labelled(Batch):
    """A batch with the codes of the real points' classes and of those that were asked for, (R, B, classes) both."""

    real_code: Tensor
    fake_code: Tensor


class LabelledGAN(GAN):
    """A GAN whose real points come with a class's code, and whose latents begin with the code of the one asked for.

    Real points have their code behind them, (R, B, D + classes).
    """

    UNSUITED: ClassVar = {"replay": "it keeps fakes without the class that they were asked for"}

    def batch(self, real: Tensor, z: Tensor, epsilon: Tensor) -> Labelled:
        fake = self.generator(z)
        x, code = real.tensor_split([fake.shape[2]], dim=2)
        return Labelled(x, z, epsilon, fake, code, z[..., : code.shape[2]])
