"""Which classes generated images show, one value a run."""

import torch
from torch import Tensor

from gancore.metrics.coverage import reverse_kl
from gancore.targets import Pictures

SEEN = 0.01  # a class is covered from this share of the images on


def picture_measures(x: Tensor, pictures: Pictures) -> dict[str, Tensor]:
    """What notebook 03 follows over time: the classes that a classifier sees, each (R,).

    `classes`: those with 1 % of the images or more, of 10; `class_kl`: reverse KL of the class
    shares to equal ones, in nats.
    """
    from gancore.classifier import CLASSES, judge  # imports torchvision, which takes seconds

    shares = torch.nn.functional.one_hot(judge(pictures.images)(x), CLASSES).float().mean(1)
    equal = shares.new_full((CLASSES,), 1 / CLASSES)
    return {"classes": (shares >= SEEN).float().sum(1), "class_kl": reverse_kl(shares, equal)}
