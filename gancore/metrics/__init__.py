"""How far generated points are from the target: functions of samples (R, n, D), one value a run."""
