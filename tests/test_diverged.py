"""Runs that have diverged, through every measure and every observer: NaN for them, nothing changed for the others."""

import inspect
import math

import pytest
import torch
from arms import ADAM, CPU, bigan, encoder_alone, moons, player
from test_guided import CODED, SECTIONED, UNIFORM, digits_recipe
from torch.testing import assert_close

from gancore.data.images import CLASSES, TrafficScene
from gancore.data.latents import Uniform
from gancore.data.mixtures import Grid, Line, Moons, Ring, Wheel
from gancore.data.targets import LabelledPictures, Pictures
from gancore.errors import StudyError
from gancore.games import GAN
from gancore.judges.classifier import judge
from gancore.judges.guide import class_moments
from gancore.metrics import MEASURES, coverage, images, neighbours, pictures, ranks, two_sample
from gancore.metrics.modes import modes_of
from gancore.objectives import objective_of
from gancore.observers import KINDS, observers
from gancore.recipes.build import population
from gancore.streams import Stream, normal, uniform
from gancore.study.results import as_dataset
from gancore.training.loop import train
from gancore.training.optimisers import SGD
from gancore.training.population import Population

RING = Ring(4, 0.1)
TARGETS = [
    Moons(),
    Line(3, 0.1),
    RING,
    Grid(2, 1.0, 0.1),
    Wheel(3, 0.1, 0.5),
    Uniform(2),
    Pictures("digits"),
    LabelledPictures("digits"),
    TrafficScene(),
]
LABELS = (torch.arange(40) % CLASSES).expand(3, -1)
MOMENTS = class_moments(torch.rand(200, 6), torch.arange(200) % CLASSES, CLASSES)

# Every measure of samples (R, n, ...), and the dimensions of a point that it takes.
SAMPLES = {
    **{
        f"{name} of {target}": (lambda x, family=family, target=target: family.measure(x, target), target.dimensions)
        for name, family in MEASURES.items()
        for target in TARGETS
        if family.suits(target)
    },
    "rarer_share": (lambda x: coverage.rarer_share(x, Moons()), 2),
    "distance_to_arcs": (lambda x: coverage.distance_to_arcs(x, Moons()), 2),
    "arc_coverage": (lambda x: coverage.arc_coverage(x, Moons()), 2),
    "off_arcs": (lambda x: coverage.off_arcs(x, Moons()), 2),
    "energy_distance": (lambda x: two_sample.energy_distance(x, torch.rand(9, 2, generator=seeded())), 2),
    "kolmogorov_smirnov": (two_sample.kolmogorov_smirnov, 2),
    "rank_correlation": (lambda x: ranks.rank_correlation(x[..., 0], x[..., 1]), 2),
    "class_measures": (lambda x: pictures.class_measures(x[:, 0].abs()), 4),
    "inception_score": (lambda x: images.inception_score(x.softmax(2)), 5),
    "variance_ratio": (lambda x: images.variance_ratio(x, LABELS[: len(x)], MOMENTS), 6),
    "similarity_within": (lambda x: images.similarity_within(x, LABELS[: len(x)], CLASSES, 3), 64),
    "frechet_distance": (lambda x: images.frechet_distance(images.gaussian_of(x), images.gaussian_of(x[0] + 1)), 3),
}


def seeded():
    return torch.Generator().manual_seed(0)


def named(found):
    return found if isinstance(found, dict) else {"value": found}


@pytest.mark.parametrize("place", ["everywhere", "one number"])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_measure_is_nan_for_a_diverged_run_and_unmoved_for_its_neighbour(name, place):
    measure, dimensions = SAMPLES[name]
    x = torch.rand(1, 40, dimensions, generator=seeded()).expand(3, -1, -1).clone()
    for run, value in ((1, math.nan), (2, math.inf)):
        x[run, : 1 if place == "one number" else None, : 1 if place == "one number" else None] = value
    alone = named(measure(x[:1]))
    for key, value in named(measure(x)).items():
        assert_close(value[:1], alone[key])
        assert value[0].isfinite().all() and value[1:].isnan().all(), key


def test_every_measure_of_samples_is_among_those_that_are_tried():
    rooms = (coverage, images, neighbours, pictures, ranks, two_sample)
    takes_samples = [
        name
        for room in rooms
        for name, function in inspect.getmembers(room, inspect.isfunction)
        if function.__module__ == room.__name__
        and next(iter(inspect.signature(function).parameters)) in ("x", "features", "probabilities", "a")
        and not name.startswith("_")
    ]
    whole = {name for name in takes_samples if name.endswith("_measures")}
    assert whole <= {family.measure.__name__ for family in MEASURES.values()} | {"class_measures"}
    assert all(any(family.suits(target) for target in TARGETS) for family in MEASURES.values())
    assert set(takes_samples) - whole - {"gaussian_of", "ms_ssim"} <= SAMPLES.keys()


def test_a_judge_names_no_class_for_what_is_no_image():
    x = Pictures("digits").held_out()[:4].clone()
    named_before = judge("digits")(x)
    x[1, 3], x[2] = math.nan, math.inf
    assert judge("digits")(x).tolist() == [named_before[0], CLASSES, CLASSES, named_before[3]]
    assert modes_of(Pictures("digits")).shares(x[None, 1:3]).sum() == 0


def test_points_that_are_nowhere_have_no_divergence_and_one_image_no_frechet_distance():
    target = Ring(5, 0.1)
    assert coverage.mixture_measures(torch.full((1, 9, 2), math.nan), target)["reverse_kl"].isnan().all()
    assert coverage.reverse_kl(torch.zeros(1, 5), target.weights()).isnan().all()
    many, one = torch.rand(30, 4, generator=seeded()), torch.rand(1, 4, generator=seeded())
    for pair in ((one, many), (many, one)):
        assert images.frechet_distance(*map(images.gaussian_of, pair)).isnan()


RING_SPEC = {"name": "ring", "modes": 3, "deviation": 0.1}
COMMON = player([6], "tanh", ADAM, UNIFORM)
PAIR_PLAYERS = {name: COMMON for name in ("generator", "encoder", "discriminator")}


def ring(**observe):
    return moons(steps=2, observe=observe) | {"target": RING_SPEC}


def on_line(**observe):
    return moons(steps=2, observe=observe) | {"target": {"name": "line", "modes": 2, "deviation": 0.1}}


def of_digits(game="gan", latent=3, **observe):
    return digits_recipe(game, latent, observe=observe) | {"steps": 2}


def pairs_of_digits(**observe):
    return digits_recipe("bigan", 3, players=PAIR_PLAYERS, observe=observe) | {"steps": 2}


ONCE = {"times": 1}
CLIMB = {"stride": 0.1, "strides": 3, "reach": 0.5}
OBSERVED = {
    "measures": lambda spec: ring(measures=spec | {"points": 9}),
    "snapshots": lambda spec: ring(snapshots=spec | {"points": 9}),
    "portraits": lambda spec: ring(portraits=spec | {"points": 9}),
    "scores_on_line": lambda spec: on_line(scores_on_line=spec | {"half_width": 1.5, "places": 3}),
    "arrows": lambda spec: ring(arrows=spec | {"half_width": 1.5, "places": 3}),
    "field": lambda spec: ring(field=spec | {"half_width": 1.5, "places": 3, "points": 6, "radii": [0.1]}),
    "basins": lambda spec: ring(basins=spec | {"directions": 2, "reach": 1.0, "places": 5}),
    "drawn_to": lambda spec: ring(drawn_to=spec | {"points": 6, **CLIMB}),
    "attractors": lambda spec: ring(attractors=spec | {"half_width": 1.5, "places": 3, **CLIMB}),
    "plates": lambda spec: of_digits(plates=spec | {"pictures": 3}),
    "scanned": lambda spec: of_digits(scanned=spec | {"pictures": 3}),
    "scores": lambda spec: of_digits(scores=spec | {"pictures": 3}),
    "scans": lambda spec: of_digits(
        scans=spec | {"pictures": 3, "directions": 2, "reaches": [1.0], "places": 5, "kept": 1}
    ),
    "shares": lambda spec: of_digits(shares=spec | {"points": 9}),
    "sections": lambda spec: of_digits("guided", SECTIONED, sections=spec | {"points": 20}),
    "quality": lambda spec: of_digits("guided", CODED, quality=spec | {"points": 40}),
    "realism": lambda spec: of_digits(realism=spec | {"points": 40}),
    "pulls": lambda spec: of_digits("guided", SECTIONED, pulls=spec),
    "inversions": lambda spec: bigan(steps=2, observe={"inversions": spec | {"points": 9}}),
    "sorting": lambda spec: encoder_alone(steps=2, observe={"sorting": spec | {"points": 9}}),
    "plane": lambda spec: bigan(steps=2, observe={"plane": spec | {"places": 3, "reach": 1.0, "points": 4}}),
    "segments": lambda spec: bigan(steps=2, observe={"segments": spec | {"points": 4, "places": 2}}),
    "units": lambda spec: bigan(steps=2, observe={"units": spec | {"points": 9}}),
    "reconstructions": lambda spec: pairs_of_digits(reconstructions=spec | {"pictures": 2, "between": 3}),
    "vehicles": lambda spec: bigan(steps=2, target={"name": "traffic"}, observe={"vehicles": spec | {"frames": 2}}),
    "neighbours": lambda spec: pairs_of_digits(neighbours=spec | {"points": 40}),
    "arithmetic": lambda spec: pairs_of_digits(arithmetic=spec | {"points": 5}),
    "representation": lambda spec: pairs_of_digits(representation=spec | {"points": 40}),
}
# What is the data's own, or asked of it, whatever the run.
OF_THE_DATA = {"originals", "labels", "real_fid", "real_ms_ssim", "pixel_probe", "pixel_nearest"}


def test_every_kind_of_observation_is_tried():
    assert OBSERVED.keys() == KINDS.keys()


def observed(recipe, seeds, broken):
    """What is observed at step 0 of runs some of which, by their index, have one number or all parameters replaced."""
    runs = population(recipe, seeds, CPU)
    for run, value in broken.items():
        for optimiser in runs.optimisers.values():
            for parameter in optimiser.parameters:
                parameter.data[run] = value
    (observer,) = observers(recipe["observe"], recipe["steps"], runs).values()
    return observer.measure({})


@pytest.mark.parametrize("kind", KINDS)
def test_an_observer_is_nan_for_a_diverged_run_and_unmoved_for_its_neighbour(kind):
    recipe = OBSERVED[kind](ONCE)
    alone = observed(recipe, [3], {})
    for name, value in observed(recipe, [3, 4, 5], {1: math.nan, 2: math.inf}).items():
        assert_close(value[:1], alone[name], rtol=1e-4, atol=1e-5, equal_nan=True)
        assert value[1:].isnan().all(), name
    for first in observed(recipe, [3, 4], {0: math.nan}).values():
        assert first[0].isnan().all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_observer_takes_points_beyond_all_bounds(kind):
    observed(OBSERVED[kind](ONCE), [3, 4], {1: 1e30})


def test_a_cell_that_diverges_leaves_its_neighbours_as_they_are():
    recipe = of_digits(measures={"times": 4, "points": 50}, plates={"at": [8], "pictures": 2})
    rate = {"sets": ["players.discriminator.optimiser.rate"], "values": [1e-3, 1e30]}
    deep = player([16, 16], "leaky_relu", ADAM, {"name": "he"})
    players = {"generator": deep | {"output": "tanh"}, "discriminator": deep}
    recipe |= {"objective": "wasserstein", "steps": 8, "players": players, "sweep": {"rate": rate}}
    runs = population(recipe, [0, 1], CPU)
    stored = as_dataset(
        recipe, runs, train(runs, 8, list(observers(recipe["observe"], recipe["steps"], runs).values()))
    )
    alone = {**recipe, "sweep": {"rate": rate | {"values": [1e-3]}}}
    healthy = population(alone, [0, 1], CPU)
    expected = as_dataset(
        alone, healthy, train(healthy, 8, list(observers(alone["observe"], alone["steps"], healthy).values()))
    )
    assert (stored.diverged.sel(rate=1e-3) == -1).all() and (stored.diverged.sel(rate=1e30) >= 0).all()
    assert stored.sel(rate=1e30)[["classes", "class_kl"]].isel(step=-1).isnull().to_array().all()
    for name in ("classes", "class_kl", "first_losses"):
        assert_close(
            torch.tensor(stored[name].sel(rate=1e-3).values), torch.tensor(expected[name].sel(rate=1e-3).values)
        )


class Shared(torch.nn.Module):
    """A network of one's own without an axis of runs, whose outer sizes are those that a game asks for."""

    def __init__(self, inputs, outputs, normalised=False):
        super().__init__()
        self.body = torch.nn.Linear(inputs, outputs)
        self.norm = torch.nn.BatchNorm1d(3) if normalised else torch.nn.Identity()

    def forward(self, x):
        return self.body(x)


def own_population(generator, discriminator, seeds=(0, 1, 2)):
    players = {"generator": generator, "discriminator": discriminator}
    draws = {"data": normal((4, 2)), "latents": normal((4, 2)), "mixing": uniform((4, 1))}
    return Population(
        list(seeds),
        GAN(players, objective_of("minimax")),
        {name: SGD(list(network.parameters()), 0.1) for name, network in players.items()},
        *(Stream(list(seeds), name, draw, CPU) for name, draw in draws.items()),
    )


def test_own_networks_that_the_runs_would_share_are_refused():
    with pytest.raises(StudyError, match=r"body.weight of the generator has the shape \(2, 2\): .* begins with 3"):
        own_population(Shared(2, 2), Shared(2, 1))
    stacked = population(moons(), [0, 1, 2], CPU).game.players
    own_population(stacked["generator"], stacked["discriminator"])
    with pytest.raises(StudyError, match=r"weight of the discriminator has the shape \(1, 2\)"):
        own_population(stacked["generator"], Shared(2, 1))
    with pytest.raises(StudyError, match="begins with 2"):
        own_population(*stacked.values(), seeds=[0, 1])


def test_own_networks_with_a_buffer_that_the_runs_would_share_are_refused():
    stacked = population(moons(), [0, 1, 2], CPU).game.players
    stacked["generator"].register_buffer("count", torch.tensor(0))
    with pytest.raises(StudyError, match=r"count of the generator has the shape \(\)"):
        own_population(*stacked.values())
