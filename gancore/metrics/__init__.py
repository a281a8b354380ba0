"""How far generated points are from the target: functions of samples (R, n, D), one value a run."""

from gancore.metrics.coverage import moons_measures, ring_measures
from gancore.metrics.pictures import picture_measures

MEASURES = {"moons": moons_measures, "ring": ring_measures, "pictures": picture_measures}
