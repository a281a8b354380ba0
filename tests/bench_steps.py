"""Time what a step costs beside a plain one: penalties, unrolling, and convolutions against a textbook's.

Everything runs in this process, on one core and one thread, in turn, round after round. A row's ratio is the median
over the rounds of its time over that of the row it is compared with. The rows are added to the file that
`tests/bench.py` wrote.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from arms import ADAM, CPU, bigan, moons
from bench import textbook_step
from torch import nn

from gancore.data.images import Missing
from gancore.host import settle
from gancore.recipes.build import population

R, ROUNDS, SECONDS = 64, 5, 0.5
BATCH, LATENT, CHANNELS = 64, 64, (32, 64)
Steps = Callable[[int], object]


def steps_of(recipe: dict, replicas: int) -> Steps:
    """So many runs of a recipe, one step after the other."""
    runs = population(recipe, range(replicas), CPU)
    return lambda count: [runs.move(*runs.draw(step)) for step in range(count)]


def convolutional() -> dict:
    """A small DCGAN on MNIST."""
    layers = {"network": "convolutional", "channels": list(CHANNELS), "strides": [2, 2], "activation": "leaky_relu"}
    player = layers | {"initialiser": {"name": "uniform"}, "optimiser": ADAM}
    return {
        "target": {"name": "pictures", "images": "mnist"},
        "latent": LATENT,
        "batch": BATCH,
        "objective": "non_saturating",
        "players": {"generator": player | {"output": "tanh"}, "discriminator": player},
        "steps": 1,
        "observe": {},
    }


def textbook() -> Steps:
    """The same DCGAN as a PyTorch tutorial writes it, one run."""
    first, second = CHANNELS
    maps = [nn.Linear(LATENT, second * 49), nn.LeakyReLU(0.2), nn.Unflatten(1, (second, 7, 7))]
    upwards = [nn.ConvTranspose2d(second, first, 4, 2, 1), nn.LeakyReLU(0.2), nn.ConvTranspose2d(first, 1, 4, 2, 1)]
    generator = nn.Sequential(*maps, *upwards, nn.Tanh())
    down = [nn.Conv2d(1, first, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(first, second, 4, 2, 1), nn.LeakyReLU(0.2)]
    discriminator = nn.Sequential(*down, nn.Flatten(), nn.Linear(second * 49, 1))
    of_generator, of_discriminator = (torch.optim.Adam(n.parameters(), 1e-3) for n in (generator, discriminator))
    real, z = torch.rand(BATCH, 1, 28, 28), lambda: torch.randn(BATCH, LATENT)
    pairs = (generator, of_generator), (discriminator, of_discriminator)
    step = textbook_step(*pairs, nn.BCEWithLogitsLoss(), real, z)
    return lambda count: [step() for _ in range(count)]


def contestants() -> dict[str, tuple[str, int, Steps]]:
    """By row: the row that it is compared with, how many runs it has, and its steps."""
    adam, pairs = moons(optimiser=ADAM), bigan()
    rows = {
        "moons GAN": ("moons GAN", R, steps_of(adam, R)),
        "moons GAN, R1": ("moons GAN", R, steps_of(adam | {"penalties": [{"name": "r1", "weight": 1.0}]}, R)),
        "moons GAN, unrolled 5": (
            "moons GAN",
            R,
            steps_of(adam | {"remedies": [{"name": "unrolling", "steps": 5}]}, R),
        ),
        "BiGAN": ("BiGAN", R, steps_of(pairs, R)),
        "BiGAN, pairwise penalty": (
            "BiGAN",
            R,
            steps_of(pairs | {"penalties": [{"name": "pairwise", "weight": 1.0}]}, R),
        ),
    }
    try:
        of_images = {f"DCGAN, {n} at once": ("DCGAN, textbook", n, steps_of(convolutional(), n)) for n in (1, 4)}
        rows |= {"DCGAN, textbook": ("DCGAN, textbook", 1, textbook()), **of_images}
    except Missing:
        print("no rows of the DCGAN: MNIST is not at hand")
    return rows


def milliseconds(steps: Steps, count: int) -> float:
    began = time.perf_counter()
    steps(count)
    return (time.perf_counter() - began) / count * 1e3


def measured() -> list[dict]:
    """A row a contestant: milliseconds of a run and step, and the ratio to the row that it is compared with."""
    rows = contestants()
    counts = {name: max(3, round(1e3 * SECONDS / milliseconds(steps, 3))) for name, (_, _, steps) in rows.items()}
    rounds = [
        {name: milliseconds(steps, counts[name]) / runs for name, (_, runs, steps) in rows.items()}
        for _ in range(ROUNDS)
    ]
    return [
        {
            "step": name,
            "R": runs,
            "ms_per_run_step": round(median(times[name] for times in rounds), 3),
            "beside": beside,
            "ratio": round(median(times[name] / times[beside] for times in rounds), 2),
        }
        for name, (beside, runs, _) in rows.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="the JSON file of the other bench")
    options = parser.parse_args()
    settle(CPU)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    found = json.loads(options.out.read_text())
    found["steps"] = measured()
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    for row in found["steps"]:
        print("{step}: {ms_per_run_step} ms a run-step, {ratio} times {beside}".format(**row))


if __name__ == "__main__":
    main()
