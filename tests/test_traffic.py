import numpy as np
import pytest
import torch

from gancore.data.images import TrafficScene, traffic
from gancore.errors import StudyError
from gancore.metrics.traffic import traffic_measures
from gancore.streams import Stream

SCENE = TrafficScene()
LANES = range(len(SCENE.lanes))
SCENES = [SCENE, TrafficScene(noise=0.005), TrafficScene(noise=0.1)]


def frames(scene, present, seed=0):
    return torch.from_numpy(scene.frames(np.asarray(present), np.random.default_rng(seed)))


def balanced(count, seed=0):
    """A vehicle in each lane with probability a half, whatever happens in the others."""
    return np.random.default_rng(seed).random((count, len(LANES))) < 0.5


def drawn(lane, place, strength=1.0):
    """The crossing with one vehicle, without noise: (D,)."""
    return SCENE.background() + strength * torch.from_numpy(traffic.templates()[lane, place])


def test_vehicles_appear_one_at_a_time_and_as_often_as_is_said():
    count = 20_000
    _, present = SCENE.labelled(count, np.random.default_rng(1))
    expected = np.append(SCENE.frequencies(), SCENE.empty())
    found = np.append(present.mean(0), (~present.any(1)).mean())
    assert (abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / count)).all()
    assert present.sum(1).max() == 1 and SCENE.empty() == pytest.approx(0.9)


@pytest.mark.parametrize("rush", [0.1, 1, 5, 10])
def test_at_rush_hour_every_vehicle_is_so_many_times_as_frequent(rush):
    scene = TrafficScene(rush=rush)
    np.testing.assert_allclose(scene.frequencies(), rush * SCENE.frequencies())
    assert scene.empty() == pytest.approx(1 - rush * 0.1)
    _, present = scene.labelled(20_000, np.random.default_rng(2))
    np.testing.assert_allclose(present.mean(0), scene.frequencies(), atol=0.015)


def test_a_vehicle_is_a_block_on_the_road_and_no_pixel_belongs_to_two_lanes():
    vehicles = traffic.templates() != 0
    assert (vehicles.sum(-1) == traffic.LENGTH * traffic.LANE).all()
    assert (SCENE.background().numpy()[vehicles.any((0, 1))] == np.float32(traffic.ASPHALT)).all()
    assert vehicles.any(1).sum(0).max() == 1


@pytest.mark.parametrize("rush", [1, 5, 10])
def test_the_mean_frame_is_the_mean_of_frames(rush):
    scene = TrafficScene(rush=rush)
    x, _ = scene.labelled(40_000, np.random.default_rng(3))
    assert abs(x.mean(0) - scene.mean().numpy()).max() < 0.02


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_each_lane_is_recognised_rightly_where_vehicles_are_frequent(scene):
    present = balanced(1000)
    x = frames(scene, present)
    assert (scene.recognise(x).numpy() == present).mean(0).min() >= 0.99
    assert (scene.trace(x).numpy() == present).mean(0).min() >= 0.99
    assert scene.is_scene(x).float().mean() >= 0.99


@pytest.mark.parametrize("lane", LANES)
def test_a_single_vehicle_is_recognised_in_its_lane_alone_wherever_it_is(lane):
    x = torch.stack([drawn(lane, place) for place in range(traffic.POSITIONS)])
    expected = torch.arange(len(LANES)) == lane
    assert (SCENE.recognise(x) == expected).all() and SCENE.is_scene(x).all()


@pytest.mark.parametrize("lane", LANES)
def test_the_average_of_all_vehicles_of_a_lane_is_a_trace_and_no_vehicle(lane):
    x = SCENE.background() + torch.from_numpy(traffic.templates()[lane].mean(0))
    assert not SCENE.recognise(x).any() and not SCENE.is_scene(x)
    assert SCENE.trace(x).tolist() == [other == lane for other in LANES]


@pytest.mark.parametrize(("strength", "vehicle", "trace"), [(0.1, 0, 0), (0.5, 0, 1), (0.8, 1, 1), (3.0, 0, 0)])
def test_ghosts_and_glares_are_told_from_vehicles(strength, vehicle, trace):
    x = torch.stack([drawn(lane, 1, strength) for lane in LANES])
    assert SCENE.recognise(x).sum() == vehicle * len(LANES) and SCENE.trace(x).sum() == trace * len(LANES)


RUBBISH = {
    "uniform noise": torch.rand(1000, SCENE.dimensions, generator=torch.Generator().manual_seed(0)) * 2 - 1,
    "grey": torch.zeros(1000, SCENE.dimensions),
    "a negative": -SCENE.background().expand(1000, -1),
}


@pytest.mark.parametrize("x", RUBBISH.values(), ids=list(RUBBISH))
def test_rubbish_shows_neither_vehicle_nor_scene(x):
    assert SCENE.recognise(x).float().mean() < 0.01 and not SCENE.is_scene(x).any()


def test_streams_of_frames_are_fresh_each_step_and_the_same_for_the_same_seed():
    def stream():
        return Stream([0, 1, 0], "real", SCENE.draw(4), torch.device("cpu"))

    first, again = stream(), stream()
    x = torch.stack([first(step) for step in range(3)])
    assert x.shape == (3, 3, 4, SCENE.dimensions) and x.dtype == torch.float32 and x.abs().max() <= 1
    assert torch.equal(x, torch.stack([again(step) for step in range(3)]))
    assert torch.equal(x[:, 0], x[:, 2])
    assert len(x[:, :2].reshape(-1, SCENE.dimensions).unique(dim=0)) == 24


def test_measures_of_true_frames_are_those_of_the_truth():
    x, _ = SCENE.labelled(8000, np.random.default_rng(4))
    measures = traffic_measures(torch.from_numpy(x).view(2, 4000, -1), SCENE)
    assert measures["lanes_found"].tolist() == [4, 4]
    assert (measures["frequency_ratio"] - 1).abs().max() < 0.5 and measures["frequency_ratio"].shape == (2, 4)
    assert (measures["empty_share"] - 0.9).abs().max() < 0.02
    assert measures["high_quality"].min() > 0.99


def test_measures_of_runs_that_dropped_modes():
    empty = np.zeros((1000, 4), bool)
    two, flooded = empty.copy(), ~empty
    two[:20, 0], two[20:22, 1] = True, True  # 2 % and 0.2 %, where the scene has 5 % and 2.5 %
    x = torch.stack([frames(SCENE, present) for present in (empty, two, flooded)] + [RUBBISH["uniform noise"]])
    measures = traffic_measures(x, SCENE)
    assert measures["lanes_found"].tolist() == [0, 1, 4, 0]
    np.testing.assert_allclose(measures["frequency_ratio"][1, :3], [0.02 / 0.05, 0.002 / 0.025, 0], rtol=1e-5)
    np.testing.assert_allclose(measures["empty_share"], [1, 0.978, 0, 1], rtol=1e-6)
    assert measures["high_quality"].tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize("bad", [{"noise": 0.0}, {"noise": 1.0}, {"rush": 11}, {"rush": 0}])
def test_a_scene_that_cannot_be_told_is_refused(bad):
    ((name, value),) = bad.items()
    with pytest.raises(StudyError, match=f"{name} of a traffic scene = {value}: allowed is"):
        TrafficScene(**bad)
