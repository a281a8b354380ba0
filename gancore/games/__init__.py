"""The games: who plays, and what each player minimises."""

from gancore.games.gan import GAN, Batch, Game

__all__ = ["GAN", "Batch", "Game"]
