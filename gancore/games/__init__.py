"""The games: who plays, and what each player minimises."""

from gancore.games.bigan import BiGAN
from gancore.games.gan import GAN, Batch, Game

GAMES = {"gan": GAN, "bigan": BiGAN}

__all__ = ["GAMES", "GAN", "Batch", "BiGAN", "Game"]
