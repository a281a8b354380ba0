"""What claims on line-scans are decided by, on runs written by hand and against plain loops."""

import math

import numpy as np
import pytest
import xarray as xr

from gancore.study import scanned

SEEDS, MOMENTS, KINDS, KEPT, WAYS, WINDOWS, PLACES = 3, 4, 3, 2, 3, 2, 41
REACH = 10.0


@pytest.fixture
def run():
    """Three runs at four moments: scans of two images a kind, along two random directions and a positive one."""
    rng = np.random.default_rng(0)
    lines = ("seed", "moment", "kind", "picture", "direction", "window")
    shape = (SEEDS, MOMENTS, KINDS, KEPT, WAYS, WINDOWS)
    scans = rng.normal(size=(*shape, PLACES)).cumsum(-1)
    scans -= scans[..., [PLACES // 2]]
    found = {
        "peak": (lines, rng.integers(0, 2, shape).astype(float)),
        "steady": (lines, rng.uniform(-1, 1, shape)),
        "scans": (("seed", "moment", "kind", "kept", "direction", "window", "place_on_line"), scans),
        "scores": (("seed", "moment", "kind", "sample"), rng.normal(size=(SEEDS, MOMENTS, KINDS, 5))),
        "slopes": (("seed", "moment", "kind", "sample"), rng.uniform(0, 2, (SEEDS, MOMENTS, KINDS, 5))),
        "classes": (("seed", "step"), [[1.0, 10], [1, 2], [1, np.nan]]),
        "image_recall": (("seed", "step"), [[0.0, 0.5], [0, 0.1], [0, 0.9]]),
        "real_image_recall": (("seed", "step"), np.full((SEEDS, 2), 0.9)),
    }
    return xr.Dataset(found, {"moment": [0, 10, 20, 30], "step": [0, 30], "seed": range(SEEDS)})


def with_favour(run, wins):
    """The same runs, in which training images beat held-out ones so often, seed by seed, from the second moment on."""
    scores = np.zeros((SEEDS, MOMENTS, KINDS, 5))
    for seed, count in enumerate(wins):
        scores[seed, 1:, 0], scores[seed, 1:, 1] = 0.5, np.arange(5) - count + 1
    return run.assign(scores=(run.scores.dims, scores))


def test_a_maximum_lasts_if_it_is_there_at_both_moments_of_the_second_half(run):
    peak = run.peak.values
    for seed in range(SEEDS):
        both = [peak[seed, 2, 1, i, j, 0] and peak[seed, 3, 1, i, j, 0] for i in range(KEPT) for j in range(WAYS - 1)]
        assert scanned.lasting(run, scanned.HELD_OUT, 0)[seed] == pytest.approx(np.mean(both))
        along = [peak[seed, 2, 0, i, -1, 1] and peak[seed, 3, 0, i, -1, 1] for i in range(KEPT)]
        positive = scanned.lasting(run, scanned.TRAINING, directions=scanned.POSITIVE)
        assert positive[seed] == pytest.approx(np.mean(along))


def test_peaks_at_a_moment_are_a_share_of_images_and_random_directions(run):
    expected = run.peak.values[1, 2, 2, :, :-1, 0].mean()
    assert scanned.peaked(run, scanned.FAKES, 0)[1, 2] == pytest.approx(expected)


def test_scans_have_changed_where_they_correlate_less_than_a_half(run):
    steady = run.steady.values[:, 2:, 0, :, :-1, 1]
    assert scanned.changed(run).tolist() == pytest.approx([(of_run < 0.5).mean() for of_run in steady])


def test_a_training_image_is_favoured_as_often_as_it_scores_higher_pair_by_pair(run):
    scores = run.scores.values[2, 1]
    wins = [float(a > b) for a in scores[0] for b in scores[1]]
    assert scanned.favoured(run)[2, 1] == pytest.approx(np.mean(wins))


def test_scores_along_a_line_are_those_at_the_image_plus_the_scan(run):
    found = scanned.scan_scores(run).transpose(*run.scans.dims).values
    assert found[1, 2, 0, 1, 0, 1, 7] == pytest.approx(run.scans.values[1, 2, 0, 1, 0, 1, 7] + run.scores[1, 2, 0, 1])
    assert found[0, 0, 2, 0, 1, 0, PLACES // 2] == pytest.approx(run.scores.values[0, 0, 2, 0])


def test_the_half_distance_is_where_the_probability_has_fallen_to_half_found_place_by_place(run):
    offsets = np.linspace(-REACH, REACH, PLACES)
    for seed in range(SEEDS):
        nearest = []
        for image in range(KEPT):
            for way in range(WAYS - 1):
                score = run.scores.values[seed, -1, 0, image]
                line = [1 / (1 + math.exp(-score - s)) for s in run.scans.values[seed, -1, 0, image, way, -1]]
                fallen = [abs(k) for k, p in zip(offsets, line, strict=True) if p <= line[PLACES // 2] / 2]
                nearest.append(min(fallen, default=REACH))
        assert scanned.half_distances(run, REACH)[seed] == pytest.approx(np.median(nearest))


def test_a_scan_that_stays_up_has_the_window_for_its_half_distance(run):
    flat = run.assign(scans=run.scans * 0)
    assert scanned.half_distances(flat, REACH).tolist() == [REACH] * SEEDS


def test_pulls_are_the_gradients_of_the_two_losses_by_finite_differences(run):
    scores, slopes = run.scores.values[1, 3, 2], run.slopes.values[1, 3, 2]
    losses = {
        "minimax": lambda s: math.log(1 - 1 / (1 + math.exp(-s))),
        "non-saturating": lambda s: -math.log(1 / (1 + math.exp(-s))),
    }
    for name, loss in losses.items():
        steep = [abs(loss(s + 1e-6) - loss(s - 1e-6)) / 2e-6 for s in scores]
        assert scanned.pulls(run)[name][1, 3] == pytest.approx(np.median(np.array(steep) * slopes), rel=1e-6)


def test_a_shortfall_is_a_share_of_the_usual_median():
    found = scanned.shortfall(np.array([8.0, 10, 12]), np.array([2.0, 4, 6]))
    assert found.value == pytest.approx(0.6)
    assert found.low <= 0.6 <= found.high


@pytest.mark.parametrize(("wins", "healthy", "overfitted"), [((3, 3, 3), 1, 0), ((4, 5, 3), 0, 0), ((5, 5, 5), 0, 1)])
def test_a_regime_is_a_matter_of_classes_recall_and_favour(run, wins, healthy, overfitted):
    states = scanned.regimes(with_favour(run, wins))
    assert states["collapsed"][:2].tolist() == [0, 1]
    assert states["healthy"][:2].tolist() == [healthy, 0]
    assert states["overfitted"][0] == overfitted


def test_a_run_that_was_overfitted_once_has_overfitted(run):
    scores = with_favour(run, (5, 0, 0)).scores.copy()
    scores[0, -1] = 0
    assert scanned.regimes(run.assign(scores=scores))["overfitted"].tolist() == [1, 0, 0]


def test_what_no_classifier_sees_is_not_known(run):
    unjudged = run.drop_vars(["classes", "image_recall", "real_image_recall"])
    states = scanned.regimes(unjudged)
    assert np.isnan(states["collapsed"]).all() and np.isnan(states["healthy"]).all()
    assert not np.isnan(states["overfitted"]).any()


def test_a_run_without_all_observations_of_its_end_has_the_worst_of_it(run):
    assert scanned.after(run, "classes").tolist() == [10, 2, 0]


def test_of_each_pair_the_effects_are_the_shortfalls_of_the_second_arm(run):
    flat = run.assign(scans=run.scans * 0, slopes=run.slopes / 2, image_recall=run.image_recall - 0.1)
    found = scanned.poorer({"one": run, "other": flat}, {"pair": ("one", "other")}, REACH)
    assert list(found) == ["narrowing (pair)", "weakening (pair)", "recall lost (pair)"]
    usual = np.median(scanned.half_distances(run, REACH))
    assert found["narrowing (pair)"].value == pytest.approx(1 - REACH / usual)
    assert found["weakening (pair)"].value == pytest.approx(0.5)
    assert found["recall lost (pair)"].value == pytest.approx(0.1)


def test_lasting_shares_stand_in_the_windows_order_and_the_positive_direction_last(run):
    found = [interval.value for interval in scanned.lasting_by_window(run, scanned.HELD_OUT)]
    random = [np.median(scanned.lasting(run, 1, window)) for window in range(WINDOWS)]
    assert found == pytest.approx([*random, np.median(scanned.lasting(run, 1, directions=scanned.POSITIVE))])


def test_what_is_felt_is_a_decimal_logarithm_that_never_falls_below_a_millionth(run):
    felt = scanned.felt(run.assign(slopes=run.slopes * 0), "minimax")
    assert (felt == -6).all()
    assert scanned.felt(run, "non-saturating") == pytest.approx(np.log10(scanned.pulls(run)["non-saturating"]))
