"""What an observation needs of a game and its data: had, or named in a sentence where it is lacking."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from gancore.errors import StudyError
from gancore.training.population import Population

# What discriminators of these roles do in the place of giving a point its score.
OTHERWISE = {
    "pair_discriminator": "judges pairs",
    "conditional_discriminator": "judges pairs",
    "embedding_discriminator": "gives a point several outputs",
}


def known_target(runs: Population) -> Any:
    """What the real points are drawn from. Raises StudyError where the population was not told."""
    return _told(runs.target, "target")


def known_latents(runs: Population) -> Any:
    """What the latents are drawn from. Raises StudyError where the population was not told."""
    return _told(runs.latents, "latents")


def _told(source: Any, what: str) -> Any:
    if source is None:
        raise StudyError(f"the {what} of the runs is asked for: allowed is a Population that is told its `{what}`")
    return source


def players_of(runs: Population, *names: str) -> list[Callable[..., Tensor]]:
    """What is observed of these players.

    Raises StudyError where the game has no such player, and for a discriminator that gives one score to several points.
    """
    players = runs.game.players
    for name in names:
        if name not in players:
            raise StudyError(f"the {name} is observed, and the game has none: its players are {', '.join(players)}")
    if "discriminator" in names and _judges_packs(runs):
        raise StudyError("scores of points are observed, and the game's discriminator judges several at once")
    return [runs.network(name) for name in names]


def _judges_packs(runs: Population) -> bool:
    """Whether a remedy shows the discriminator several points as one."""
    return runs.target is not None and runs.remedies.judged(runs.target).dimensions != runs.target.dimensions


def judge_of_points(runs: Population) -> Callable[..., Tensor]:
    """What gives points their scores. Raises StudyError without a discriminator that gives one to a point alone."""
    (discriminator,) = players_of(runs, "discriminator")
    fault = OTHERWISE.get(runs.game.PLAYERS["discriminator"])
    if getattr(discriminator, "looks_across", False):
        fault = "judges a point by its batch"
    if fault:
        raise StudyError(f"scores of points alone are observed, and the game's discriminator {fault}")
    return runs.game.scoring(discriminator)


def having(source: Any, *abilities: str) -> Any:
    """The target or latents, if they have all these. Raises StudyError, which names what is lacking, if not."""
    for ability in abilities:
        if not hasattr(source, ability):
            raise StudyError(f"{ability.replace('_', ' ')} are observed, and {source} has none")
    return source


def in_dimensions(source: Any, dimensions: int) -> Any:
    """The target or latents, if their points have so many dimensions. Raises StudyError if not."""
    if source.dimensions != dimensions:
        raise StudyError(f"{source} has {source.dimensions} dimensions: what is observed needs {dimensions}")
    return source
