"""Which classes generated images show, one value a run."""

import torch
from torch import Tensor

from gancore.data.images import CLASSES
from gancore.data.targets import Pictures
from gancore.metrics.coverage import reverse_kl
from gancore.metrics.described import Family, Quantity
from gancore.metrics.finite import of_finite
from gancore.metrics.modes import modes_of

SEEN = 0.01  # a class is covered from this share of the images on


@of_finite
def picture_measures(x: Tensor, pictures: Pictures) -> dict[str, Tensor]:
    """What notebook 03 follows over time: the classes that a classifier sees, each (R,).

    `classes`: those with 1 % of the images or more, of 10; `class_kl`: reverse KL of the class
    shares to equal ones, in nats.
    """
    return class_measures(modes_of(pictures).shares(x))


@of_finite
def class_measures(shares: Tensor) -> dict[str, Tensor]:
    """`classes` and `class_kl` of the shares of the classes: (R, classes) -> (R,) each."""
    equal = torch.full_like(shares[0], 1 / shares.shape[1])
    return {"classes": (shares >= SEEN).float().sum(1), "class_kl": reverse_kl(shares, equal)}


CLASS_QUANTITIES = {
    "classes": Quantity("classes that are shown", unit="classes", least=0, most=CLASSES, better="higher"),
    "class_kl": Quantity("reverse KL to equal classes", unit="nats", least=0, better="lower"),
}
SHOWN = Family(picture_measures, CLASS_QUANTITIES, needs=("images",))
