"""The classifier that guides a generator, and what it measures of the real images of each class.

It is another network than the one that judges (`gancore.judges.classifier`), so that a generator which has
merely learned to please its guide is not praised for it; and small, since every step of the training goes
through it and back.
"""

import copy
import functools
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from gancore.data.images import CLASSES, SIDES, ImageSet, load
from gancore.errors import StudyError
from gancore.files import ROOT, from_user
from gancore.host import settle
from gancore.judges.classifier import accuracy, in_batches, train_classifier
from gancore.judges.weights import load_weights, save_weights
from gancore.provenance import provenance

COMMAND = "python -m gancore guides"
CHANNELS, FEATURES = (16, 32), 64
EPOCHS, SEED = {"mnist": 8, "digits": 150}, 0
LEAST = 0.98  # accuracy on held-out images below which a guide's word is noise


class Guide(nn.Module):
    """A small convolutional network on flat grey images in [-1, 1]: (..., side^2) -> logits (..., 10)."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side
        first, second = CHANNELS
        self.body = nn.Sequential(
            *(nn.Conv2d(1, first, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(first, second, 4, 2, 1), nn.LeakyReLU(0.2)),
            *(nn.Flatten(), nn.Linear(second * (side // 4) ** 2, FEATURES), nn.LeakyReLU(0.2)),
        )
        self.head = nn.Linear(FEATURES, CLASSES)

    def features(self, x: Tensor) -> Tensor:
        """What the last layer sees: (..., side^2) -> (..., 64)."""
        return self.body(x.reshape(-1, 1, self.side, self.side)).reshape(*x.shape[:-1], FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


class Moments(NamedTuple):
    """Mean and variance of each feature within each class, (..., classes, features) both."""

    mean: Tensor
    variance: Tensor


def class_moments(features: Tensor, labels: Tensor, classes: int) -> Moments:
    """Of features (..., n, J) with labels (..., n); the variance is unbiased, and NaN for a class with one point."""
    member = one_hot(labels, classes).to(features)  # (..., n, classes)
    count = member.sum(-2).unsqueeze(-1)
    mean = member.mT @ features / count
    centred = features - member @ mean.nan_to_num()
    return Moments(mean, member.mT @ centred.square() / (count - 1).where(count > 1, torch.nan))


@dataclass(frozen=True)
class Real:
    """What a guide measures of real images: `moments` by class of its features in units of their deviation, `unit`."""

    moments: Moments
    unit: Tensor

    def to(self, like: Tensor) -> "Real":
        """The same on the device and in the precision of another tensor."""
        return Real(Moments(*(part.to(like) for part in self.moments)), self.unit.to(like))


def real_moments(guide: Guide, images: ImageSet) -> Real:
    """The training images as the guide sees them, in double precision: sums over so many lose digits in single.

    Raises StudyError where a class has less than two of them.
    """
    counts = images.train_labels.bincount(minlength=CLASSES)
    if counts.min() < 2:
        absent = [label for label, count in enumerate(counts.tolist()) if count < 2]
        raise StudyError(f"{images.name} has fewer than two training images of {absent}: a class's variance needs two")
    exact = copy.deepcopy(guide).double()
    features = in_batches(lambda x: exact.features(x.double()), images.train)
    unit = features.std(0).clamp(min=1e-6)
    return Real(class_moments(features / unit, images.train_labels, CLASSES), unit)


def weights_of(name: str, file: str | None = None) -> Path:
    """Where the guide for these images lies: in `file`, or as stored. Raises StudyError where none is stored."""
    if file:
        return from_user(file)
    if name not in EPOCHS:
        raise StudyError(
            f"no classifier that guides is stored for {name}: allowed are {', '.join(EPOCHS)}, or a file of "
            "weights of your own"
        )
    return ROOT / "data" / "models" / f"{name}-guide.safetensors"


def load_guide(name: str, file: str | None = None) -> Guide:
    """The guide for the images of this name, from `file` or as stored, unchecked: `guide_of` checks it on images.

    Raises StudyError where the weights are missing, damaged or another network's, and as `weights_of` does.
    """
    return load_weights(weights_of(name, file), Guide(SIDES[name]), COMMAND).requires_grad_(False)


@functools.cache
def guide_of(name: str, file: str | None = None, digest: str | None = None) -> tuple[Guide, Real]:
    """The guide for the images of this name, from `file` or as stored, and what it measures of them.

    `digest`, if given, is what `file_digest` says of the file that a recipe means. Raises StudyError where the weights
    are missing, damaged or others, where they name less than LEAST of the held-out images rightly, and as
    `real_moments` does.
    """
    path, images = weights_of(name, file), load(name)
    if digest is not None and file_digest(path) != digest:
        raise StudyError(f"the weights in {path} are not those of the recipe, whose digest is {digest}")
    guide = load_guide(name, file)
    share = accuracy(guide, images)
    if share < LEAST:
        raise StudyError(
            f"the classifier in {path} names {share:.1%} of the held-out images of {name} rightly: its verdicts "
            f"would be noise, allowed is {LEAST:.0%} or more"
        )
    return guide, real_moments(guide, images)


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file. Raises StudyError where it cannot be read."""
    try:
        return hashlib.sha256(from_user(path).read_bytes()).hexdigest()
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror}") from error


def renew(name: str) -> dict[str, Any]:
    """Train the guide for the images of this name and store it; its provenance. Raises StudyError as `load` does."""
    cpu = torch.device("cpu")
    settle(cpu)
    images, origin, began = load(name), provenance(cpu), time.monotonic()
    guide = train_classifier(images, EPOCHS[name], SEED, lambda: Guide(images.side))
    measured = {"accuracy": accuracy(guide, images), "seconds": round(time.monotonic() - began)}
    origin |= measured | {"epochs": EPOCHS[name], "seed": SEED}
    save_weights(weights_of(name), guide, origin)
    return origin
