"""Methods of notebook 07: what each changes in the base recipe, the place that is tuned, and its four values.

The first value is the paper's own where it names one. Check: PYTHONPATH=. python drafts/07_methods.py
"""

from gancore.divergences import DIVERGENCES

P, R = "penalties", "remedies"
RATE = "players.generator.optimiser.rate"
RATES = [1e-3, 3e-4, 3e-3, 1e-2]


def penalty(*names, **more):
    """One penalty or several, the first's weight tuned."""
    return {P: [{"name": name, "weight": 1.0, **more} for name in names]}


def remedy(name, **settings):
    return {R: [{"name": name, **settings}]}


PAIRS = {"game": "bigan"}
METHODS = {
    # objectives: the generator's and the discriminator's rate is tuned
    "minimax": ({"objective": "minimax"}, "rate", RATES),
    "non-saturating": ({}, "rate", RATES),
    "LSGAN": ({"objective": "least_squares"}, "rate", RATES),
    "hinge": ({"objective": "hinge"}, "rate", RATES),
    "WGAN, clipped": ({"objective": "wasserstein", "players.discriminator.clip": 0.01, "turns": {"discriminator": 5}},
                      "players.discriminator.clip", [0.01, 0.03, 0.1, 0.3]),
    "WGAN-GP": ({"objective": "wasserstein", "turns": {"discriminator": 5}, **penalty("wgan_gp")}, "penalties.0.weight", [10.0, 1.0, 0.1, 30.0]),
    **{f"f-GAN, {f}": ({"objective": {"name": "f_gan_non_saturating", "divergence": f}}, "rate", RATES) for f in DIVERGENCES},
    "relativistic": ({"objective": "relativistic"}, "rate", RATES),
    # penalties
    "R1": (penalty("r1"), "penalties.0.weight", [1.0, 0.1, 0.01, 10.0]),
    "R2": (penalty("r2"), "penalties.0.weight", [1.0, 0.1, 0.01, 10.0]),
    "R1 + R2": (penalty("r1", "r2"), "both weights", [1.0, 0.1, 0.01, 10.0]),
    "relativistic + R1": ({"objective": "relativistic", **penalty("r1")}, "penalties.0.weight", [1.0, 0.1, 0.01, 10.0]),
    "relativistic + R1 + R2": ({"objective": "relativistic", **penalty("r1", "r2")}, "both weights", [1.0, 0.1, 0.01, 10.0]),
    "zero-centred": (penalty("zero_centred"), "penalties.0.weight", [1.0, 0.1, 0.01, 10.0]),
    # remedies
    "unrolled 1": (remedy("unrolling", steps=1), "rate", RATES),
    "unrolled 5": (remedy("unrolling", steps=5), "rate", RATES),
    "unrolled 10": (remedy("unrolling", steps=10), "rate", RATES),
    "packing 2": (remedy("packing", size=2), "rate", RATES),
    "packing 4": (remedy("packing", size=4), "rate", RATES),
    "replay": (remedy("replay", share=0.5), "remedies.0.share", [0.5, 0.25, 0.1, 0.75]),
    "old discriminators": (remedy("old_discriminators", share=0.5), "remedies.0.share", [0.5, 0.25, 0.1, 0.75]),
    "old generators": (remedy("old_generators", share=0.5), "remedies.0.share", [0.5, 0.25, 0.1, 0.75]),
    "minibatch discrimination": ({"players.discriminator.network": "minibatch", "players.discriminator.kernels": 16, "players.discriminator.kernel_dimensions": 8},
                                 "players.discriminator.kernels", [16, 8, 32, 64]),
    "feature matching": (remedy("feature_matching", weight=1.0), "rate", RATES),
    "feature matching, mixed": (remedy("feature_matching", weight=1.0, adversarial=1.0), "remedies.0.weight", [1.0, 0.1, 10.0, 0.01]),
    "mode seeking": (remedy("mode_seeking", weight=1.0), "remedies.0.weight", [1.0, 0.1, 10.0, 0.01]),
    "transport": (remedy("transport", weight=0.1), "remedies.0.weight", [0.1, 0.01, 1.0, 10.0]),  # latents = dimensions
    "averaging": (remedy("averaging", share=0.005), "remedies.0.share", [0.005, 0.001, 0.02, 0.1]),
    "AdaGAN": (remedy("adagan", components=5, steps=0), "remedies.0.components", [5, 3, 8, 10]),
    # games
    "EBGAN": ({"game": "ebgan", "objective": None, "margin": 1.0}, "margin", [1.0, 0.1, 10.0, 0.01]),
    "EBGAN + pulling away": ({"game": "ebgan", "objective": None, "margin": 1.0, **remedy("pulling_away", weight=0.1)}, "margin", [1.0, 0.1, 10.0, 0.01]),
    "MMD GAN": ({"game": "mmd_gan", "objective": None, "kernel": {"name": "rational_quadratic"}}, "rate", RATES),
    "VEEGAN": ({"game": "veegan"}, "rate", RATES),
    "ALI / BiGAN": (PAIRS, "rate", RATES),
    "BiGAN + PGP": ({**PAIRS, P: [{"name": "pairwise", "weight": 1.0}]}, "penalties.0.weight", [1.0, 0.1, 0.03, 10.0]),
}

if __name__ == "__main__":
    print(len(METHODS), "methods x 4 values")
