"""R independent runs of one game as one population: what they draw, and how they move."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gancore.errors import StudyError
from gancore.games import Batch, Game
from gancore.remedies import Remedies, Remedy
from gancore.streams import Stream
from gancore.training.optimisers import Optimiser


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
    target: Any = None  # what `real` and `noise` are drawn from, where something is observed
    latents: Any = None

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

    @property
    def device(self) -> torch.device:
        """Where the runs are trained."""
        return self.real.device

    def draw(self, step: int) -> list[Tensor]:
        """What the players are shown at a step: real points, latents, and where penalties look between points."""
        return [stream(step) for stream in (self.real, self.noise, self.mixing, *self.chance.values())]

    def network(self, player: str) -> Callable[..., Tensor]:
        """What is observed of a player: its network, or what a remedy shows in its place."""
        return self.remedies.shown(player) or self.game.players[player]

    def due(self, step: int) -> tuple[bool, ...]:
        """Which penalties are added at which turns of a step: nothing else differs between the work of two steps."""
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
        real, z, epsilon, *chance = drawn
        real = self.remedies.drawn(real, dict(zip(self.chance, chance, strict=True)))
        batches, losses = self._batches(real, z, epsilon, *chance, step=step), []
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
            batch.turn, batch.chance = turn, dict(zip(self.chance, chance, strict=True))
            batches.append(batch)
        return batches

    def _most_turns(self) -> int:
        return max(self.turns.values(), default=1)

    def _turn(self, player: str, optimiser: Optimiser, batch: Batch) -> Tensor:
        loss = self.remedies.loss(self.game, player, batch)
        optimiser.step(torch.autograd.grad(loss, optimiser.parameters, torch.ones_like(loss)))
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
