"""The games: who plays, and what each player minimises."""

from gancore.games.autoencoder import Autoencoder
from gancore.games.bigan import BiGAN
from gancore.games.conditional import Conditional
from gancore.games.gan import GAN, Batch, Game
from gancore.games.guided import Guided, GuidedAlone

GAMES = {
    "gan": GAN,
    "bigan": BiGAN,
    "autoencoder": Autoencoder,
    "conditional": Conditional,
    "guided": Guided,
    "guided_alone": GuidedAlone,
}

__all__ = ["GAMES", "GAN", "Autoencoder", "Batch", "BiGAN", "Conditional", "Game", "Guided", "GuidedAlone"]
