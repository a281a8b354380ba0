"""The loop: whose turn it is, what is observed when, checkpoints, and the CUDA graph."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from gancore.host import settle
from gancore.streams import BLOCK
from gancore.training.checkpoints import load_checkpoint, save_checkpoint
from gancore.training.population import Population

FIRST_STEPS = 20  # how many steps' losses are kept, to be trained again and compared: `gancore.study.replay`
LOSSES = 256  # of the whole training, so many steps' losses are kept at most, and at least half as many once it is long
LOSS_CLOCK = "loss_step"

Earlier = Mapping[str, Sequence[Tensor]]
Measure = Callable[[Earlier], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Observer:
    """A measurement at given steps: `measure` returns tensors by name, and changes no player.

    It is given what was observed earlier, by name. What it names with a leading underscore is there
    for later observations and not stored.
    """

    at: Sequence[int]
    measure: Measure


def loss_steps(steps: int) -> range:
    """The steps whose losses are kept of so many: every first, second, fourth ... one, so that they are LOSSES at most.

    Those of a longer training are among them or later, so a training need not know how long it will be.
    """
    every = 1
    while steps > LOSSES * every:
        every *= 2
    return range(0, steps, every)


@dataclass
class Record:
    """What training leaves behind. A run that turned NaN or infinite has its step in `diverged`, else -1."""

    step: int
    diverged: Tensor  # (R,) int64
    first_losses: list[Tensor] = field(default_factory=list)  # FIRST_STEPS times (R, players)
    losses: list[Tensor] = field(default_factory=list)  # at `loss_steps` of all steps so far, (R, players) each
    observed: dict[str, list[Tensor]] = field(default_factory=dict)
    seconds: float = 0.0  # of training, those before an interruption included

    def observe(self, observers: Sequence[Observer]) -> None:
        for observer in observers:
            if self.step in observer.at:
                for name, value in observer.measure(self.observed).items():
                    self.observed.setdefault(name, []).append(value.detach().cpu())

    def note_losses(self, losses: Sequence[Tensor]) -> None:
        """Take in the losses (R, players) of the steps that were just made."""
        stacked = torch.stack(list(losses)).cpu()  # (steps, R, players)
        missing = FIRST_STEPS - len(self.first_losses)
        self.first_losses.extend(stacked[:missing].unbind(0) if missing > 0 else [])
        bad = ~stacked.isfinite().all(2)  # (steps, R)
        first = self.step + bad.int().argmax(0)
        self.diverged = torch.where((self.diverged < 0) & bad.any(0), first, self.diverged)
        before, self.step = self.step, self.step + len(stacked)
        kept = loss_steps(self.step)
        self.losses = self.losses[:: kept.step // loss_steps(before).step]
        self.losses += [stacked[step - before].clone() for step in kept if step >= before]


class CudaGraphs:
    """A population's move as a CUDA graph, captured once and replayed with new batches.

    A graph cannot skip a penalty, so there is one graph for each choice of penalties that are due in a step.
    """

    def __init__(self, population: Population):
        self.population, self.drawn = population, [x.clone() for x in population.draw(0)]
        self.captured: dict[tuple[bool, ...], tuple[torch.cuda.CUDAGraph, Tensor]] = {}

    def _capture(self, step: int) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        """The graph of a move like that of the step, and where it leaves the losses; the state is as it was."""
        population = self.population
        before = [t.clone() for t in population.state()]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):  # libraries allocate their workspaces before the capture
                population.move(*self.drawn, step=step)
        torch.cuda.current_stream().wait_stream(side)
        for tensor, value in zip(population.state(), before, strict=True):
            tensor.detach().copy_(value)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            losses = population.move(*self.drawn, step=step)
        return graph, losses

    def __call__(self, *drawn: Tensor, step: int) -> Tensor:
        due = self.population.due(step)
        if due not in self.captured:
            self.captured[due] = self._capture(step)
        for kept, new in zip(self.drawn, drawn, strict=True):
            kept.copy_(new)
        graph, losses = self.captured[due]
        graph.replay()
        return losses.clone()


def train(
    population: Population,
    steps: int,
    observers: Sequence[Observer] = (),
    checkpoint: Path | None = None,
    every_seconds: float = 30.0,
    progress: Callable[[int], None] = lambda made: None,
) -> Record:
    """Train every run for `steps` steps, observing on the way.

    With a `checkpoint` path the state is saved there every so many seconds; if the file exists,
    training goes on from it and ends with the same bits as if it had never stopped. `progress` is
    called with the number of steps made since its last call. Raises StudyError if the checkpoint is
    unreadable, or if a full disk or a read-only folder keeps it from being written.
    """
    settle(population.device)
    record = Record(0, torch.full((len(population.seeds),), -1))
    if checkpoint and checkpoint.exists():
        load_checkpoint(checkpoint, population, record)
        progress(record.step)
    move = CudaGraphs(population) if population.device.type == "cuda" else population.move
    saved = time.monotonic()
    began = saved - record.seconds
    while record.step < steps:
        record.observe(observers)
        population.remedies.between(population, record.step)
        start, end = record.step, _next_stop(record.step, steps, observers, population)
        record.note_losses([move(*population.draw(s), step=s) for s in range(start, end)])
        progress(end - start)
        record.seconds = time.monotonic() - began
        if checkpoint and time.monotonic() - saved >= every_seconds:
            save_checkpoint(checkpoint, population, record)
            saved = time.monotonic()
    record.observe(observers)
    return record


def _next_stop(step: int, steps: int, observers: Sequence[Observer], population: Population) -> int:
    """The next step at which something is due: an observation, a remedy's pause, the end of a block, the end."""
    due = [s for observer in observers for s in observer.at if s > step]
    return min([*due, *population.remedies.pauses(step), (step // BLOCK + 1) * BLOCK, steps])
