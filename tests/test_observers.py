"""What is observed, against direct computations with one ordinary network per run."""

import copy
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from arms import CPU, ordinary, player, same
from scipy import stats

from gancore.data.mixtures import Ring
from gancore.data.targets import Pictures
from gancore.errors import StudyError
from gancore.landscape import basin_widths
from gancore.metrics.coverage import mixture_measures
from gancore.observers import observers, planes, points
from gancore.observers.pictures import _shortened
from gancore.recipes.build import population
from gancore.streams import generator_of
from gancore.study.results import Store, as_dataset
from gancore.training.loop import train

SEEDS, STEPS = [3, 8], 30
MODES, POINTS, PLACES, HALF_WIDTH, RADII = 6, 64, 9, 1.6, [0.04, 0.2, 0.5]
WATCH = {
    "measures": {"times": 2, "points": 200},
    "basins": {"times": 2, "directions": 4, "reach": 1.0, "places": 41},
    "snapshots": {"times": 3, "points": POINTS},
    "arrows": {"times": 3, "half_width": HALF_WIDTH, "places": PLACES},
    "portraits": {"times": 3, "points": 10},
    "field": {"times": 3, "points": POINTS, "half_width": HALF_WIDTH, "places": PLACES, "radii": RADII},
}
MOMENTS = [0, 10, 20, 30]


def ring(observe=WATCH):
    fast = {"name": "adam", "rate": 2e-2, "beta1": 0.5}
    return {
        "target": {"name": "ring", "modes": MODES, "deviation": 0.02},
        "latent": 2,
        "batch": 32,
        "objective": "non_saturating",
        "players": {
            "generator": player([12], "relu", fast, {"name": "he"}),
            "discriminator": player([16, 8], "tanh", fast),
        },
        "steps": STEPS,
        "observe": observe,
    }


def watched(recipe, device=CPU, seeds=SEEDS):
    runs = population(recipe, seeds, device)
    return runs, train(runs, recipe["steps"], list(observers(recipe["observe"], recipe["steps"], runs).values()))


@pytest.mark.parametrize(("half_width", "places"), [(1.6, 17), (1.8, 13), (1.0, 25), (3.0, 10)])
def test_the_places_of_a_square_are_rounded_once_as_on_any_processor(half_width, places):
    side = np.float32([half_width * float(Fraction(2 * i, places - 1) - 1) for i in range(places)])
    expected = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
    assert abs(planes.square(half_width, places).numpy() - expected).max() < 1e-9  # a last bit is 100 times as much


def alone(runs, run):
    """A run's generator and discriminator as they are now, ordinary and in double precision."""
    players = [copy.deepcopy(network).cpu() for network in runs.game.players.values()]
    return [ordinary(network, run, kind) for network, kind in zip(players, ("relu", "tanh"), strict=True)]


@torch.no_grad()
def fakes_of(generator, seed, count, latent=2):
    z = generator_of(seed, "evaluation").standard_normal((count, latent), np.float32)
    return generator(torch.from_numpy(z).double())


def slope_at(discriminator, point):
    point = point.clone().double().requires_grad_()
    return torch.autograd.grad(discriminator(point), point)[0]


def square():
    side = np.linspace(-HALF_WIDTH, HALF_WIDTH, PLACES)
    return torch.tensor([(x, y) for x in side for y in side])


def cosine(a, b):
    return (a @ b / (a.norm() * b.norm())).item()


@pytest.fixture
def trained(device):
    return watched(ring(), device)


def last(record, name, run=0):
    return record.observed[name][-1][run].double()


def test_points_are_what_the_generator_makes_of_latents_that_stay_the_same(trained):
    runs, record = trained
    for run, seed in enumerate(SEEDS):
        generator, _ = alone(runs, run)
        assert torch.allclose(last(record, "portraits", run), fakes_of(generator, seed, 10), atol=1e-5)
    assert torch.allclose(last(record, "snapshots"), fakes_of(alone(runs, 0)[0], SEEDS[0], POINTS), atol=1e-5)
    assert {tuple(points.shape) for points in record.observed["snapshots"]} == {(1, POINTS, 2)}


def test_points_generated_in_parts_are_the_points(monkeypatch):
    recipe = ring({"portraits": {"times": 1, "points": 50}})
    _, whole = watched(recipe)
    monkeypatch.setattr(points, "CHUNK", 4 * 7)  # 7 points of 2 runs and 2 dimensions
    _, in_parts = watched(recipe)
    for found, expected in zip(in_parts.observed["portraits"], whole.observed["portraits"], strict=True):
        assert torch.allclose(found, expected, atol=1e-6)


def test_the_measures_are_those_of_the_generated_points(trained):
    runs, record = trained
    for run, seed in enumerate(SEEDS):
        fakes = fakes_of(alone(runs, run)[0], seed, 200)[None]
        for name, value in mixture_measures(fakes, Ring(MODES, 0.02)).items():
            assert last(record, name, run).tolist() == pytest.approx(value[0].tolist(), abs=1e-5)
            assert len(record.observed[name]) == 3


def test_arrows_point_where_the_generators_loss_falls(trained):
    runs, record = trained
    _, discriminator = alone(runs, 0)
    found = last(record, "arrows")
    for place, point in enumerate(square()):
        expected = (1 - discriminator(point).sigmoid()) * slope_at(discriminator, point)
        assert torch.allclose(found[place], expected, atol=1e-5)
    assert record.observed["arrows"][-1].shape == (1, PLACES**2, 2)


def test_basins_are_measured_through_every_mean_along_the_same_directions(trained):
    runs, record = trained
    ways = torch.from_numpy(generator_of(0, "directions").standard_normal((4, 2)))
    offsets = torch.linspace(-1, 1, 41, dtype=torch.float64)
    for run in range(len(SEEDS)):
        _, discriminator = alone(runs, run)
        lines = [
            mean + offsets[:, None] * way / way.norm() for mean in Ring(MODES, 0.02).means().double() for way in ways
        ]
        widths = [basin_widths(discriminator(line)[:, 0].detach(), offsets).item() for line in lines]
        assert last(record, "basin_width", run).item() == pytest.approx(np.mean(widths), abs=0.05 / len(lines))


def test_the_field_is_a_direct_computation_at_the_last_step(trained):
    runs, record = trained
    x, means = square(), Ring(MODES, 0.02).means().double()
    for run, seed in enumerate(SEEDS):
        generator, discriminator = alone(runs, run)
        fakes = fakes_of(generator, seed, POINTS)
        nearest = [min(fakes, key=lambda fake, p=point: (p - fake).norm().item()) for point in x]
        distances = [(point - fake).norm().item() for point, fake in zip(x, nearest, strict=True)]
        scores = [discriminator(point).item() for point in x]
        agreement = []
        for cluster in (fakes, points.evaluation_points(Ring(MODES, 0.02), seed, POINTS).double()):
            groups = [[] for _ in means]
            for point in cluster:
                slope = slope_at(discriminator, point)
                mode = min(range(MODES), key=lambda m, f=point: (means[m] - f).norm().item())
                groups[mode].append(slope / slope.norm())
            agreement.append(sum(torch.stack(group).sum(0).norm().item() for group in groups if group) / POINTS)
        correlation = stats.spearmanr(scores, distances).statistic
        assert last(record, "distance_correlation", run).item() == pytest.approx(correlation, abs=1e-3)
        found = [last(record, name, run).item() for name in ("agreement", "agreement_real")]
        assert found == pytest.approx(agreement, abs=1e-4)


def test_peaks_are_the_share_of_the_means_whose_disc_is_higher_inside_than_on_its_rim(trained):
    runs, record = trained
    circle = [(math.cos(2 * math.pi * a / 16), math.sin(2 * math.pi * a / 16)) for a in range(16)]
    found = []
    for run, (number, radius) in itertools.product(range(len(SEEDS)), enumerate(RADII)):
        _, discriminator = alone(runs, run)
        higher = 0
        for mean in Ring(MODES, 0.02).means().double():
            rings = [
                max(discriminator(mean + radius * r / 5 * torch.tensor(way).double()).item() for way in circle)
                for r in range(6)
            ]
            higher += max(rings[:-1]) > rings[-1]
        found.append(last(record, "peaks", run)[number].item())
        assert found[-1] == pytest.approx(higher / MODES)
    assert len(set(found)) > 1


def test_the_past_is_remembered_as_by_a_loop_that_keeps_its_own_fakes_and_fields(device):
    (_, record), moved = watched(ring(), device), population(ring({}), SEEDS, device)
    fakes, fields = [[] for _ in SEEDS], [[] for _ in SEEDS]
    for step in range(STEPS + 1):
        if step in MOMENTS:
            now = MOMENTS.index(step)
            for run, seed in enumerate(SEEDS):
                generator, discriminator = alone(moved, run)
                fakes[run].append(fakes_of(generator, seed, POINTS))
                fields[run].append([slope_at(discriminator, point) for point in square()])
                real = [
                    discriminator(x.double()).item() for x in points.evaluation_points(Ring(MODES, 0.02), seed, POINTS)
                ]
                told = [
                    np.mean([r > discriminator(fake).item() for fake in earlier for r in real])
                    for earlier in fakes[run]
                ]
                pairs = list(zip(fields[run][-1], square(), strict=True))
                turned = [
                    np.mean([cosine(a, b) < 0 for a, b in zip(fields[run][-1], earlier, strict=True)])
                    for earlier in fields[run]
                ]
                away = [
                    np.mean([cosine(a, p - min(e, key=lambda f, p=p: (p - f).norm().item())) for a, p in pairs])
                    for e in fakes[run]
                ]
                for name, expected in (("told_apart", told), ("turned", turned), ("away", away)):
                    found = record.observed[name][now][run]
                    assert found[: now + 1].tolist() == pytest.approx(expected, abs=1e-6)
                    assert found.isnan().tolist() == [False] * (now + 1) + [True] * (len(MOMENTS) - now - 1)
        moved.move(*moved.draw(step))
    last_told, last_turned = (record.observed[name][-1] for name in ("told_apart", "turned"))
    assert len(set(last_told.flatten().tolist())) > 2 and last_turned[:, 0].min() > 0 and not last_turned[:, -1].any()


CLIMB = {"stride": 0.05, "strides": 12, "reach": 0.6}


def test_where_the_ways_up_end_is_counted_mode_by_mode_as_by_a_loop():
    recipe = ring(
        {
            "drawn_to": {"times": 1, "points": 20, **CLIMB},
            "attractors": {"times": 1, "half_width": HALF_WIDTH, "places": 5, **CLIMB},
        }
    )
    runs, record = watched(recipe)
    means = Ring(MODES, 0.02).means().double()

    def mode_above(discriminator, point):
        for _ in range(CLIMB["strides"]):
            slope = slope_at(discriminator, point)
            point = point + CLIMB["stride"] * slope / slope.norm()
        distances = (means - point).norm(dim=1)
        return distances.argmin().item() if distances.min() <= CLIMB["reach"] else -1

    for run, seed in enumerate(SEEDS):
        generator, discriminator = alone(runs, run)
        ends = [mode_above(discriminator, fake) for fake in fakes_of(generator, seed, 20)]
        assert last(record, "drawn_to", run).tolist() == pytest.approx([ends.count(k) / 20 for k in range(MODES)])
    side = torch.linspace(-HALF_WIDTH, HALF_WIDTH, 5).double()
    found = [mode_above(alone(runs, 0)[1], place) for place in torch.cartesian_prod(side, side)]
    assert record.observed["attractor"][-1].tolist() == [found] and len(set(found)) > 2


@pytest.mark.parametrize("stop", [5, 10, 25])
def test_a_watched_training_that_is_resumed_remembers_the_same_bits(stop, device, tmp_path):
    first, resumed, whole = (population(ring(), SEEDS, device) for _ in range(3))
    watching = [list(observers(ring()["observe"], ring()["steps"], runs).values()) for runs in (first, resumed, whole)]
    train(first, stop, watching[0], tmp_path / "ring.pt", every_seconds=0.0)
    found = train(resumed, STEPS, watching[1], tmp_path / "ring.pt").observed
    expected = train(whole, STEPS, watching[2]).observed
    assert found.keys() == expected.keys() >= {"told_apart", "turned", "_fakes"}
    assert all(same(found[name], values) for name, values in expected.items())


def test_what_is_named_with_an_underscore_is_not_stored_and_all_else_is(tmp_path):
    runs, record = watched(ring())
    stored, store = as_dataset(ring(), runs, record), Store(tmp_path)
    hidden = {name for name in record.observed if name.startswith("_")}
    assert hidden == {"_fakes", "_fields"}
    assert set(stored.data_vars) == set(record.observed) - hidden | {"diverged", "first_losses", "losses"}
    store.add("ring", ring(), stored, {})
    read = store.load("ring", ring(), SEEDS)
    for name in set(record.observed) - hidden:
        exact = torch.stack(record.observed[name], 1).numpy()
        assert np.allclose(read[name], exact, atol=1.01 / 512, equal_nan=True), name
    sizes = dict(moment=4, frame=4, step=3, earlier=4, radius=len(RADII), spot=PLACES**2, point=POINTS)
    assert sizes.items() <= dict(read.sizes).items()


def test_an_unknown_kind_of_observation_is_refused_with_the_known_ones():
    recipe = ring({"feild": {"times": 2}})
    with pytest.raises(StudyError, match=r"unknown kind of observation 'feild': allowed are .*field"):
        observers(recipe["observe"], recipe["steps"], population(recipe, [0], CPU))


@pytest.mark.parametrize("clock", [{"times": 5}, {"at": [0, 10, 21, 30]}])
def test_kinds_of_one_clock_at_different_steps_are_refused_before_the_training(clock):
    recipe = ring(WATCH | {"portraits": {"points": 10} | clock})
    with pytest.raises(StudyError, match="portraits and field share the clock 'moment'"):
        observers(recipe["observe"], recipe["steps"], population(recipe, [0], CPU))


SHOWN, WAYS, WINDOWS, ON_LINE, KEPT, PIXELS = 4, 2, [0.5, 3.0], 21, 2, 64
LOOK = {
    "plates": {"times": 2, "pictures": 5},
    "scanned": {"times": 2, "pictures": KEPT},
    "scores": {"times": 2, "pictures": SHOWN},
    "scans": {
        "times": 2,
        "pictures": SHOWN,
        "directions": WAYS,
        "reaches": WINDOWS,
        "places": ON_LINE,
        "kept": KEPT,
    },
}


def digits(observe=LOOK, first=50):
    recipe = ring(observe) | {"target": {"name": "pictures", "images": "digits", "first": first}, "latent": 4}
    recipe["players"]["generator"]["output"] = "tanh"
    return recipe


@pytest.fixture
def of_digits(device):
    return watched(digits(), device)


def groups_of(runs, run):
    """The pictures that are looked at, by kind, and the run's discriminator."""
    generator, discriminator = alone(runs, run)
    made = fakes_of(torch.nn.Sequential(generator, torch.nn.Tanh()), SEEDS[run], SHOWN, 4)
    target = Pictures("digits", 50)
    return [target.training()[:SHOWN].double(), target.held_out()[:SHOWN].double(), made], discriminator


def test_plates_are_generated_images(of_digits):
    runs, record = of_digits
    for run, seed in enumerate(SEEDS):
        generator = torch.nn.Sequential(alone(runs, run)[0], torch.nn.Tanh())
        assert torch.allclose(last(record, "plates", run), fakes_of(generator, seed, 5, 4), atol=1e-5)
    assert {tuple(plates.shape) for plates in record.observed["plates"]} == {(len(SEEDS), 5, PIXELS)}


def test_scores_and_slopes_are_of_training_held_out_and_generated_images_in_turn(of_digits):
    runs, record = of_digits
    for run in range(len(SEEDS)):
        groups, discriminator = groups_of(runs, run)
        scores = [[discriminator(image).item() for image in group] for group in groups]
        slopes = [[slope_at(discriminator, image).norm().item() for image in group] for group in groups]
        for name, expected in (("scores", scores), ("slopes", slopes)):
            assert torch.allclose(last(record, name, run), torch.tensor(expected).double(), rtol=1e-3, atol=1e-5)


def test_the_scanned_images_are_the_first_of_each_kind(of_digits):
    runs, record = of_digits
    for run in range(len(SEEDS)):
        expected = torch.stack([group[:KEPT] for group in groups_of(runs, run)[0]])
        assert torch.allclose(last(record, "scanned", run), expected, atol=1e-5)


def expected_scans(runs, run):
    """(3, pictures, directions, windows, places), one line at a time."""
    groups, discriminator = groups_of(runs, run)
    rng = generator_of(0, "directions")
    ways = [*rng.standard_normal((WAYS, PIXELS)), rng.random(PIXELS)]
    found = np.empty((3, SHOWN, WAYS + 1, len(WINDOWS), ON_LINE))
    for kind, picture, way, window in itertools.product(*map(range, found.shape[:-1])):
        unit = torch.from_numpy(ways[way] / np.linalg.norm(ways[way]))
        line = groups[kind][picture] + torch.linspace(-1, 1, ON_LINE)[:, None] * WINDOWS[window] * unit
        found[kind, picture, way, window] = discriminator(line)[:, 0].detach()
    return found


def test_scans_go_through_each_image_along_each_direction_in_each_window(of_digits):
    runs, record = of_digits
    for run in range(len(SEEDS)):
        scans = expected_scans(runs, run)
        assert np.allclose(last(record, "_scans", run), scans, atol=1e-5)
        centred = scans - scans[..., [ON_LINE // 2]]
        assert np.allclose(last(record, "scans", run), centred[:, :KEPT], rtol=1e-3, atol=1e-5)


def test_every_scan_is_judged_for_its_peak_and_width(of_digits):
    _, record = of_digits
    scans = record.observed["_scans"][-1]
    peak, width = record.observed["peak"][-1], record.observed["width"][-1]
    for place in itertools.product(*map(range, scans.shape[:-1])):
        scan, offsets = scans[place].double(), WINDOWS[place[-1]] * torch.linspace(-1, 1, ON_LINE).double()
        near = [abs(k) <= 0.1 * WINDOWS[place[-1]] + 1e-6 for k in offsets.tolist()]
        highest = max(range(ON_LINE), key=lambda k, scan=scan: scan[k].item())
        assert peak[place] == near[highest]
        assert width[place].item() == pytest.approx(basin_widths(scan, offsets).item(), rel=1e-3)
    assert 0 < peak.mean() < 1 and ((width > 0) == (peak > 0)).all()


def test_a_scan_is_steady_as_far_as_it_correlates_with_the_one_before(of_digits):
    _, record = of_digits
    scans, steady = record.observed["_scans"], record.observed["steady"]
    assert steady[0].isnan().all()
    for before, now, found in zip(scans[:-1], scans[1:], steady[1:], strict=True):
        for place in itertools.product(*map(range, found.shape)):
            expected = np.corrcoef(before[place].double(), now[place].double())[0, 1]
            assert found[place].item() == pytest.approx(expected, abs=2e-3)
    assert steady[-1].min() < 0.99


def test_pictures_are_stored_by_kind_image_direction_and_window(tmp_path):
    runs, record = watched(digits())
    Store(tmp_path).add("digits", digits(), as_dataset(digits(), runs, record), {})
    read = Store(tmp_path).load("digits", digits(), SEEDS)
    lines = ("seed", "moment", "kind", "picture", "direction", "window")
    shapes = {
        "scores": (("seed", "moment", "kind", "sample"), (2, 3, 3, SHOWN)),
        "slopes": (("seed", "moment", "kind", "sample"), (2, 3, 3, SHOWN)),
        "plates": (("seed", "page", "image", "pixel"), (2, 3, 5, PIXELS)),
        "scanned": (("seed", "page", "kind", "kept", "pixel"), (2, 3, 3, KEPT, PIXELS)),
        "scans": (
            ("seed", "moment", "kind", "kept", "direction", "window", "place_on_line"),
            (2, 3, 3, KEPT, WAYS + 1, len(WINDOWS), ON_LINE),
        ),
    } | dict.fromkeys(("peak", "width", "steady"), (lines, (2, 3, 3, SHOWN, WAYS + 1, len(WINDOWS))))
    for name, (dims, shape) in shapes.items():
        assert read[name].dims == dims and read[name].shape == shape, name
        exact = torch.stack(record.observed[name], 1).numpy()
        grain = 1.01 / 14 if name in ("plates", "scanned") else 0
        assert np.allclose(read[name], exact, atol=grain, equal_nan=True), name
    assert "_scans" not in read


@pytest.mark.parametrize("kind", ["scores", "scans"])
def test_more_pictures_than_there_are_is_refused_in_a_sentence(kind):
    recipe = digits({kind: LOOK[kind]}, first=3)
    with pytest.raises(StudyError, match="4 pictures are observed: allowed are at most 3 of each kind"):
        observers(recipe["observe"], recipe["steps"], population(recipe, [0], CPU))


def test_shortened_numbers_keep_three_digits_and_every_nan():
    rng = np.random.default_rng(0)
    numbers = torch.from_numpy(rng.choice([-1, 1], 999) * np.exp(10 * rng.normal(size=999))).float()
    found = _shortened(numbers)
    assert ((found - numbers).abs() <= 2**-12 * numbers.abs()).all()
    assert not (found.view(torch.int32) & 0xFFF).any()
    of_a_gpu = torch.tensor([0x7FFFFFFF, 0x7FC00000, -1], dtype=torch.int32).view(torch.float32)
    assert _shortened(of_a_gpu).isnan().all()
    assert _shortened(torch.tensor([0.0, 1.0, -2.0, torch.inf])).tolist() == [0.0, 1.0, -2.0, torch.inf]
