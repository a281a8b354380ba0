"""Time `landscape.line_scan` at the size of a study of MNIST: 64 images, 32 directions, 201 places each.

The discriminator has three hidden layers of 512 units. The time is the median of some scans, on all
cores; it is added to the file that `tests/bench.py` wrote.
"""

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from statistics import median

import torch

from gancore.landscape import line_scan
from gancore.nets.architectures import mlp
from gancore.nets.layers import he, initialise

IMAGES, DIRECTIONS, PLACES, PIXELS, ROUNDS = 64, 32, 201, 784, 5


def seconds_of_a_scan() -> float:
    """Wall seconds of one scan of one discriminator."""
    discriminator = mlp(1, [PIXELS, 512, 512, 512, 1], "relu")
    initialise(discriminator, [0], "discriminator", he())
    x, directions = torch.randn(1, IMAGES, PIXELS), torch.randn(DIRECTIONS, PIXELS)
    began = time.perf_counter()
    line_scan(discriminator, x, directions, torch.linspace(-100, 100, PLACES))
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="the JSON file of the other bench")
    options = parser.parse_args()
    torch.set_num_threads(os.cpu_count() or 1)
    seconds = median(seconds_of_a_scan() for _ in range(ROUNDS))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    measured = json.loads(options.out.read_text())
    measured["scan"] = {"seconds": round(seconds, 2), "peak_mb": round(peak), "points": IMAGES * DIRECTIONS * PLACES}
    options.out.write_text(json.dumps(measured, indent=1) + "\n")
    print(f"\nline_scan, {IMAGES} x {DIRECTIONS} x {PLACES} places: {seconds:.2f} s, peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
