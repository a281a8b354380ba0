import numpy as np
import pytest
import torch

from gancore.data.images import TrafficScene, street
from gancore.data.images.traffic import TABLE
from gancore.errors import StudyError
from gancore.metrics.traffic import traffic_measures
from gancore.streams import Stream

SCENE = TrafficScene()
BACKGROUND = 119, -13759  # how many greys, and the sum of all, in steps of 1 / 128
LANES = range(len(SCENE.lanes))
SCENES = [
    SCENE,
    TrafficScene(noise=0.01, light=0.15),
    TrafficScene(noise=0.1, light=0.15),
    TrafficScene(side=48),
    TrafficScene(side=33),
]


def frames(scene, present, seed=0):
    return torch.from_numpy(scene.frames(np.asarray(present), np.random.default_rng(seed)))


def balanced(count, seed=0):
    """A vehicle in each lane with probability a half, whatever happens in the others."""
    return np.random.default_rng(seed).random((count, len(LANES))) < 0.5


def accuracies(seen, present):
    """Accuracy, recall and precision of each lane, (3, lanes)."""
    seen, present = seen.numpy(), np.asarray(present)
    both = (seen & present).sum(0)
    return np.array([(seen == present).mean(0), both / present.sum(0), both / seen.sum(0)])


def test_the_table_says_what_the_frequencies_are():
    by_hand = [sum(share for kind, share in TABLE.items() if lane in kind) for lane in SCENE.lanes]
    np.testing.assert_allclose(SCENE.frequencies(), by_hand)
    assert SCENE.empty() == pytest.approx(0.9)
    assert (min(by_hand), max(by_hand)) == (pytest.approx(0.005), pytest.approx(0.039))
    assert sum(share for kind, share in TABLE.items() if len(kind) == 2) == pytest.approx(0.005)


def test_vehicles_appear_together_and_as_often_as_the_table_says():
    count = 20_000
    _, present = SCENE.labelled(count, np.random.default_rng(1))
    expected = np.append(SCENE.frequencies(), SCENE.empty())
    found = np.append(present.mean(0), (~present.any(1)).mean())
    assert (abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / count)).all()
    assert {tuple(np.array(SCENE.lanes)[row]) for row in present} == {(), *TABLE}


@pytest.mark.parametrize("rush", [0.1, 1, 5, 10])
def test_at_rush_hour_every_vehicle_is_so_many_times_as_frequent(rush):
    scene = TrafficScene(rush=rush)
    np.testing.assert_allclose(scene.frequencies(), rush * SCENE.frequencies())
    assert scene.empty() == pytest.approx(1 - rush * 0.1)
    _, present = scene.labelled(20_000, np.random.default_rng(2))
    np.testing.assert_allclose(present.mean(0), scene.frequencies(), atol=0.015)
    assert (~present.any(1)).mean() == pytest.approx(scene.empty(), abs=0.015)


@pytest.mark.parametrize("side", [32, 33, 48])
def test_no_pixel_belongs_to_two_lanes(side):
    touched = (street.templates(side) != 0).any(1)
    assert touched.sum(0).max() == 1
    assert (touched.any(0) != street.still(side)).all()


def test_every_vehicle_contrasts_clearly_with_the_road():
    templates = street.templates(32)
    touched = abs(templates) > 0.05
    assert touched.sum(-1).min() >= 24
    assert ((templates**2).sum(-1) / touched.sum(-1)).min() ** 0.5 > 8 * SCENE.noise


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_each_lane_is_recognised_rightly_where_vehicles_are_frequent(scene):
    present = balanced(1000)
    assert accuracies(scene.recognise(frames(scene, present)), present).min() >= 0.99


@pytest.mark.parametrize("lane", LANES)
def test_a_single_vehicle_on_an_empty_crossing_is_recognised_in_its_lane_alone(lane):
    present = np.zeros((300, len(LANES)), bool)
    present[:150, lane] = True
    seen = SCENE.recognise(frames(SCENE, present)).numpy()
    assert (seen == present).mean(0).min() >= 0.99


def test_labelled_frames_are_recognised_as_they_are_labelled():
    x, present = SCENE.labelled(5000, np.random.default_rng(3))
    assert accuracies(SCENE.recognise(torch.from_numpy(x)), present).min() >= 0.99
    assert SCENE.is_scene(torch.from_numpy(x)).float().mean() >= 0.99


@pytest.mark.parametrize("contrast", [0.85, 1.15])
@pytest.mark.parametrize("brightness", [-0.15, 0.15])
def test_light_at_its_extremes_fools_nobody(contrast, brightness):
    present = balanced(500)
    x = (frames(TrafficScene(light=0), present) * contrast + brightness).clamp(-1, 1)
    assert accuracies(SCENE.recognise(x), present).min() >= 0.99
    assert SCENE.is_scene(x).float().mean() >= 0.99


@pytest.mark.parametrize("lane", LANES)
def test_the_average_of_all_frames_with_a_vehicle_is_not_a_vehicle(lane):
    x = frames(TrafficScene(light=0), np.eye(len(LANES), dtype=bool)[[lane] * 2000]).mean(0)
    assert not SCENE.recognise(x).any()


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("paint", range(2))
def test_the_average_of_all_vehicles_of_one_paint_is_neither_a_vehicle_nor_a_scene(lane, paint):
    of_one_paint = street.templates(32)[lane].reshape(2, -1, SCENE.dimensions)[paint]
    x = SCENE.background() + torch.from_numpy(of_one_paint.mean(0))
    assert not SCENE.recognise(x).any() and not SCENE.is_scene(x)


@pytest.mark.parametrize("part", [0.5, 2.0])
def test_a_ghost_and_a_glare_are_neither_vehicles_nor_scenes(part):
    x = SCENE.background() + part * torch.from_numpy(street.templates(32)[:, ::7]).flatten(0, 1)
    assert not SCENE.recognise(x).any() and not SCENE.is_scene(x).any()


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("paint", range(2))
def test_a_blurred_or_faint_vehicle_is_a_trace_of_one_in_its_lane_alone(lane, paint):
    of_one_paint = torch.from_numpy(street.templates(32)[lane].reshape(2, -1, SCENE.dimensions)[paint])
    blurred, faint, fainter = of_one_paint.mean(0), 0.5 * of_one_paint[0], 0.2 * of_one_paint[0]
    x = SCENE.background() + torch.stack([blurred, faint, fainter])
    assert not SCENE.recognise(x).any()
    assert SCENE.trace(x).sum(-1).tolist() == [1, 1, 0] and SCENE.trace(x)[:2, lane].all()


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_every_vehicle_leaves_a_trace_and_an_empty_lane_none(scene):
    present = balanced(2000)
    assert np.array_equal(scene.trace(frames(scene, present)).numpy(), present)


NOISE = torch.Generator().manual_seed(0)
RUBBISH = {
    "uniform noise": 2 * torch.rand(1000, 1024, generator=NOISE) - 1,
    "normal noise": torch.randn(1000, 1024, generator=NOISE).clamp(-1, 1),
    "constant grey": torch.linspace(-1, 1, 41)[:, None].expand(-1, 1024),
    "a scene under heavy noise": SCENE.background() + 0.5 * torch.randn(1000, 1024, generator=NOISE),
    "a negative": -frames(SCENE, np.zeros((100, 8), bool)),
}


@pytest.mark.parametrize("name", RUBBISH)
def test_what_is_no_scene_shows_no_vehicle(name):
    assert not SCENE.recognise(RUBBISH[name]).any()
    assert not SCENE.is_scene(RUBBISH[name]).any()


def test_the_background_alone_is_an_empty_scene():
    assert not SCENE.recognise(SCENE.background()).any() and SCENE.is_scene(SCENE.background())


def test_a_scene_with_a_strange_patch_is_no_scene():
    x = frames(SCENE, np.zeros((100, 8), bool)).view(-1, 32, 32)
    assert SCENE.is_scene(x.flatten(1)).all()
    x[:, 26:30, 2:6] = 0.9
    assert not SCENE.is_scene(x.flatten(1)).any()


def test_the_recogniser_is_the_same_for_any_leading_shape_and_any_number_at_once(monkeypatch):
    present = balanced(60)
    x = frames(SCENE, present)
    one_by_one = torch.stack([SCENE.recognise(frame) for frame in x])
    monkeypatch.setattr("gancore.data.images.traffic.FRAMES_AT_ONCE", 7)
    assert torch.equal(SCENE.recognise(x.view(3, 4, 5, -1)).flatten(0, 2), one_by_one)
    assert torch.equal(SCENE.is_scene(x.view(3, 20, -1)), torch.stack([SCENE.is_scene(f) for f in x]).view(3, 20))


def test_a_frame_is_light_times_scene_plus_noise():
    scene = TrafficScene(noise=0.02, light=0.1)
    x = frames(scene, np.zeros((4000, 8), bool))
    contrast, brightness = np.polyfit(scene.background().numpy(), x.numpy().T, 1)
    for light, middle in ((contrast, 1), (brightness, 0)):
        assert abs(light.mean() - middle) < 0.005 and abs(light.std() - 0.1 / np.sqrt(3)) < 0.003
        assert 0.095 < abs(light - middle).max() < 0.105
    left = x.numpy() - contrast[:, None] * scene.background().numpy() - brightness[:, None]
    assert left.std() == pytest.approx(0.02, rel=0.01)


def test_streams_of_frames_are_fresh_each_step_and_the_same_for_the_same_seed():
    def stream():
        return Stream([0, 1, 0], "real", SCENE.draw(4), torch.device("cpu"))

    first, again = stream(), stream()
    x = torch.stack([first(step) for step in range(3)])
    assert x.shape == (3, 3, 4, SCENE.dimensions) and x.dtype == torch.float32 and x.abs().max() <= 1
    assert torch.equal(x, torch.stack([again(step) for step in range(3)]))
    assert torch.equal(x[:, 0], x[:, 2])
    assert len(x[:, :2].reshape(-1, SCENE.dimensions).unique(dim=0)) == 24


def test_the_background_never_changes():
    grey = SCENE.background()
    assert grey.abs().max() < 0.85 and torch.equal(grey * 128, (grey * 128).round())
    assert (len(grey.unique()), (grey * 128).long().sum().item()) == BACKGROUND


def test_measures_of_true_frames_are_those_of_the_truth():
    x, _ = SCENE.labelled(8000, np.random.default_rng(4))
    measures = traffic_measures(torch.from_numpy(x).view(2, 4000, -1), SCENE)
    assert measures["lanes_found"].tolist() == [8, 8]
    assert (measures["frequency_ratio"] - 1).abs().max() < 0.7 and measures["frequency_ratio"].shape == (2, 8)
    assert (measures["empty_share"] - 0.9).abs().max() < 0.02
    assert measures["high_quality"].min() > 0.99


def test_measures_of_runs_that_dropped_modes():
    empty = np.zeros((1000, 8), bool)
    two, flooded = empty.copy(), ~empty
    two[:20, 0], two[20:22, 1] = True, True  # 2 % and 0.2 %, where the scene has 3.9 % and 2.4 %
    x = torch.stack([frames(SCENE, present) for present in (empty, two, flooded)] + [RUBBISH["uniform noise"]])
    measures = traffic_measures(x, SCENE)
    assert measures["lanes_found"].tolist() == [0, 1, 8, 0]
    np.testing.assert_allclose(measures["frequency_ratio"][1, :3], [0.02 / 0.039, 0.002 / 0.024, 0], rtol=1e-5)
    np.testing.assert_allclose(measures["empty_share"], [1, 0.978, 0, 1], rtol=1e-6)
    assert measures["high_quality"].tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize("bad", [{"side": 8}, {"side": 500}, {"noise": 0.0}, {"noise": 1.0}, {"light": 0.5}])
def test_a_scene_that_cannot_be_told_is_refused(bad):
    ((name, value),) = bad.items()
    with pytest.raises(StudyError, match=f"{name} of a traffic scene = {value}: allowed is"):
        TrafficScene(**bad)
