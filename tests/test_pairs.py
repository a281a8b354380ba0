"""What is observed of a generator and an encoder, against players made by hand and plain loops."""

import itertools

import numpy as np
import pytest
import torch
from arms import ADAM, CPU, NORMAL_THROUGHOUT, bigan, encoder_alone, player
from scipy import stats

from gancore.data.images import TrafficScene, traffic
from gancore.data.mixtures import Line
from gancore.data.targets import Pictures
from gancore.errors import StudyError
from gancore.observers import observers
from gancore.recipes.build import population
from gancore.streams import generator_of
from gancore.study.results import Store, as_dataset
from gancore.training.loop import train

SEEDS = [3, 8]
POINTS = 501  # odd, so that there is one middle point


def watched(recipe, device=CPU, **players):
    """What is observed at step 0 with some of the players replaced, by name."""
    runs = population(recipe, SEEDS, device)
    runs.game.players |= players
    (observer,) = observers(recipe["observe"], recipe["steps"], runs).values()
    return runs, observer.measure({})


def inverting(**spaces):
    return bigan(observe={"inversions": {"times": 1, "points": POINTS}}, **spaces)


def points_of(seed, count=POINTS):
    """The real points and latents on which a seed's run is judged: (count, 1) each."""
    real = Line(5, 0.05).draw(count)(generator_of(seed, "evaluation"), 1)[0]
    return real, generator_of(seed, "evaluation").random((count, 1), dtype=np.float32)


def filled(network, weight, bias):
    """A linear network of a single layer, the same for every run."""
    network[0].weight.data[:], network[0].bias.data[:] = weight, bias
    return network


def linear_pair(device):
    """A generator x = 2 z - 1, and its inverse."""
    recipe = inverting()
    recipe["players"] |= {name: player([], "identity") for name in ("generator", "encoder")}
    networks = population(recipe, SEEDS, device).game.players
    return filled(networks["generator"], 2, -1), filled(networks["encoder"], 0.5, 0.5)


def test_players_that_invert_each_other_have_no_error(device):
    generator, encoder = linear_pair(device)
    _, found = watched(inverting(), device, generator=generator, encoder=encoder)
    assert found["x_error"].tolist() == pytest.approx([0, 0], abs=1e-6)
    assert found["z_error"].tolist() == pytest.approx([0, 0], abs=1e-6)
    codes = [(points_of(seed)[0][:, 0] + 1) / 2 for seed in SEEDS]
    expected = [stats.kstest(code.clip(0, 1), "uniform").statistic for code in codes]
    assert found["ks"].tolist() == pytest.approx(expected, abs=1e-5)


def test_players_that_have_nothing_to_do_with_each_other_are_wrong_by_as_much_as_another_point():
    square = {"name": "uniform", "dimensions": 2}
    recipe = inverting(target=square, latent=square)
    _, found = watched(recipe, generator=lambda z: z, encoder=lambda x: x.roll(7, 1))
    for name in ("x_error", "z_error"):
        assert found[name].tolist() == pytest.approx([1, 1], abs=0.12)
    assert found["ks"].max() < 2 / POINTS**0.5


def test_errors_are_medians_over_the_points_of_each_run(device):
    runs, found = watched(inverting(), device)
    generator, encoder = (runs.game.players[name] for name in ("generator", "encoder"))
    for run, seed in enumerate(SEEDS):
        real, z = points_of(seed)

        def through(x, *networks, run=run):
            x = torch.from_numpy(x).to(device).expand(len(SEEDS), -1, -1)
            for network in networks:
                x = network(x)
            return x[run].detach().cpu().numpy()

        for name, points, found_again in (
            ("x_error", real, through(real, encoder, generator)),
            ("z_error", z, through(z, generator, encoder)),
        ):
            apart = np.median(np.abs(points - np.roll(points, 1, 0)))
            expected = np.median(np.abs(points - found_again)) / apart
            assert found[name][run].item() == pytest.approx(expected, rel=1e-4)
        ks = stats.kstest(through(real, encoder)[:, 0], "uniform").statistic
        assert found["ks"][run].item() == pytest.approx(ks, abs=1e-5)


def sorting(points=POINTS):
    return encoder_alone(observe={"sorting": {"times": 1, "points": points}})


def modes_of(x):
    means = np.linspace(-1, 1, 5)
    return [min(range(5), key=lambda m: abs(means[m] - point)) for point in x]


def alike_by_hand(codes, modes):
    order = sorted(range(len(codes)), key=codes.__getitem__)
    return np.mean([modes[a] == modes[b] for a, b in itertools.pairwise(order)])


CODES = {
    "perfect": lambda x: x,
    "backwards": lambda x: -3 * x,
    "folded": lambda x: x.abs(),  # two modes on each other
    "periodic": lambda x: (40 * x).sin(),
}


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_neighbours_are_alike_as_often_as_in_a_loop_through_the_codes_in_order(code, device):
    _, found = watched(sorting(), device, generator=code)
    for run, seed in enumerate(SEEDS):
        x = points_of(seed)[0]
        expected = alike_by_hand(code(torch.from_numpy(x))[:, 0].tolist(), modes_of(x[:, 0]))
        assert found["neighbours_alike"][run].item() == pytest.approx(expected, abs=0.01)


def test_a_code_that_keeps_the_modes_apart_has_one_change_less_than_there_are_modes():
    _, found = watched(sorting(), generator=CODES["perfect"])
    assert found["neighbours_alike"].tolist() == pytest.approx([1 - 4 / (POINTS - 1)] * 2)
    _, folded = watched(sorting(), generator=CODES["folded"])
    assert folded["neighbours_alike"].max() < 0.75


PLANE = {"plane": {"times": 1, "places": 7, "reach": 1.5, "points": 30}}


def test_the_plane_is_the_discriminator_at_every_pair_and_each_player_along_its_side(device):
    recipe = bigan(observe=PLANE)
    runs, found = watched(recipe, device)
    generator, encoder, discriminator = runs.game.players.values()

    def everywhere(value):
        return torch.full((len(SEEDS), 1, 1), float(value), device=device)

    for row, x in enumerate(np.linspace(-1.5, 1.5, 7)):
        for column, z in enumerate(np.linspace(0, 1, 7)):
            score = discriminator(everywhere(x), everywhere(z))[:, 0, 0].tolist()
            probability = [1 / (1 + np.exp(-s)) for s in score]
            assert found["surface"][:, row, column].tolist() == pytest.approx(probability, abs=1e-5)
    for column, z in enumerate(np.linspace(0, 1, 7)):
        expected = generator(everywhere(z))[:, 0, 0].tolist()
        assert found["curve"][:, column].tolist() == pytest.approx(expected, abs=1e-5)
    for number, x in enumerate(points_of(0, 30)[0][:, 0]):
        assert found["codes"][:, number].tolist() == pytest.approx(encoder(everywhere(x))[:, 0, 0].tolist(), abs=1e-5)
    assert found["surface"].shape == (2, 7, 7) and found["codes"].shape == (2, 30)


def digits(pictures=6, between=5, **observe):
    players = {name: player([9], "tanh", ADAM, NORMAL_THROUGHOUT) for name in bigan()["players"]}
    return bigan(
        target={"name": "pictures", "images": "digits"},
        latent=3,
        players=players,
        observe=observe | {"reconstructions": {"times": 1, "pictures": pictures, "between": between}},
    )


def test_reconstructions_are_of_held_out_images_and_interpolations_lead_from_one_to_the_next(device):
    runs, found = watched(digits(), device)
    generator, encoder, _ = runs.game.players.values()
    x = Pictures("digits").held_out()[:6].to(device)
    code = encoder(x.expand(2, -1, -1))
    assert torch.equal(found["originals"][0], x)
    assert torch.allclose(found["reconstructions"], generator(code), atol=1e-5)
    ways = found["interpolations"].unflatten(1, (3, 5))
    for number in range(3):
        first, second = 2 * number, 2 * number + 1
        assert torch.allclose(ways[:, number, 0], found["reconstructions"][:, first], atol=1e-5)
        assert torch.allclose(ways[:, number, -1], found["reconstructions"][:, second], atol=1e-5)
        for place in range(5):
            at = code[:, first] + place / 4 * (code[:, second] - code[:, first])
            assert torch.allclose(ways[:, number, place], generator(at[:, None])[:, 0], atol=1e-5)


@pytest.mark.parametrize("pictures", [298, 3])
def test_more_reconstructions_than_held_out_images_or_an_odd_number_are_refused_in_a_sentence(pictures):
    with pytest.raises(StudyError, match=f"{pictures} held-out pictures: allowed is an even number up to all 297"):
        watched(digits(pictures))


RECIPES = {
    "line": bigan(
        steps=4,
        observe=PLANE
        | {
            "inversions": {"times": 2, "points": 20},
            "measures": {"times": 2, "points": 50},
            "snapshots": {"times": 2, "points": 9},
            "portraits": {"times": 1, "points": 11},
        },
    ),
    "digits": digits(plates={"times": 1, "pictures": 4}) | {"steps": 4},
    "encoder": encoder_alone(
        steps=4, observe={"sorting": {"times": 2, "points": 20}, "measures": {"times": 2, "points": 50}}
    ),
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_all_that_is_observed_is_stored_and_read_back_beside_the_other_kinds(recipe, tmp_path):
    runs = population(recipe, SEEDS, CPU)
    record = train(runs, 4, list(observers(recipe["observe"], recipe["steps"], runs).values()))
    store = Store(tmp_path)
    store.add("arm", recipe, as_dataset(recipe, runs, record), {})
    read = store.load("arm", recipe, SEEDS)
    coarse = {"plates", "originals", "reconstructions", "interpolations"}
    for name, values in record.observed.items():
        exact = torch.stack(values, 1).numpy()
        assert np.allclose(read[name], exact, atol=1.01 / 14 if name in coarse else 1.01 / 512), name
    assert read.player.values.tolist() == list(recipe["players"])


class Through(torch.nn.Module):
    """A player that does to its input what it is told."""

    def __init__(self, does):
        super().__init__()
        self.forward = does


VEHICLES = {"vehicles": {"times": 1, "frames": 5}}
CROSSING = bigan(target={"name": "traffic"}, observe=VEHICLES)
EMPTY = TrafficScene().background()


@pytest.mark.parametrize(
    ("generator", "kept", "traces"),
    [
        (lambda x: x, 1, 1),
        (lambda x: (x + EMPTY.to(x)) / 2, 0, 1),  # of half the strength
        (lambda x: EMPTY.to(x).expand_as(x), 0, 0),
    ],
    ids=["all", "ghosts", "nothing"],
)
def test_vehicles_are_kept_by_a_player_that_keeps_them(generator, kept, traces, device):
    _, found = watched(CROSSING, device, encoder=Through(lambda x: x), generator=Through(generator))
    assert found["vehicles_kept"].tolist() == [[kept] * 4] * 2
    assert found["traces_kept"].tolist() == [[traces] * 4] * 2


def test_a_vehicle_is_kept_in_its_own_lane_alone():
    eastbound = EMPTY + torch.from_numpy(traffic.templates()[0, 0])
    always = Through(lambda x: eastbound.to(x).expand_as(x))
    _, found = watched(CROSSING, encoder=Through(lambda x: x), generator=always)
    assert found["vehicles_kept"].tolist() == found["traces_kept"].tolist() == [[1] + [0] * 3] * 2


def test_vehicles_are_watched_in_a_traffic_scene_alone():
    with pytest.raises(StudyError, match=r"vehicles are observed .* allowed is a traffic scene"):
        watched(bigan(observe=VEHICLES))
