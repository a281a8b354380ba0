"""What a recipe's `target` may name: mixtures with known modes, images, and points of one's own.

A target knows its `dimensions`, and `draw(batch)` says how a run draws its batches from a `Stream`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from torch import Tensor

from gancore.choices import make
from gancore.data import mixtures
from gancore.data.images import CLASSES, SIDES, Folder, ImageSet, TrafficScene, load
from gancore.data.latents import Coded, Normal, Sectioned, Uniform
from gancore.data.points import Points
from gancore.data.splits import TrainingSet
from gancore.errors import StudyError
from gancore.streams import Draw
from gancore.values import NOTHING, one_of, whole


@dataclass(frozen=True)
class Pictures(TrainingSet):
    """Images as points, pixels in [-1, 1]: the training images of the set `images`, or the `first` so many."""

    images: Annotated[str, one_of(*SIDES)]
    first: Annotated[int | None, whole(1) | NOTHING] = None

    @property
    def dimensions(self) -> int:
        return self.training().shape[1]

    @property
    def image(self) -> tuple[int, int]:
        """Channels and side of an image."""
        return 1, SIDES[self.images]

    def draw(self, batch: int) -> Draw:
        """Batches for `Stream`, drawn with replacement: n of them, (n, batch, D)."""
        training = self.training().numpy()
        return lambda rng, n: training[rng.integers(len(training), size=(n, batch))]

    def training(self) -> Tensor:
        """The training set, (N, D). Raises StudyError where `first` is not a number from 1 to all there are."""
        everything = self._images().train
        if self.first is not None and not 1 <= self.first <= len(everything):
            raise StudyError(f"first = {self.first}: allowed is a whole number from 1 to {len(everything)}")
        return everything[: self.first]

    def held_out(self) -> Tensor:
        """Images that no run trains on, (M, D)."""
        return self._images().held_out

    def training_labels(self) -> Tensor:
        """The class of each training image, int64 (N,)."""
        return self._images().train_labels[: self.first]

    def held_out_labels(self) -> Tensor:
        """The class of each image that no run trains on, int64 (M,)."""
        return self._images().held_out_labels

    def _images(self) -> ImageSet:
        return load(self.images)


@dataclass(frozen=True)
class LabelledPictures(Pictures):
    """Images as points, each drawn with its class, which only a discriminator of pairs is shown."""

    classes = CLASSES

    def draw(self, batch: int) -> Draw:
        """Batches for `Stream`, drawn with replacement: n of them, (n, batch, D + classes), the label's code last."""
        training = self.training().numpy()
        code = np.eye(self.classes, dtype=np.float32)[self.training_labels().numpy()]

        def drawn(rng: np.random.Generator, n: int) -> np.ndarray:
            rows = rng.integers(len(training), size=(n, batch))
            return np.concatenate([training[rows], code[rows]], 2)

        return drawn


TARGETS = {
    "moons": mixtures.Moons,
    "line": mixtures.Line,
    "ring": mixtures.Ring,
    "grid": mixtures.Grid,
    "wheel": mixtures.Wheel,
    "normal": Normal,
    "uniform": Uniform,
    "coded": Coded,
    "sectioned": Sectioned,
    "pictures": Pictures,
    "labelled_pictures": LabelledPictures,
    "traffic": TrafficScene,
    "folder": Folder,
    "points": Points,
}


LATENTS = {name: target for name, target in TARGETS.items() if target is not LabelledPictures}  # a code is no latent


def target_of(recipe: Mapping[str, Any]) -> Any:
    """The recipe's target. Raises StudyError for an unknown one, and for a setting that it does not have."""
    return make(TARGETS, recipe["target"], "target")


def latent_of(recipe: Mapping[str, Any]) -> Any:
    """What the recipe's latents are drawn from: a number stands for standard normal ones of that dimension.

    Raises StudyError as `target_of` does.
    """
    latent = recipe["latent"]
    if isinstance(latent, Mapping):
        return make(LATENTS, latent, "latent distribution")
    return Normal(whole(1).check("latent", latent))
