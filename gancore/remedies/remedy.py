"""What a remedy may do, hook by hook, and what is done by several at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from gancore.errors import StudyError
from gancore.games.gan import Batch, Discriminator, Game

PerRun = float | Sequence[float]  # a recipe says one number, and what sweeps it makes that one for each run


def per_run(value: PerRun, like: Tensor) -> Tensor:
    """A number for each run, (R,), on the device and in the precision of a tensor (R, ...)."""
    return torch.as_tensor(value, dtype=like.dtype, device=like.device).expand(len(like)).clone()


class Learners(Protocol):
    """The part of a population that a remedy may look at when a training begins."""

    seeds: Sequence[int]
    game: Game
    optimisers: Mapping[str, Any]

    def draw(self, step: int) -> Any:
        """What the players are shown at a step."""


class Remedy(nn.Module):
    """Something that is done to a game beside its objective and its penalties. Every hook may be left as it is.

    Its settings are those of its constructor; what training changes in it is in buffers that lead with R, so that
    checkpoints keep it. It knows of no other remedy.
    """

    DRAWS = 0  # numbers uniform on [0, 1) that it is given for each point, in `batch.chance[self]`, (R, B, DRAWS)
    pause: int | None = None  # after every so many steps training halts for what it does `between` them

    def judged(self, source: Any) -> Any:
        """What the discriminator's network is built for, in the place of this target or these latents."""
        return source

    def begin(self, runs: Learners, batch: Batch) -> None:
        """Make the buffers, before the first step; `batch` is like those that will come."""

    def drawn(self, real: Tensor, chance: Mapping[Any, Tensor]) -> Tensor:
        """The real points of a step, (R, B, D), in the place of those that were drawn; `chance` is as in a batch."""
        return real

    def seen(self, batch: Batch) -> Batch:
        """The batch as the discriminator sees it, whoever moves."""
        return batch

    def lesson(self, batch: Batch) -> Batch:
        """The batch from which the discriminator learns."""
        return batch

    def opponent(self, learning: Callable[[Discriminator], Tensor], batch: Batch) -> Discriminator | None:
        """Whom the other players play against in the discriminator's place; None: the discriminator itself.

        `learning` gives what a discriminator would minimise now, (R,), as a function of the fakes too.
        """
        return None

    def reshaped(self, loss: Tensor, game: Game, batch: Batch, discriminator: Discriminator) -> Tensor:
        """What the generator minimises, (R,), in the place of this loss."""
        return loss

    def remember(self, batch: Batch) -> None:
        """Take in what a step has shown, in place, when everyone has moved."""

    def between(self, runs: Learners, step: int) -> None:
        """What no step can do, every `pause` steps: the players may be changed, in place."""

    def shown(self, player: str) -> Callable[..., Tensor] | None:
        """What is observed in the place of a player's network; None: the network itself."""
        return None


class Remedies(nn.ModuleList):
    """Any number of remedies, each done to what those before it have made of the game.

    Raises StudyError where two of them name an opponent: neither could be what it is called.
    """

    def __init__(self, remedies: Sequence[Remedy] = ()):
        super().__init__(remedies)
        named = [remedy for remedy in remedies if type(remedy).opponent is not Remedy.opponent]
        if len(named) > 1:
            names = " and ".join(type(remedy).__name__.lower() for remedy in named)
            raise StudyError(f"{names} both say whom the generator plays against: allowed is one of them")

    def judged(self, source: Any) -> Any:
        """What the discriminator's network is built for."""
        for remedy in self:
            source = remedy.judged(source)
        return source

    @torch.no_grad()
    def drawn(self, real: Tensor, chance: Mapping[Any, Tensor]) -> Tensor:
        """The real points of a step, (R, B, D), in the place of those that were drawn."""
        for remedy in self:
            real = remedy.drawn(real, chance)
        return real

    @torch.no_grad()
    def begin(self, runs: Learners, batch: Batch) -> None:
        for remedy in self:
            remedy.begin(runs, batch)

    def loss(self, game: Game, player: str, batch: Batch) -> Tensor:
        """What a player minimises, (R,), with all that is done about it."""
        if player == "discriminator":
            return game.loss(player, self.seen(self.lesson(batch.detached())), None)
        seen, discriminator = self.seen(batch), self.opponent(game, batch) or game.players.get("discriminator")
        loss = game.loss(player, seen, discriminator)
        if player == "generator":
            for remedy in self:
                loss = remedy.reshaped(loss, game, seen, discriminator)
        return loss

    def opponent(self, game: Game, batch: Batch) -> Discriminator | None:
        """Whom the other players play against in the discriminator's place, if a remedy names one."""

        def learning(discriminator: Discriminator) -> Tensor:
            return game.discriminator_loss(self.seen(self.lesson(batch)), discriminator)

        opponents = (remedy.opponent(learning, batch) for remedy in self)
        return next((opponent for opponent in opponents if opponent is not None), None)

    def lesson(self, batch: Batch) -> Batch:
        """The batch from which the discriminator learns."""
        for remedy in self:
            batch = remedy.lesson(batch)
        return batch

    def seen(self, batch: Batch) -> Batch:
        """The batch as the discriminator sees it."""
        for remedy in self:
            batch = remedy.seen(batch)
        return batch

    def pauses(self, step: int) -> list[int]:
        """The next steps after this one at which a remedy wants training to halt."""
        return [(step // remedy.pause + 1) * remedy.pause for remedy in self if remedy.pause]

    @torch.no_grad()
    def between(self, runs: Learners, step: int) -> None:
        """At a step that is about to be made: what the remedies whose pause it is do first."""
        for remedy in self:
            if remedy.pause and step and step % remedy.pause == 0:
                remedy.between(runs, step)

    @torch.no_grad()
    def remember(self, batch: Batch) -> None:
        for remedy in self:
            remedy.remember(batch)

    def shown(self, player: str) -> Callable[..., Tensor] | None:
        """What is observed in the place of a player's network, if a remedy has something."""
        shown = (remedy.shown(player) for remedy in self)
        return next((network for network in shown if network is not None), None)
