"""What games share whose discriminator also says which class a point shows."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from torch import Tensor, nn

from gancore.games.gan import Discriminator, scores_of
from gancore.games.guided import classification
from gancore.games.labelled import Labelled, LabelledGAN
from gancore.objectives import Objective
from gancore.penalties import Penalty


class ClassifyingGAN(LabelledGAN):
    """A GAN each player of which also minimises a class loss, times its weight: `classification`, () or (R,) each.

    `discriminator` is shown points without their class, (R, B, D), and gives them one output a class and one more,
    (R, B, classes + 1); objective, penalties and observers see the `score` that is made of these, (R, B, 1).
    """

    PLAYERS: ClassVar = {"generator": "generator", "discriminator": "classifying_discriminator"}
    ASKS: ClassVar = LabelledGAN.ASKS | {"classification"}
    UNSUITED: ClassVar = LabelledGAN.UNSUITED | {
        "adagan": "its components learn from points without a class",
        "packing": "a pack of points has no class",
    }

    def __init__(
        self,
        players: Mapping[str, nn.Module],
        objective: Objective,
        penalties: Sequence[Penalty] = (),
        *,
        classification: Mapping[str, Tensor],
    ):
        super().__init__(players, objective, penalties)
        self.weights = classification

    def score(self, outputs: Tensor) -> Tensor:
        """How real points look: (R, B, classes + 1) -> (R, B, 1)."""
        raise NotImplementedError

    def class_loss(self, real: Tensor, fake: Tensor, batch: Labelled) -> Tensor:
        """The discriminator's class loss, (R,), of its outputs for real and for fake points, (R, B, classes + 1)."""
        raise NotImplementedError

    def scoring(self, discriminator: Discriminator) -> Discriminator:
        return lambda x: self.score(discriminator(x))

    def generator_loss(self, batch: Labelled, discriminator: Discriminator) -> Tensor:
        """The fakes are to be taken for real, and for the classes that were asked for."""
        shown = [batch.real, batch.fake] if self.objective.compares else [batch.fake]
        outputs = [discriminator(x) for x in shown]
        told_apart = self.objective.generator(*map(self.score, outputs))
        return told_apart + self.weights["generator"] * named(outputs[-1], batch.fake_code)

    def discriminator_loss(self, batch: Labelled, discriminator: Discriminator) -> Tensor:
        real, fake = scores_of(discriminator, *self.pairs(batch))  # (R, B, classes + 1) each
        told_apart = self.objective.discriminator(self.score(real), self.score(fake))
        loss = told_apart + self.weights["discriminator"] * self.class_loss(real, fake, batch)
        return self.penalised(loss, batch, self.scoring(discriminator))


def named(outputs: Tensor, code: Tensor) -> Tensor:
    """-E log P(the class of the code | x): outputs (R, B, classes + 1), codes (R, B, classes) -> (R,)."""
    return classification(outputs[..., :-1], code.argmax(-1))
