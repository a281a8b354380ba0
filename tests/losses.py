"""What the players of one ordinary GAN minimise, written as their papers or torch do: functions of scores (B, 1)."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import logsigmoid, mse_loss, relu

# f, f* and an activation by name: Nowozin et al. 2016, tables 1, 2 and 6, in their words.
TABLES = {
    "kl": (lambda u: u * u.log(), lambda t: (t - 1).exp(), lambda v: v),
    "reverse_kl": (lambda u: -u.log(), lambda t: -1 - (-t).log(), lambda v: -torch.exp(-v)),
    "pearson": (lambda u: (u - 1) ** 2, lambda t: t**2 / 4 + t, lambda v: v),
    "neyman": (lambda u: (1 - u) ** 2 / u, lambda t: 2 - 2 * (1 - t).sqrt(), lambda v: 1 - torch.exp(-v)),
    "squared_hellinger": (lambda u: (u.sqrt() - 1) ** 2, lambda t: t / (1 - t), lambda v: 1 - torch.exp(-v)),
    "jensen_shannon": (
        lambda u: u * u.log() - (u + 1) * ((u + 1) / 2).log(),
        lambda t: -(2 - t.exp()).log(),
        lambda v: torch.log(torch.tensor(2.0)) - torch.log(1 + torch.exp(-v)),
    ),
    "gan": (
        lambda u: u * u.log() - (u + 1) * (u + 1).log(),
        lambda t: -(1 - t.exp()).log(),
        lambda v: -torch.log(1 + torch.exp(-v)),
    ),
    "total_variation": (lambda u: (u - 1).abs() / 2, lambda t: t, lambda v: torch.tanh(v) / 2),
}


def entropies(real, fake):
    """The mean of the cross-entropies on real and on fake points."""
    return (cross_entropy(real, torch.ones_like(real)) + cross_entropy(fake, torch.zeros_like(fake))) / 2


def paired(winning, losing):
    """-log sigmoid of every pair's difference, one pair after the other."""
    return torch.stack([-logsigmoid(winning[i] - losing[i]) for i in range(len(winning))]).mean()


def averaged(winning, losing):
    """The cross-entropies of each score less the other kind's mean, one score after the other."""
    on_winning = torch.stack([-logsigmoid(score - losing.mean()) for score in winning]).mean()
    return (on_winning + torch.stack([-logsigmoid(winning.mean() - score) for score in losing]).mean()) / 2


def squares(x, y):
    return mse_loss(x, torch.full_like(x, y)) / 2


def variational(divergence):
    _, conjugate, activation = TABLES[divergence]
    return (
        lambda real, fake: conjugate(activation(fake)).mean() - activation(real).mean(),
        lambda real, fake: -conjugate(activation(fake)).mean(),
        lambda real, fake: -activation(fake).mean(),
    )


# By what a recipe says: the discriminator's loss and the generator's, of real and fake scores both.
LOSSES = [
    ("minimax", entropies, lambda real, fake: -cross_entropy(fake, torch.zeros_like(fake))),
    ("non_saturating", entropies, lambda real, fake: cross_entropy(fake, torch.ones_like(fake))),
    (
        "unseen_fakes",
        lambda real, fake: cross_entropy(real, torch.ones_like(real)),
        lambda real, fake: cross_entropy(fake, torch.ones_like(fake)),
    ),
    ("wasserstein", lambda real, fake: fake.mean() - real.mean(), lambda real, fake: -fake.mean()),
    ("hinge", lambda real, fake: relu(1 - real).mean() + relu(1 + fake).mean(), lambda real, fake: -fake.mean()),
    ("relativistic", paired, lambda real, fake: paired(fake, real)),
    ("relativistic_average", averaged, lambda real, fake: averaged(fake, real)),
    ("least_squares", lambda real, fake: squares(real, 1) + squares(fake, 0), lambda real, fake: squares(fake, 1)),
    (
        {"name": "least_squares", "a": -1, "b": 1, "c": 0},
        lambda real, fake: squares(real, 1) + squares(fake, -1),
        lambda real, fake: squares(fake, 0),
    ),
]
for name in TABLES:
    critic, saddle, trick = variational(name)
    LOSSES += [({"name": "f_gan", "divergence": name}, critic, saddle)]
    LOSSES += [({"name": "f_gan_non_saturating", "divergence": name}, critic, trick)]


def called(case):
    """The name of a case, for a test's."""
    return case if isinstance(case, str) else "-".join(str(part) for part in case.values())


NAMES = [called(spec) for spec, _, _ in LOSSES]
