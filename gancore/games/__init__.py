"""The games: who plays, and what each player minimises, nothing else.

A game names its PLAYERS in the order in which they move, each with the role by which a network is built for it; what
its recipe ASKS for and TAKES beside; its PENALTIES; and which remedies are UNSUITED to it. `batch` computes once what
the losses share, and `loss` gives what a player minimises, (R,). It is entered in GAMES.
"""

from gancore.games.acgan import ACGAN
from gancore.games.autoencoder import Autoencoder
from gancore.games.bigan import BiGAN
from gancore.games.conditional import Conditional
from gancore.games.ebgan import EBGAN
from gancore.games.fake_class import FakeClass
from gancore.games.gan import GAN, Batch, Game
from gancore.games.guided import Guided, GuidedAlone
from gancore.games.mmd import MMDGAN
from gancore.games.veegan import VEEGAN

GAMES = {
    "gan": GAN,
    "bigan": BiGAN,
    "autoencoder": Autoencoder,
    "conditional": Conditional,
    "acgan": ACGAN,
    "fake_class": FakeClass,
    "ebgan": EBGAN,
    "mmd_gan": MMDGAN,
    "guided": Guided,
    "guided_alone": GuidedAlone,
    "veegan": VEEGAN,
}

__all__ = [
    "ACGAN",
    "EBGAN",
    "GAMES",
    "GAN",
    "MMDGAN",
    "VEEGAN",
    "Autoencoder",
    "Batch",
    "BiGAN",
    "Conditional",
    "FakeClass",
    "Game",
    "Guided",
    "GuidedAlone",
]
