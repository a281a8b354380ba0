"""Observers of a population that no recipe has made, of what a remedy shows, and of what one has described oneself."""

import pytest
import torch
from arms import CPU, same
from test_diverged import ring
from torch import nn

from gancore.data.latents import Normal
from gancore.data.mixtures import Ring
from gancore.errors import StudyError
from gancore.games import GAN
from gancore.landscape import pull
from gancore.metrics import MEASURES
from gancore.metrics.coverage import mixture_measures
from gancore.metrics.described import Family, Quantity, share
from gancore.nets.weighted import Weighted
from gancore.objectives import objective_of
from gancore.observers import KINDS, observers
from gancore.observers.kinds import Kind
from gancore.observers.planes import square
from gancore.observers.points import evaluation_points
from gancore.recipes.build import population
from gancore.streams import Stream, uniform
from gancore.study.results import Store, as_dataset, read
from gancore.training.loop import train
from gancore.training.optimisers import SGD
from gancore.training.population import Population

SEEDS, TARGET, LATENTS = [3, 8], Ring(3, 0.1), Normal(2)
WATCH = {
    "measures": {"times": 2, "points": 40, "which": ["captured", "recall", "energy_distance"]},
    "portraits": {"at": [0, 6], "points": 9},
    "field": {"at": [0, 6], "half_width": 1.5, "places": 3, "points": 6, "radii": [0.1]},
    "basins": {"times": 2, "directions": 2, "reach": 1.0, "places": 5},
}


class Squares(nn.Module):
    """A network of one's own, one a seed: (R, B, in) -> (R, B, out)."""

    def __init__(self, runs, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(runs, inputs, outputs, generator=torch.Generator().manual_seed(outputs)))

    def forward(self, x):
        return (x + 0.1 * x.square()) @ self.weight


def own(**told):
    players = {"generator": Squares(2, 2, 2), "discriminator": Squares(2, 2, 1)}
    draws = {"data": TARGET.draw(8), "latents": LATENTS.draw(8), "mixing": uniform((8, 1))}
    return Population(
        SEEDS,
        GAN(players, objective_of("non_saturating")),
        {name: SGD(list(network.parameters()), 0.05) for name, network in players.items()},
        *(Stream(SEEDS, name, draw, CPU) for name, draw in draws.items()),
        **told,
    )


def test_ones_own_modules_are_observed_and_labelled_without_a_recipe():
    runs = own(target=TARGET, latents=LATENTS)
    record = train(runs, 6, list(observers(WATCH, 6, runs).values()))
    z = torch.stack([evaluation_points(LATENTS, seed, 40) for seed in SEEDS])
    fakes = runs.game.generator(z).detach()
    assert torch.equal(record.observed["captured"][-1], mixture_measures(fakes, TARGET)["captured"])
    assert torch.allclose(record.observed["portraits"][-1], runs.game.generator(z[:, :9]), atol=1e-6)
    stored = as_dataset({"steps": 6, "observe": WATCH}, runs, record)
    assert dict(stored.sizes) | {"seed": 2, "step": 3, "moment": 2, "place": 9, "loss_step": 6} == dict(stored.sizes)
    assert set(stored) >= {"captured", "recall", "energy_distance", "turned"} and "held" not in stored


@pytest.mark.parametrize(("told", "word"), [({"latents": LATENTS}, "target"), ({"target": TARGET}, "latents")])
def test_a_population_that_was_not_told_what_is_asked_for_says_what_it_takes(told, word):
    with pytest.raises(StudyError, match=f"the {word} of the runs is asked for: allowed is .* told its `{word}`"):
        observers({"measures": WATCH["measures"]}, 6, own(**told))
    assert train(own(), 2).step == 2


def test_a_discriminator_that_looks_across_its_batch_has_no_score_of_a_point_alone():
    runs = own(target=TARGET, latents=LATENTS)
    runs.game.players["discriminator"].looks_across = True
    with pytest.raises(StudyError, match="discriminator judges a point by its batch"):
        observers({"basins": WATCH["basins"]}, 6, runs)


AVERAGING = {"name": "averaging", "share": 0.3, "players": ["generator", "discriminator"]}
SHOWN = {"portraits": {"at": [8], "points": 9}, "arrows": {"at": [8], "half_width": 1.5, "places": 3}}


def averages_of(player, steps, share):
    """The average of a player's weights over a training without a remedy, and the runs at its end."""
    runs = population(ring(), SEEDS, CPU)
    averages = [weight.detach().clone() for weight in runs.game.players[player].parameters()]
    for step in range(steps):
        runs.move(*runs.draw(step))
        for average, weight in zip(averages, runs.game.players[player].parameters(), strict=True):
            average += share * (weight.detach() - average)
    return averages, runs


def test_the_average_is_what_is_observed_and_the_plain_player_is_what_plays():
    recipe = ring(**SHOWN) | {"remedies": [AVERAGING], "steps": 8}
    runs = population(recipe, SEEDS, CPU)
    observed = train(runs, 8, list(observers(SHOWN, 8, runs).values())).observed
    averages, plain = averages_of("generator", 8, 0.3)
    for player, network in plain.game.players.items():
        assert same(list(runs.game.players[player].parameters()), list(network.parameters()))
    z = torch.stack([evaluation_points(Normal(2), seed, 9) for seed in SEEDS])
    (portraits,), generator = observed["portraits"], plain.game.players["generator"]
    assert torch.allclose(portraits, Weighted(generator, averages)(z), atol=1e-5)
    assert not torch.allclose(portraits, generator(z), atol=1e-3)
    averages, _ = averages_of("discriminator", 8, 0.3)
    x, discriminator = square(1.5, 3).expand(2, -1, -1), plain.game.players["discriminator"]
    assert torch.allclose(observed["arrows"][0], pull(Weighted(discriminator, averages), x)[:1], atol=1e-5)
    assert not torch.allclose(observed["arrows"][0], pull(discriminator, x)[:1], atol=1e-4)


@pytest.mark.parametrize("watch", [WATCH, {"snapshots": {"times": 2, "points": 5}}], ids=["many", "one"])
def test_all_kinds_watch_an_averaged_pair_of_players(watch):
    recipe = ring(**watch) | {"remedies": [AVERAGING], "steps": 6}
    runs = population(recipe, SEEDS, CPU)
    record = train(runs, 6, list(observers(watch, 6, runs).values()))
    assert all(torch.stack(record.observed[name]).isfinite().any() for name in record.observed)


def test_a_measure_and_a_kind_of_ones_own_are_entered_observed_and_stored_as_described(monkeypatch, tmp_path):
    def width(x, target):
        return {"width_of_fakes": x.std(1).mean(1)}

    def corners(runs, moments, *, reach):
        return lambda earlier: {"corners": torch.full((len(runs.seeds), 4), reach * len(moments))}

    widths = Quantity("standard deviation of the fakes", unit="of the points", least=0)
    monkeypatch.setitem(MEASURES, "mine", Family(width, {"width_of_fakes": widths}, needs=("draw",), usual=False))
    monkeypatch.setitem(KINDS, "corners", Kind(corners, "page", {"corners": share("corners", "lower", ("corner",))}))
    observe = {
        "measures": {"times": 2, "points": 9, "which": ["width_of_fakes", "held"]},
        "corners": {"times": 1, "reach": 0.25},
    }
    recipe = ring(**observe)
    runs = population(recipe, SEEDS, CPU)
    trained = as_dataset(recipe, runs, train(runs, 2, list(observers(observe, 2, runs).values())))
    stored = read(Store(tmp_path).add("mine", recipe, trained, {}))
    assert stored.width_of_fakes.dims == ("seed", "step") and stored.corners.dims == ("seed", "page", "corner")
    assert stored.width_of_fakes.attrs == {"long_name": widths.says, "units": "of the points", "least": 0}
    assert stored.corners.attrs == {"long_name": "corners", "units": "1", "least": 0, "most": 1, "better": "lower"}
    assert stored.corners.values.tolist() == [[[0.5] * 4] * 2] * 2


@pytest.mark.parametrize(
    ("quantities", "sentence"),
    [({}, "unknown quantity of odd 'odd'"), ({"odd": share("odd", None, ("a", "b"))}, r"odd of odd is \(2, 3\)")],
)
def test_what_is_not_as_described_is_refused_before_the_first_step(quantities, sentence, monkeypatch):
    monkeypatch.setitem(KINDS, "odd", Kind(lambda runs: lambda earlier: {"odd": torch.zeros(2, 3)}, "page", quantities))
    runs = population(ring(), SEEDS, CPU)
    before, told = [t.clone() for t in runs.state()], []
    with pytest.raises(StudyError, match=sentence):
        train(runs, 2, list(observers({"odd": {"times": 1}}, 2, runs).values()), progress=told.append)
    assert same(runs.state(), before) and told == []
