"""What claims on guided generators are decided by, against plain counts over the runs."""

import numpy as np
import pytest
import torch
import xarray as xr

from gancore import stats
from gancore.study import guided

NAN = float("nan")


def run(first=0, **values):
    """Runs with these quantities, (seed, step) each, observed at every tenth step."""
    steps = {"step": 10 * np.arange(first, first + len(next(iter(values.values()))[0]))}
    return xr.Dataset({name: (("seed", "step"), np.array(of, float)) for name, of in values.items()}, steps)


def test_a_run_keeps_all_digits_that_shows_ten_at_every_observation_of_its_second_half():
    classes = [[1, 9, 10, 10], [10, 10, 9, 10], [10, 10, 10, 10], [10, 10, NAN, NAN]]
    ratio = [[0, 0, 0, 0.4], [0, 0, 0, 0.6], [0, 0, 0, 0.8], [1, 1, NAN, NAN]]
    caught = run(classes=classes, variance_ratio=ratio)
    assert guided.kept(caught).tolist() == [True, False, True, False]
    assert guided.share(caught, "variance_ratio", 30).tolist() == [0.4, 0.6, 0.8, 0]
    recalls = {"stable-guided": [[0, 0.2], [0, 0.3], [0, 0.4]], "stable-gan": [[0, 0.5], [0, 0.6], [0, 0.9]]}
    of = {arm: run(image_recall=values) for arm, values in recalls.items()}
    effects = guided.variety({"reweighted": caught} | of)
    assert effects["runs that keep all ten digits (collapsing)"] == stats.rate(np.array([True, False, True, False]))
    assert effects["share of the real variance within a digit (collapsing)"].value == pytest.approx(0.5)
    assert effects["recall, as a share of the plain GAN's (stable)"].value == pytest.approx(0.3 / 0.6)


def test_the_second_half_is_one_of_steps_and_not_of_observations():
    classes = xr.Dataset({"classes": (("seed", "step"), [[1.0, 9, 9, 9, 10]])}, {"step": [0, 1, 2, 3, 100]})
    assert guided.kept(classes).tolist() == [True]


def test_a_run_fails_that_diverges_or_ends_with_five_digits_or_fewer():
    of = {"plain GAN": run(classes=[[9, 5], [2, 6], [10, NAN]])}
    assert guided.failing(of) == {"plain GAN fails without fakes": stats.rate(np.array([True, False, True]))}
    assert guided.steady(of) == {"plain GAN does not fail with fakes": pytest.approx(1 / 3)}


def test_collapsed_are_three_digits_or_fewer_and_healthy_nine_with_half_of_real_recall():
    of = run(
        classes=[[10, 3], [1, 4], [1, 9], [1, 10], [1, NAN]],
        image_recall=[[0, 0.9], [0, 0.9], [0, 0.44], [0, 0.46], [0, NAN]],
        real_image_recall=[[0.9, 0.9]] * 5,
    )
    assert guided.collapsed(of).tolist() == [True, False, False, False, True]
    assert guided.healthy(of).tolist() == [False, False, False, True, False]


def test_arms_of_different_lengths_are_compared_where_all_were_observed():
    long, short = run(classes=[[8, 10, 9]]), run(first=1, classes=[[10]])
    assert guided.common_step({"long": long, "short": short}) == 10
    pairs = {"here": ("long", "short")}
    assert guided.reached({"long": long, "short": short}, pairs)["nine digits or more (here)"].value == 1
    assert guided.cured(short, long, 20)["nine digits or more (guided)"].value == 1


def test_what_is_lost_without_a_part_is_a_share_of_what_there_was():
    of = {"with": run(variance_ratio=[[0.8], [0.4]]), "without": run(variance_ratio=[[0.3], [NAN]])}
    lost = guided.shrunk(of, {"here": ("with", "without")})["variance lost without the term (here)"]
    assert lost.value == pytest.approx(1 - 0.15 / 0.6)
    fids = {"plain": [[100], [120]], "whole": [[10], [30]], "less": [[65], [65]]}
    of = {arm: run(fid=values) for arm, values in fids.items()}
    lost = guided.gain_lost(of, {"it": "less"}, "plain", "whole")["gain lost without it"]
    assert lost.value == pytest.approx((65 - 20) / (110 - 20))


def test_improvements_are_falls_of_the_median_and_a_diverged_run_has_the_worst_fid_of_all():
    of = {"a": run(fid=[[9, 8], [9, 6], [9, 4]]), "b": run(fid=[[9, 1], [9, 2], [9, NAN]])}
    assert {arm: values.tolist() for arm, values in guided.fids(of).items()} == {"a": [8, 6, 4], "b": [1, 2, 8]}
    found = guided.improvements(of, {"from a to b": ("a", "b")})
    assert found["fall in FID from a to b"].value == 6 - 2


def test_a_share_that_a_diverged_run_has_not_is_0_in_the_tables():
    of = run(image_recall=[[0, 0.4], [0, 0.2], [0, NAN]], fid=[[9, 8], [9, 6], [9, 4]])
    assert [interval.value for interval in guided.at_step(of, 10, ["image_recall", "fid"])] == [0.2, 6]


def test_hopping_is_three_hops_or_more_and_both_are_held_with_a_quarter_at_either():
    shares = np.zeros((2, 6, 2))
    for moment, (one, other) in enumerate(zip((0, 1, 0, 1, 1, 1), (0, 1, 1, 0, 0, 0), strict=True)):
        shares[0, moment, one] = shares[1, moment, other] = 1
    shares[1, -1] = 0.3, 0.7
    of = {"two": xr.Dataset({"mode_shares": (("seed", "moment", "mode"), shares)})}
    assert guided.hopping(of) == {"runs that hop (two)": stats.rate(np.array([True, False]))}
    assert guided.holds_both(of["two"]).tolist() == [False, True]


def test_sense_is_a_median_of_the_last_page_and_sums_are_relative_to_the_diagonal():
    rng = np.random.default_rng(0)
    purity, landed, diagonal = rng.random((3, 2, 3)), rng.random((3, 2)), 0.5 + rng.random((3, 2))
    dims = {"purity": ("seed", "page", "space"), "landed": ("seed", "page"), "diagonal": ("seed", "page")}
    values = {"purity": purity, "landed": landed, "diagonal": diagonal}
    found = guided.sense({"bigan": xr.Dataset({name: (dims[name], of) for name, of in values.items()})})
    assert found["neighbours alike (latents of the encoder)"].value == np.median(purity[:, 1, 2])
    assert found["neighbours alike (features of the classifier)"].value == np.median(purity[:, 1, 1])
    relative = np.median(landed[:, 1] / diagonal[:, 1])
    assert found["sums that land on their digit, as a share of the diagonal's"].value == pytest.approx(relative)


def test_images_are_named_as_asked_where_the_reader_says_their_place_in_the_row():
    plates = np.tile(np.arange(20.0)[:, None], (2, 1, 1, 1))  # (seed, page, image, pixel)
    of = xr.Dataset({"plates": (("seed", "page", "image", "pixel"), plates)})
    readers = [lambda x: x[..., 0].long() % 10, lambda x: torch.zeros(x.shape[:2], dtype=torch.long)]
    assert [found.value for found in guided.named_as_asked(of, readers)] == [1, 0.1]
