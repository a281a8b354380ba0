"""A generator that is steered by a trained classifier: mode by mode, and towards each mode's variety.

The source draws the loop and names the terms; the formulas are this study's own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from gancore.games.gan import GAN, Batch, Discriminator
from gancore.judges.guide import Moments, Real, class_moments
from gancore.objectives import Objective, batch_mean
from gancore.penalties import Penalty

Terms = Mapping[str, Tensor]  # losses by name, (R,) each


def classification(logits: Tensor, labels: Tensor) -> Tensor:
    """-E log C_y(G(z)), y being the class that z asks for: logits (R, B, classes), labels (R, B) -> (R,)."""
    return batch_mean(
        functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels)
    )


def statistics(fake: Moments, real: Moments) -> Tensor:
    """E_kj (m_kj - mu_kj)^2 + (v_kj - sigma^2_kj)^2 over classes k and features j: (R, classes, J) -> (R,)."""
    return batch_mean((fake.mean - real.mean).square() + (fake.variance - real.variance).square())


def fixed(terms: Terms, fake: Tensor) -> Terms:
    """Every term as it is."""
    return terms


def equal_gradients(terms: Terms, fake: Tensor) -> Terms:
    """Every term multiplied so that its gradient at the fakes is as long as that of the first term, run by run."""
    size = {name: gradient_size(term, fake) for name, term in terms.items()}
    first = next(iter(size.values()))
    return {name: term * (first / size[name].clamp(min=1e-12)) for name, term in terms.items()}


def gradient_size(term: Tensor, fake: Tensor) -> Tensor:
    """|d term / d fake| over all of a run's points together, (R,): how hard a term pulls."""
    return torch.autograd.grad(term.sum(), fake, retain_graph=True)[0].flatten(1).norm(dim=1)


BALANCES: Mapping[str, Callable[[Terms, Tensor], Terms]] = {"fixed": fixed, "equal_gradients": equal_gradients}


@dataclass(frozen=True)
class Guidance:
    """What the classifier says of fakes: the terms that `weights` names, and how they are balanced.

    `weights` holds one number or one a run, (R,), by the name of a term; `labels` tells which class a latent asks for.
    """

    guide: nn.Module  # says what it sees, `features`, and from these, `head`, which class: (R, B, classes)
    real: Real
    labels: Callable[[Tensor], Tensor]
    weights: Mapping[str, Tensor]
    balance: Callable[[Terms, Tensor], Terms]

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """The classifier's terms, (R,) each, unweighted."""
        features, labels = self.guide.features(batch.fake), self.labels(batch.z)
        terms = {}
        if "classification" in self.weights:
            terms["classification"] = classification(self.guide.head(features), labels)
        if "statistics" in self.weights:
            moments = class_moments(features / self.real.unit, labels, len(self.real.moments.mean))
            terms["statistics"] = statistics(moments, self.real.moments)
        return terms

    def total(self, terms: Terms, fake: Tensor) -> Tensor:
        """The balanced and weighted sum of the terms, (R,)."""
        return sum(self.weights[name] * term for name, term in self.balance(terms, fake).items())


class GuidedAlone:
    """A generator that has its guide and no discriminator."""

    PLAYERS: ClassVar = {"generator": "generator"}
    PENALTIES: ClassVar = {}
    ASKS: ClassVar = {"guidance"}
    TAKES: ClassVar = set()
    TERMS: ClassVar = {"classification", "statistics"}

    def __init__(self, players: Mapping[str, nn.Module], guidance: Guidance):
        self.players, self.generator, self.guidance = players, players["generator"], guidance

    def batch(self, real: Tensor, z: Tensor, epsilon: Tensor) -> Batch:
        return Batch(real, z, epsilon, self.generator(z))

    def loss(self, player: str, batch: Batch, discriminator: Discriminator | None = None) -> Tensor:
        return self.guidance.total(self.terms(batch), batch.fake)

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """What the generator minimises, term by term, (R,) each."""
        return self.guidance.terms(batch)


class Guided(GAN):
    """A GAN whose generator minimises adversarial + classification + statistics, each times its weight."""

    ASKS: ClassVar = GAN.ASKS | {"guidance"}
    TERMS: ClassVar = GuidedAlone.TERMS | {"adversarial"}

    def __init__(
        self,
        players: Mapping[str, nn.Module],
        objective: Objective,
        penalties: Sequence[Penalty] = (),
        *,
        guidance: Guidance,
    ):
        super().__init__(players, objective, penalties)
        self.guidance = guidance

    def generator_loss(self, batch: Batch, discriminator: Discriminator) -> Tensor:
        return self.guidance.total(self.terms(batch, discriminator), batch.fake)

    def terms(self, batch: Batch, discriminator: Discriminator | None = None) -> dict[str, Tensor]:
        """What the generator minimises, term by term, (R,) each."""
        adversarial = super().generator_loss(batch, discriminator or self.discriminator)
        return {"adversarial": adversarial, **self.guidance.terms(batch)}
