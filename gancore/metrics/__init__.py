"""How far generated points are from the target: functions of samples (R, n, D), one value a run.

A measure is NaN for a run whose points are not finite and leaves its neighbours alone (`finite`). What a target is
measured by is entered in MEASURES.
"""

from gancore.metrics.coverage import mixture_measures, moons_measures
from gancore.metrics.pictures import picture_measures
from gancore.metrics.traffic import traffic_measures
from gancore.metrics.two_sample import uniform_measures

MEASURES = {
    "moons": moons_measures,
    **dict.fromkeys(("line", "ring", "grid", "wheel"), mixture_measures),
    "uniform": uniform_measures,
    **dict.fromkeys(("pictures", "labelled_pictures"), picture_measures),
    "traffic": traffic_measures,
}
