"""What an encoder's codes are good for: naming the class of images that no run trains on."""

from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from gancore.data.images import CLASSES
from gancore.metrics.described import share
from gancore.observers.kinds import Kind
from gancore.observers.needs import having, known_target, players_of
from gancore.training.loop import Earlier, Measure
from gancore.training.population import Population
from gancore.values import whole

Known = Annotated[int, whole(2 * CLASSES)]


def representation(runs: Population, *, points: Known) -> Measure:
    """How many held-out images are named rightly from `points` training images with their labels, each (R,).

    `linear_probe`: by a logistic regression on the codes E(x), each number in units of its deviation; `nearest`: by the
    code that is nearest (Donahue et al. 2017, table 1). `pixel_probe` and `pixel_nearest`: the same of the images
    themselves. As many held-out images are named, or all there are.
    """
    target = having(known_target(runs), "held_out_labels")
    known, asked = target.training()[:points], target.held_out()[:points]
    labels = target.training_labels()[:points].numpy(), target.held_out_labels()[:points].numpy()
    (encoder,) = players_of(runs, "encoder")
    of_pixels = torch.tensor([_named(known.numpy(), asked.numpy(), *labels)] * len(runs.seeds))
    shown = [x.to(runs.device).expand(len(runs.seeds), -1, -1) for x in (known, asked)]

    @torch.no_grad()
    def measure(earlier: Earlier) -> dict[str, Tensor]:
        codes = [encoder(x).cpu().numpy() for x in shown]
        found = torch.tensor([_named(*of_run, *labels) for of_run in zip(*codes, strict=True)])
        measured = torch.cat([found, of_pixels], 1).unbind(1)
        return dict(zip(("linear_probe", "nearest", "pixel_probe", "pixel_nearest"), measured, strict=True))

    return measure


def _named(known: np.ndarray, asked: np.ndarray, labels: np.ndarray, truth: np.ndarray) -> list[float]:
    """The shares that a linear probe and the nearest neighbour name rightly; NaN where a code is not finite."""
    from sklearn.linear_model import LogisticRegression  # waited for by who measures, not by who draws
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if not (np.isfinite(known).all() and np.isfinite(asked).all()):
        return [np.nan, np.nan]
    probes = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)), KNeighborsClassifier(1)
    return [float(probe.fit(known, labels).score(asked, truth)) for probe in probes]


KINDS = {
    "representation": Kind(
        representation,
        "page",
        {
            "linear_probe": share("held-out images that a linear probe names", "higher"),
            "nearest": share("held-out images that the nearest code names", "higher"),
            "pixel_probe": share("held-out images that a linear probe of pixels names"),
            "pixel_nearest": share("held-out images that the nearest image names"),
        },
    )
}
