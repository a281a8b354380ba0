"""Anyone's modules with a replica axis: as each network alone, one a seed, and refused where runs would not be."""

import pytest
import torch
from arms import CPU, drawn, slope_alone
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from gancore.data.latents import Normal
from gancore.data.mixtures import Ring
from gancore.errors import StudyError
from gancore.games import GAN
from gancore.metrics import measured
from gancore.nets.stacked import Stacked
from gancore.objectives import objective_of
from gancore.observers import observers
from gancore.observers.points import evaluated
from gancore.penalties import OF_POINTS, Penalty, r1
from gancore.remedies import Remedies
from gancore.remedies.unrolling import Unrolling
from gancore.training.loop import train
from gancore.training.optimisers import Adam
from gancore.training.populations import population_of


def generator():
    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))


def discriminator():
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))


def with_batch_statistics():
    norm = nn.BatchNorm1d(8, track_running_stats=False)
    return nn.Sequential(nn.Linear(2, 8), norm, nn.Tanh(), nn.Linear(8, 1))


def with_fixed_statistics():
    return nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1)).eval()


class Images(nn.Module):
    """Convolutions of images, (B, 1, 6, 6) -> (B, 1)."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 3, 3, stride=2), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(12, 1))

    def forward(self, x):
        return self.body(x)


class TwiceTheSame(nn.Module):
    """A weight used by two layers."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x).tanh())


def alone(make, stacked, run):
    """One run's network as an ordinary one."""
    network = make().double()
    state = {name.removeprefix("network."): value[run] for name, value in stacked.state_dict().items()}
    network.load_state_dict(state)
    return network


NETWORKS = {
    "linear": (discriminator, (2,)),
    "batch statistics": (with_batch_statistics, (2,)),
    "fixed statistics": (with_fixed_statistics, (2,)),
    "images": (Images, (1, 6, 6)),
    "shared weights": (TwiceTheSame, (2,)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_gradients_and_penalties_of_gradients_are_those_of_each_network_alone(name):
    make, shape = NETWORKS[name]
    stacked, x = Stacked(make, [4, 9, 2], "discriminator").double(), drawn(3, 5, *shape)
    parameters = list(stacked.parameters())
    gradients = torch.autograd.grad((stacked(x).mean((1, 2)) + r1(stacked, x)).sum(), parameters, allow_unused=True)
    for run in range(3):
        own = alone(make, stacked, run)
        assert_close(stacked(x)[run], own(x[run]))
        loss = own(x[run]).mean() + slope_alone(own, x[run]).flatten(1).square().sum(1).mean() / 2
        expected = torch.autograd.grad(loss, list(own.parameters()), allow_unused=True)
        for found, one in zip(gradients, expected, strict=True):
            assert_close(found[run] if one is not None else None, one)


@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=5, unique=True), st.data())
def test_a_network_is_its_constructors_for_its_seed_and_player_whatever_runs_beside_it(seeds, data):
    seed = data.draw(st.sampled_from(seeds))
    before = torch.get_rng_state()
    among, one = Stacked(generator, seeds, "generator"), Stacked(generator, [seed], "generator")
    other = Stacked(generator, [seed], "discriminator")
    assert torch.equal(before, torch.get_rng_state())
    for name, value in among.state_dict().items():
        assert torch.equal(value[seeds.index(seed)], one.state_dict()[name][0])
        assert not torch.equal(other.state_dict()[name], one.state_dict()[name])
        assert len({tuple(own.flatten().tolist()) for own in value}) == len(seeds)


def test_a_seed_that_two_runs_share_starts_both_alike_and_apart():
    stacked = Stacked(generator, [1, 1], "generator")
    weight = next(stacked.parameters())
    assert torch.equal(weight[0], weight[1])
    with torch.no_grad():
        weight[0] += 1
    assert not torch.equal(weight[0], weight[1])


def ring_of(seeds, remedies=(), device=CPU, make=(generator, discriminator)):
    """A population of a GAN on a ring, of ordinary modules."""
    names = ("generator", "discriminator")
    players = {name: Stacked(one, seeds, name).to(device) for name, one in zip(names, make, strict=True)}
    penalty = Penalty(OF_POINTS["r1"], torch.tensor(0.1, device=device))
    return population_of(
        seeds=seeds,
        game=GAN(players, objective_of("non_saturating"), [penalty]),
        optimisers={name: Adam(list(player.parameters()), 1e-3, 0.5) for name, player in players.items()},
        target=Ring(4, 0.1),
        latents=Normal(3),
        batch=16,
        remedies=Remedies(remedies),
        device=device,
    )


@pytest.mark.parametrize("remedies", [list, lambda: [Unrolling(2)]], ids=["plain", "unrolled"])
def test_a_seed_trains_alone_as_it_does_among_five(remedies, device):
    among, one = (ring_of(seeds, remedies(), device) for seeds in ([3, 5, 7, 11, 13], [7]))
    start = [value.clone() for value in one.state()]
    for runs in (among, one):
        train(runs, 10)
    for player, network in one.game.players.items():
        for name, value in network.state_dict().items():
            assert_close(among.game.players[player].state_dict()[name][2], value[0], rtol=1e-4, atol=1e-5)
    assert not any(torch.equal(a, b) for a, b in zip(start, one.state(), strict=True))


def test_a_discriminator_with_batch_statistics_is_shown_real_and_fake_points_apart():
    runs = ring_of([0, 1], make=(generator, with_batch_statistics))
    batch = runs.game.batch(*runs.draw(0))
    judge, objective = runs.game.discriminator, objective_of("non_saturating").discriminator
    apart = objective(judge(batch.real), judge(batch.fake)) + 0.1 * r1(judge, batch.real)
    assert_close(runs.game.loss("discriminator", batch), apart)


class Counting(nn.Linear):
    """A layer that counts how often it is called."""

    def __init__(self):
        super().__init__(2, 1)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return super().forward(x)


class Drawing(nn.Linear):
    """A layer that draws as it is called."""

    def forward(self, x):
        return super().forward(x + torch.randn_like(x))


class Choosing(nn.Linear):
    """A layer whose way hangs on what it is shown."""

    def forward(self, x):
        return super().forward(x) if x.sum() > 0 else x


ONE = discriminator()
ELSEWHERE = torch.Generator().manual_seed(0)


def drawn_elsewhere():
    network = discriminator()
    nn.init.normal_(network[0].weight, generator=ELSEWHERE)
    return network


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ONE, "one Sequential for several seeds: allowed"),
        (drawn_elsewhere, "0.weight of the discriminator starts otherwise each time"),
        (lambda: 3, "the discriminator is 3: allowed"),
        (lambda: nn.Sequential(discriminator(), nn.Dropout(0.5)), "Dropout, which draws from no run's seed: allowed"),
        (lambda: nn.Sequential(discriminator(), nn.BatchNorm1d(1)), "BatchNorm1d with running averages"),
        (lambda: nn.LazyLinear(1), "has no shape yet: allowed"),
        (Counting, "Counting changes its buffer calls"),
        (lambda: Drawing(2, 1), "Drawing cannot be computed for all runs at once"),
        (lambda: Choosing(2, 1), "Choosing cannot be computed for all runs at once"),
        (lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(2, 1)), "cannot be computed for all runs at once"),
    ],
)
def test_a_module_whose_runs_would_not_be_their_seeds_own_is_refused_in_a_sentence(make, sentence):
    with pytest.raises(StudyError, match=sentence):
        Stacked(make, [0, 1], "discriminator")(torch.ones(2, 4, 2))


def test_a_mistake_in_the_module_itself_is_shown_as_torch_says_it():
    with pytest.raises(RuntimeError, match="Expected size"):
        Stacked(discriminator, [0, 1], "discriminator")(torch.ones(2, 4, 3))


def test_a_population_of_ones_own_modules_is_measured_as_one_of_a_recipe_is():
    runs = ring_of([0, 1, 2])
    watched = observers({"measures": {"at": [0, 4], "points": 50}}, 4, runs)
    observed = train(runs, 4, watched.values()).observed
    with torch.no_grad():
        expected = measured(runs.game.generator(evaluated(Normal(3), runs, 50)), Ring(4, 0.1))
    assert observed.keys() == expected.keys()
    assert all(torch.equal(observed[name][-1].nan_to_num(), value.nan_to_num()) for name, value in expected.items())
