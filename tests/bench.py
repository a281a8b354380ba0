"""Time a step of the moons GAN: a textbook loop against populations of R runs here and in JAX.

Every engine at every R is a process of its own, so that its peak memory is its own; the processes
are timed in turn, round after round. A speed-up is the median over the rounds of the textbook's
time over the engine's in the same round: what else the machine does meanwhile then slows both.
"""

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

REPLICAS = [1, 8, 64, 256, 1024]
BLOCK, BATCH, LATENT, RATE, BIAS = 64, 32, 2, 5e-4, 0.01
GENERATOR, DISCRIMINATOR = [LATENT, 8, 4, 2], [2, 64, 8, 1]
ROUNDS = 3

Steps = Callable[[int], object]  # makes that many steps of every run


def textbook_step(making, telling, loss, real, latent: Callable) -> Callable[[], None]:
    """A step as a PyTorch tutorial writes it, of generator and discriminator, each with its optimiser."""
    import torch

    (generator, of_generator), (discriminator, of_discriminator) = making, telling
    ones, zeros = torch.ones(len(real), 1, device=real.device), torch.zeros(len(real), 1, device=real.device)

    def step() -> None:
        fake = generator(latent())
        of_generator.zero_grad()
        loss(discriminator(fake), ones).backward()
        of_generator.step()
        of_discriminator.zero_grad()
        ((loss(discriminator(real), ones) + loss(discriminator(fake.detach()), zeros)) / 2).backward()
        of_discriminator.step()

    return step


def textbook(replicas: int, device: str) -> Steps:
    """One run as a PyTorch tutorial writes it, with as many threads as serve it best."""
    import torch
    from torch import nn

    generator = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    hidden = [nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 8), nn.Tanh()]
    discriminator = nn.Sequential(*hidden, nn.Linear(8, 1), nn.Sigmoid())
    for layer in [*generator[::2], *discriminator[::2]]:
        nn.init.normal_(layer.to(device).weight)
        nn.init.constant_(layer.bias, BIAS)
    of_generator = torch.optim.SGD(generator.parameters(), lr=RATE)
    of_discriminator = torch.optim.SGD(discriminator.parameters(), lr=RATE)
    real, z = torch.randn(BATCH, 2, device=device), lambda: torch.randn(BATCH, LATENT, device=device)
    step = textbook_step((generator, of_generator), (discriminator, of_discriminator), nn.BCELoss(), real, z)

    def steps(count: int) -> None:
        for _ in range(count):
            step()
        if device == "cuda":
            torch.cuda.synchronize()

    def seconds_with(threads: int) -> float:
        torch.set_num_threads(threads)
        steps(20)
        return seconds_of(steps, 100)

    torch.set_num_threads(min((1, os.cpu_count()), key=seconds_with))
    return steps


def gancore(replicas: int, device: str) -> Steps:
    """The study's own training, the drawing of its batches included."""
    import torch
    from arms import runs_of

    from gancore.streams import Stream
    from gancore.training.loop import train

    runs = runs_of(range(replicas), torch.device(device))

    def steps(count: int) -> None:
        for name in ("real", "noise", "mixing"):
            stream = getattr(runs, name)
            setattr(runs, name, Stream(stream.seeds, stream.name, stream.draw, stream.device))  # has drawn nothing yet
        train(runs, count)

    return steps


def jax(replicas: int, device: str) -> Steps:
    """The same model under vmap, scan and jit."""
    import jax
    import jax.numpy as jnp

    def network(key, widths):
        sizes = list(pairwise(widths))
        keys = jax.random.split(key, len(sizes))
        return [(jax.random.normal(k, size), jnp.full(size[1], BIAS)) for k, size in zip(keys, sizes, strict=True)]

    def scores(layers, x, activation):
        *hidden, (weight, bias) = layers
        for w, b in hidden:
            x = activation(x @ w + b)
        return x @ weight + bias

    def fools(discriminator, fake):
        return jax.nn.softplus(-scores(discriminator, fake, jnp.tanh)).mean()

    def tells_apart(discriminator, fake):
        on_fake = jax.nn.softplus(scores(discriminator, fake, jnp.tanh)).mean()
        return (fools(discriminator, real) + on_fake) / 2

    def descend(layers, gradients):
        return jax.tree.map(lambda p, g: p - RATE * g, layers, gradients)

    def move(run):
        generator, discriminator, key = run
        key, now = jax.random.split(key)
        z = jax.random.normal(now, (BATCH, LATENT))
        fake, backwards = jax.vjp(lambda layers: scores(layers, z, jax.nn.relu), generator)
        generator = descend(generator, backwards(jax.grad(fools, 1)(discriminator, fake))[0])
        return generator, descend(discriminator, jax.grad(tells_apart)(discriminator, fake)), key

    def start(key):
        keys = jax.random.split(key, 3)
        return network(keys[0], GENERATOR), network(keys[1], DISCRIMINATOR), keys[2]

    @jax.jit
    def block(runs):
        return jax.lax.scan(lambda runs, _: (jax.vmap(move)(runs), None), runs, length=BLOCK)[0]

    real = jax.random.normal(jax.random.key(1), (BATCH, 2))
    runs = jax.vmap(start)(jax.random.split(jax.random.key(0), replicas))

    def steps(count: int) -> None:
        nonlocal runs
        for _ in range(count // BLOCK):
            runs = block(runs)
        jax.block_until_ready(runs)

    return steps


ENGINES = {"textbook": textbook, "gancore": gancore, "jax": jax}


def seconds_of(steps: Steps, count: int) -> float:
    began = time.perf_counter()
    steps(count)
    return time.perf_counter() - began


def peak_megabytes(device: str) -> float:
    """The most memory this process has held: on the GPU if it trained there."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_allocated() / 2**20
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def prepare(engine: str, device: str, replicas: int, seconds: float) -> tuple[Steps, int]:
    """The engine, warm, and how many steps of it take about so many seconds."""
    steps = ENGINES[engine](replicas, device)
    steps(BLOCK)
    return steps, BLOCK * max(1, round(seconds / seconds_of(steps, BLOCK)))


def serve(engine: str, device: str, replicas: str, seconds: float) -> None:
    """Be one process: answer each line on the standard input with a measurement."""
    if device == "cpu" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # JAX would use all cores; measured is what one does
    importlib.import_module({"textbook": "torch", "gancore": "arms", "jax": "jax.numpy"}[engine])
    print("ready", flush=True)
    prepared = None
    for _ in sys.stdin:
        steps, count = prepared = prepared or prepare(engine, device, int(replicas), seconds)
        microseconds = seconds_of(steps, count) / count / int(replicas) * 1e6
        print(json.dumps({"microseconds": microseconds, "peak_mb": peak_megabytes(device)}), flush=True)


class Contestant:
    """One engine at one R on one device, in its own process."""

    def __init__(self, engine: str, device: str, replicas: int, seconds: float):
        self.names = {"engine": engine, "device": device, "R": replicas}
        call = [sys.executable, __file__, "--seconds", str(seconds), "--serve", engine, device, str(replicas)]
        self.process = subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer(self) -> str:
        return self.process.stdout.readline() or sys.exit(f"{self.names} ended before its time")

    def measure(self) -> dict[str, float]:
        print(file=self.process.stdin, flush=True)
        return json.loads(self.answer())


def contest(seconds: float, devices: list[str]) -> list[dict]:
    """The rows of the table, the textbook loop on the CPU first."""
    entries = [("textbook", device, 1) for device in devices]
    entries += [("gancore", device, replicas) for device in devices for replicas in REPLICAS]
    if importlib.util.find_spec("jax"):
        entries += [("jax", "cpu", replicas) for replicas in REPLICAS]
    contestants = [Contestant(*entry, seconds) for entry in entries]
    for contestant in contestants:
        contestant.answer()  # ready
    rounds = [[contestant.measure() for contestant in contestants] for _ in range(ROUNDS)]
    for contestant in contestants:
        contestant.process.communicate()
    measured = list(zip(*rounds, strict=True))  # by contestant
    return [c.names | summary(own, measured[0]) for c, own in zip(contestants, measured, strict=True)]


def summary(own: Sequence[dict[str, float]], textbook: Sequence[dict[str, float]]) -> dict[str, float]:
    """One engine's rounds beside the textbook's."""
    ratios = [t["microseconds"] / o["microseconds"] for t, o in zip(textbook, own, strict=True)]
    return {
        "us_per_run_step": round(median(o["microseconds"] for o in own), 2),
        "speedup": round(median(ratios), 2),
        "peak_mb": round(max(o["peak_mb"] for o in own)),
    }


def machine() -> tuple[str, list[str]]:
    """The machine's name and its devices, asked of another process: this one stays without torch, and small."""
    ask = (
        "import json, os, torch; from gancore.host import device_name; "
        "devices = ['cpu', 'cuda'][: 1 + torch.cuda.is_available()]; "
        "names = ', '.join(device_name(torch.device(d)) for d in devices); "
        "print(json.dumps([f'{names}, {os.cpu_count()} cores', devices]))"
    )
    return json.loads(subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True).stdout)


def table(rows: list[dict]) -> str:
    """The rows in markdown."""
    line = "| {engine} | {device} | {R} | {us_per_run_step:.1f} | {speedup:.1f} | {peak_mb} |"
    head = ["| engine | device | R | µs a run-step | speed-up | peak memory, MB |", "|---|---|--:|--:|--:|--:|"]
    return "\n".join(head + [line.format(**row) for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="where the rows go, as JSON")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long one measurement lasts, about")
    parser.add_argument("--serve", nargs=3, metavar=("ENGINE", "DEVICE", "R"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(*options.serve, options.seconds)
    name, devices = machine()
    rows = contest(options.seconds, devices)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"machine": name, "rows": rows}, indent=1) + "\n")
    print(f"{name}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
