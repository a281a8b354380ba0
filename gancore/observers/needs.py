"""What an observation needs of a game and its data: had, or named in a sentence where it is lacking."""

from typing import Any

from torch import nn

from gancore.errors import StudyError
from gancore.training.loop import Population

# What discriminators of these roles do in the place of giving a point its score.
OTHERWISE = {
    "pair_discriminator": "judges pairs",
    "conditional_discriminator": "judges pairs",
    "embedding_discriminator": "gives a point several outputs",
}


def players_of(runs: Population, *names: str) -> list[nn.Module]:
    """The networks of these players. Raises StudyError where the game has no such player."""
    players = runs.game.players
    for name in names:
        if name not in players:
            raise StudyError(f"the {name} is observed, and the game has none: its players are {', '.join(players)}")
    return [players[name] for name in names]


def judge_of_points(runs: Population) -> nn.Module:
    """The discriminator. Raises StudyError where there is none, or one that gives no score to a point alone."""
    (discriminator,) = players_of(runs, "discriminator")
    fault = OTHERWISE.get(runs.game.PLAYERS["discriminator"])
    if getattr(discriminator, "looks_across", False):
        fault = "judges a point by its batch"
    if fault:
        raise StudyError(f"scores of points alone are observed, and the game's discriminator {fault}")
    return discriminator


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
