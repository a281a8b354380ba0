"""What claims on guided generators are decided by, against plain counts over the runs."""

import numpy as np
import pytest
import xarray as xr

from gancore import stats
from gancore.study import guided

NAN = float("nan")


def run(**values):
    """Runs with these quantities, (seed, step) each."""
    return xr.Dataset({name: (("seed", "step"), np.array(of, float)) for name, of in values.items()})


def test_a_run_keeps_all_digits_that_shows_ten_at_every_observation_of_its_second_half():
    classes = [[1, 9, 10, 10], [10, 10, 9, 10], [10, 10, 10, 10], [10, 10, NAN, NAN]]
    ratio = [[0, 0, 0, 0.4], [0, 0, 0, 0.6], [0, 0, 0, 0.8], [1, 1, NAN, NAN]]
    of = {"guided": run(classes=classes, variance_ratio=ratio)}
    assert guided.kept(of["guided"]).tolist() == [True, False, True, False]
    assert guided.within(of["guided"]).tolist() == [0.4, 0.6, 0.8, 0]
    effects = guided.variety(of)
    assert effects["runs that keep all ten digits"] == stats.rate(np.array([True, False, True, False]))
    assert effects["share of the real variance within a digit"].value == pytest.approx(0.5)


def test_a_run_fails_that_diverges_or_ends_with_five_digits_or_fewer():
    of = {"plain GAN": run(classes=[[9, 5], [2, 6], [10, NAN]])}
    assert guided.failing(of) == {"plain GAN fails without fakes": stats.rate(np.array([True, False, True]))}


def test_the_way_to_one_image_is_0_at_the_similarity_of_real_images_and_1_at_that_of_equal_ones():
    similarity = [[0, 0.2], [0, 0.6], [0, 1.0], [0, NAN]]
    of = run(ms_ssim=similarity, variance_ratio=[[1, 0.9], [1, 0.5], [1, 0.1], [1, NAN]], real_ms_ssim=[[0.2, 0.2]] * 4)
    effects = guided.shrunk(of)
    assert effects["way to one image without the term"].value == pytest.approx(np.median([0, 0.5, 1, 1]))
    assert effects["variance lost without the term"].value == pytest.approx(np.median([0.1, 0.5, 0.9, 1]))


def test_improvements_are_falls_of_the_median_and_a_diverged_run_has_the_worst_fid_of_all():
    of = {"a": run(fid=[[9, 8], [9, 6], [9, 4]]), "b": run(fid=[[9, 1], [9, 2], [9, NAN]])}
    assert {arm: values.tolist() for arm, values in guided.fids(of).items()} == {"a": [8, 6, 4], "b": [1, 2, 8]}
    found = guided.improvements(of, {"from a to b": ("a", "b")})
    assert found["fall in FID from a to b"].value == 6 - 2


def test_hopping_is_three_hops_or_more_and_sense_is_a_median_of_the_last_page():
    shares = np.zeros((2, 6, 2))
    for moment, (one, other) in enumerate(zip((0, 1, 0, 1, 1, 1), (0, 1, 1, 0, 0, 0), strict=True)):
        shares[0, moment, one] = shares[1, moment, other] = 1
    of = {"two": xr.Dataset({"mode_shares": (("seed", "moment", "mode"), shares)})}
    assert guided.hopping(of) == {"runs that hop (two)": stats.rate(np.array([True, False]))}
    purity, landed = np.random.default_rng(0).random((3, 2, 3)), np.random.default_rng(1).random((3, 2))
    of = {"bigan": xr.Dataset({"purity": (("seed", "page", "space"), purity), "landed": (("seed", "page"), landed)})}
    found = guided.sense(of)
    assert found["neighbours alike (latents of the encoder)"].value == np.median(purity[:, 1, 2])
    assert found["neighbours alike (features of the classifier)"].value == np.median(purity[:, 1, 1])
    assert found["sums that land on their digit"].value == np.median(landed[:, 1])
