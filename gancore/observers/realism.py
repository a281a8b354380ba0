"""How good generated images are, and how much of where the real ones lie they reach, by a classifier's features."""

from typing import Annotated

import torch
from torch import Tensor

from gancore.data.images import load
from gancore.judges.classifier import in_batches
from gancore.metrics.described import share
from gancore.metrics.finite import of_finite
from gancore.metrics.neighbours import NEAREST, distances, prdc
from gancore.observers.classes import SURE, extractor_of
from gancore.observers.kinds import Kind
from gancore.observers.needs import having, known_target
from gancore.observers.points import sampler
from gancore.training.loop import Measure
from gancore.training.population import Population
from gancore.values import whole


def realism(runs: Population, *, points: Annotated[int, whole(NEAREST + 1)]) -> Measure:
    """Precision, recall and legibility of `points` generated images against as many held-out ones, each (R,).

    `gancore.metrics.neighbours.prdc` in the features of the classifier that judges (Kynkäänniemi et al. 2019, with
    that classifier in place of VGG); `recognised` are the images that it names with a probability of SURE or more.
    Those that begin with `real` are what as many training images get. Raises StudyError where no classifier knows the
    images, or fewer are held out.
    """
    images, sample = having(known_target(runs), "images").images, sampler(runs, points)
    extractor, there = extractor_of(images).to(runs.device), load(images)
    whole(NEAREST + 1, len(there.held_out)).check("points of realism", points)
    shown = torch.stack([part[:points] for part in (there.held_out, there.train)]).to(runs.device)
    real, training = in_batches(extractor.features, shown)
    of_real = distances(real, real)

    def compared(features: Tensor) -> tuple[Tensor, ...]:
        found = prdc(distances(features, features), of_real, distances(real, features))
        sure = in_batches(extractor.head, features).softmax(1).amax(1) >= SURE
        return found["precision"], found["recall"], sure.float().mean()

    of_training = compared(training)

    @of_finite
    def of_images(x: Tensor) -> dict[str, Tensor]:
        found = [compared(features) + of_training for features in in_batches(extractor.features, x)]
        return dict(zip(QUANTITIES, torch.tensor(found, device=x.device).T, strict=True))

    return lambda earlier: of_images(sample())


QUANTITIES = {
    "image_precision": share("generated images among the real ones", "higher"),
    "image_recall": share("real images among the generated ones", "higher"),
    "recognised": share("generated images that the classifier recognises", "higher"),
    "real_image_precision": share("training images among the held-out ones"),
    "real_image_recall": share("held-out images among the training ones"),
    "real_recognised": share("training images that the classifier recognises"),
}
KINDS = {"realism": Kind(realism, "step", QUANTITIES)}
