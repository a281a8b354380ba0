"""What an encoder's codes are good for, against codes whose use is known and plain nearest neighbours."""

import pytest
import torch
from arms import CPU
from test_classes import bigan

from gancore.data.images import digits
from gancore.errors import StudyError
from gancore.observers import observers
from gancore.recipes.build import population

LABELS = {
    tuple(x.tolist()): int(label)
    for part in ("train", "held_out")
    for x, label in zip(getattr(digits(), part), getattr(digits(), f"{part}_labels"), strict=True)
}


def represented(encoder, points=120):
    """What is observed once of a BiGAN with this function in the place of its encoder."""
    recipe = bigan(representation={"times": 1, "points": points})
    runs = population(recipe, [3, 8], CPU)
    runs.game.encoder.forward = encoder
    (observer,) = observers(recipe["observe"], recipe["steps"], runs).values()
    return {name: values.tolist() for name, values in observer.measure({}).items()}


def named(x):
    return torch.tensor([[LABELS[tuple(image.tolist())] for image in run] for run in x])


def test_codes_that_hold_the_label_name_all_and_codes_that_hold_nothing_one_class():
    found = represented(lambda x: torch.nn.functional.one_hot(named(x), 10).float())
    assert found["linear_probe"] == found["nearest"] == [1, 1]
    found = represented(lambda x: 0 * x[..., :5])
    assert max(found["linear_probe"] + found["nearest"]) < 0.2


def test_the_nearest_of_a_copy_of_the_pixels_is_that_of_a_plain_loop():
    found = represented(lambda x: x)
    known, asked = digits().train[:120], digits().held_out[:120]
    right = 0
    for x, label in zip(asked, digits().held_out_labels[:120], strict=True):
        right += int(digits().train_labels[(known - x).norm(dim=1).argmin()] == label)
    assert found["nearest"] == found["pixel_nearest"] == pytest.approx([right / 120] * 2)
    assert found["linear_probe"] == pytest.approx(found["pixel_probe"])


def test_too_few_images_to_learn_from_are_refused():
    with pytest.raises(StudyError, match="points"):
        represented(lambda x: x, points=5)
