"""The loop: whose turn it is, what is observed when, checkpoints, and the CUDA graph."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from gancore.errors import StudyError
from gancore.games import Batch, Game
from gancore.host import settle
from gancore.remedies import Remedies, Remedy
from gancore.streams import BLOCK, Stream
from gancore.training.checkpoints import load_checkpoint, save_checkpoint
from gancore.training.optimisers import Optimiser

FIRST_STEPS = 20  # how many steps' losses are kept, to be trained again and compared: `gancore.study.replay`

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


@dataclass
class Population:
    """R independent runs of one game: `seeds[r]` is the only thing that run r does not share."""

    seeds: Sequence[int]
    game: Game
    optimisers: Mapping[str, Optimiser]
    real: Stream
    noise: Stream
    mixing: Stream
    turns: Mapping[str, int] = field(default_factory=dict)  # of the discriminator in each step, 1 if not named
    remedies: Remedies = field(default_factory=Remedies)
    chance: Mapping[Remedy, Stream] = field(default_factory=dict)  # of the remedies that draw

    def __post_init__(self) -> None:
        """Let the remedies begin. Raises StudyError for a network that the runs would share: all that it holds must
        lead with R."""
        if len(self.remedies):
            self.remedies.begin(self, self._batches(*self.draw(0))[0])
        parts = {f"the {player}": network for player, network in self.game.players.items()}
        for player, network in {**parts, "the remedies": self.remedies}.items():
            for name, value in network.state_dict().items():
                if value.shape[:1] != (len(self.seeds),):
                    raise StudyError(
                        f"{name} of {player} has the shape {tuple(value.shape)}: allowed is one that begins with "
                        f"{len(self.seeds)}, the number of runs, since runs that share a network are not independent"
                    )

    def draw(self, step: int) -> list[Tensor]:
        """What the players are shown at a step: real points, latents, and where penalties look between points."""
        return [stream(step) for stream in (self.real, self.noise, self.mixing, *self.chance.values())]

    def network(self, player: str) -> Callable[..., Tensor]:
        """What is observed of a player: its network, or what a remedy shows in its place."""
        return self.remedies.shown(player) or self.game.players[player]

    def due(self, step: int) -> tuple[bool, ...]:
        """Which penalties are added at which of a step's turns: all in which its work can differ from another's."""
        turns = range(step * self._most_turns(), (step + 1) * self._most_turns())
        return tuple(penalty.due(turn) for penalty in getattr(self.game, "penalties", ()) for turn in turns)

    def move(self, *drawn: Tensor, step: int = 0) -> Tensor:
        """One step: every player's turns, in order. Returns the losses before each first turn, (R, players).

        Which `step` it is matters only to penalties that are not always due.
        Each turn of a player in a step is on a part of its own of what was `drawn`; all parts are made into
        batches before anyone moves, so that only a discriminator, whose graph they do not hold, can move twice.
        """
        for optimiser in self.optimisers.values():
            _let_move(optimiser.parameters, True)
        batches, losses = self._batches(*drawn, step=step), []
        for player, optimiser in self.optimisers.items():
            for other in self.optimisers.values():
                _let_move(other.parameters, other is optimiser)
            turns = [self._turn(player, optimiser, batch) for batch in batches[: self.turns.get(player, 1)]]
            losses.append(turns[0])
        self.remedies.remember(batches[0])
        return torch.stack(losses, 1)

    def _batches(self, *drawn: Tensor, step: int = 0) -> list[Batch]:
        """What was drawn for a step as a batch for each turn."""
        parts = zip(*(x.chunk(self._most_turns(), 1) for x in drawn), strict=True)
        batches = []
        for turn, (real, z, epsilon, *chance) in enumerate(parts, step * self._most_turns()):
            batch = self.game.batch(real, z, epsilon)
            batches.append(replace(batch, turn=turn, chance=dict(zip(self.chance, chance, strict=True))))
        return batches

    def _most_turns(self) -> int:
        return max(self.turns.values(), default=1)

    def _turn(self, player: str, optimiser: Optimiser, batch: Batch) -> Tensor:
        loss = self.remedies.loss(self.game, player, batch)
        optimiser.step(torch.autograd.grad(loss.sum(), optimiser.parameters))
        return loss.detach()

    def state(self) -> list[Tensor]:
        """All tensors that training changes, in a fixed order."""
        parts = [*self.game.players.values(), self.remedies]
        networks = [t for part in parts for t in part.state_dict().values()]
        return networks + [t for optimiser in self.optimisers.values() for t in optimiser.state()]


def _let_move(parameters: Sequence[Tensor], moves: bool) -> None:
    """Only what moves asks for gradients: those of the other players are never computed."""
    for parameter in parameters:
        parameter.requires_grad_(moves)


@dataclass
class Record:
    """What training leaves behind. A run that turned NaN or infinite has its step in `diverged`, else -1."""

    step: int
    diverged: Tensor  # (R,) int64
    first_losses: list[Tensor] = field(default_factory=list)  # FIRST_STEPS times (R, players)
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
        self.step += len(stacked)


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
    settle(population.real.device)
    record = Record(0, torch.full((len(population.seeds),), -1))
    if checkpoint and checkpoint.exists():
        load_checkpoint(checkpoint, population, record)
        progress(record.step)
    move = CudaGraphs(population) if population.real.device.type == "cuda" else population.move
    saved = time.monotonic()
    began = saved - record.seconds
    while record.step < steps:
        record.observe(observers)
        start, end = record.step, _next_stop(record.step, steps, observers)
        record.note_losses([move(*population.draw(s), step=s) for s in range(start, end)])
        progress(end - start)
        record.seconds = time.monotonic() - began
        if checkpoint and time.monotonic() - saved >= every_seconds:
            save_checkpoint(checkpoint, population, record)
            saved = time.monotonic()
    record.observe(observers)
    return record


def _next_stop(step: int, steps: int, observers: Sequence[Observer]) -> int:
    """The next step at which something is due: an observation, the end of a block, the end."""
    due = [s for observer in observers for s in observer.at if s > step]
    return min([*due, (step // BLOCK + 1) * BLOCK, steps])
