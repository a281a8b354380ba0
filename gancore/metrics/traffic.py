"""How much of a traffic scene generated frames show, one value a run."""

import torch
from torch import Tensor

from gancore.data.images.traffic import TrafficScene
from gancore.metrics.coverage import HIGH_QUALITY
from gancore.metrics.described import Family, Quantity, share
from gancore.metrics.finite import of_finite

FOUND = 0.25  # a lane is found from this part of its true frequency on


@of_finite
def traffic_measures(x: Tensor, scene: TrafficScene) -> dict[str, Tensor]:
    """What is followed over time, of frames (R, n, D), by the scene's own recogniser; each (R,) but for the second.

    `lanes_found`: lanes with a vehicle in at least FOUND times the share of frames that the scene has
    there; `frequency_ratio` (R, lanes): the share of frames with a vehicle in a lane, as a multiple
    of the scene's own; `empty_share`: share of frames without a vehicle; `high_quality`: share of frames
    that `TrafficScene.is_scene` takes for a frame of this camera, empty or not.
    """
    seen = scene.recognise(x)
    ratio = seen.float().mean(1) / torch.from_numpy(scene.frequencies()).to(x)
    return {
        "lanes_found": (ratio >= FOUND).float().sum(1),
        "frequency_ratio": ratio,
        "empty_share": (~seen.any(-1)).float().mean(1),
        "high_quality": scene.is_scene(x).float().mean(1),
    }


TRAFFIC = Family(
    traffic_measures,
    {
        "lanes_found": Quantity("lanes with vehicles", unit="lanes", least=0, better="higher"),
        "frequency_ratio": Quantity("frames with a vehicle in a lane, over the scene's", ("lane",), least=0),
        "empty_share": share("frames without a vehicle"),
        "high_quality": HIGH_QUALITY,
    },
    needs=("recognise", "frequencies", "is_scene"),
)
