"""What is done to a game beside its objective and its penalties, any number at once.

A remedy is one file that reads like its paper: a `Remedy` whose constructor takes its settings, each with what it may
be, and whose hooks do it (`remedy` says which there are). Its state is in buffers that lead with R, its randomness in a
stream of its own, and it knows of no other remedy. It is entered in REMEDIES.
"""

from gancore.remedies.adagan import AdaGAN
from gancore.remedies.averaging import Averaging
from gancore.remedies.feature_matching import FeatureMatching
from gancore.remedies.history import OldDiscriminators, OldGenerators
from gancore.remedies.mode_seeking import ModeSeeking
from gancore.remedies.packing import Packing
from gancore.remedies.pulling_away import PullingAway
from gancore.remedies.remedy import Remedies, Remedy
from gancore.remedies.replay import Replay
from gancore.remedies.transport import Transport
from gancore.remedies.unrolling import Unrolling

REMEDIES = {
    "adagan": AdaGAN,
    "averaging": Averaging,
    "feature_matching": FeatureMatching,
    "mode_seeking": ModeSeeking,
    "old_discriminators": OldDiscriminators,
    "old_generators": OldGenerators,
    "packing": Packing,
    "pulling_away": PullingAway,
    "replay": Replay,
    "transport": Transport,
    "unrolling": Unrolling,
}

__all__ = ["REMEDIES", "Remedies", "Remedy"]
