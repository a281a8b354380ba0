"""What is made of reconstructions and of the ways between two codes, against judges asked one image at a time."""

import numpy as np
import pytest
import torch
import xarray as xr

from gancore.data.targets import Pictures
from gancore.judges.classifier import judge
from gancore.observers.classes import EXTRACTORS
from gancore.study import inverses


class Pixels(torch.nn.Module):
    """A reader that takes an image's ten numbers for its logits."""

    def forward(self, x):
        return x


def ways(tops):
    """Runs whose images on each way are of some class with these probabilities: (runs, pairs, places)."""
    tops = torch.as_tensor(tops)[..., None]
    probabilities = torch.cat([tops, ((1 - tops) / 9).expand(*tops.shape[:-1], 9)], -1)
    pairs = tops.shape[1]
    images = probabilities.log().flatten(1, 2)[:, None]  # (runs, page, pairs x places, 10)
    originals = np.zeros((1, 1, 2 * pairs, 10))
    return xr.Dataset(
        {
            "interpolations": (("seed", "page", "between", "pixel"), images.numpy()),
            "originals": (("drawn", "page", "original", "pixel"), originals),
        }
    )


def test_classes_are_kept_where_a_reconstruction_is_named_as_its_image():
    x = Pictures("digits").held_out()[:12]
    again, named = torch.stack([x, x.roll(1, 0)]), judge("digits")
    data = {
        "originals": (("drawn", "page", "original", "pixel"), x[None, None].numpy()),
        "reconstructions": (("seed", "page", "original", "pixel"), again[:, None].numpy()),
    }
    alike = [int(named(a[None])) == int(named(b[None])) for a, b in zip(x, x.roll(1, 0), strict=True)]
    assert inverses.classes_kept("digits", xr.Dataset(data)).tolist() == pytest.approx([1, sum(alike) / 12])


def test_the_judge_is_as_sure_of_each_place_of_each_way_as_of_the_image_there(monkeypatch):
    monkeypatch.setitem(EXTRACTORS, "digits", Pixels)
    tops = [[[0.95, 0.6, 0.92], [0.7, 0.3, 0.8]]]
    assert inverses.confidence("digits", ways(tops)) == pytest.approx(np.array(tops))


def test_half_way_counts_as_a_share_of_the_ends(monkeypatch):
    monkeypatch.setitem(EXTRACTORS, "digits", Pixels)
    both_ends_and_one_middle = [[0.95, 0.92, 0.92], [0.95, 0.5, 0.95]]
    half_of_the_ends_and_no_middle = [[0.95, 0.5, 0.2], [0.95, 0.5, 0.2]]
    found = inverses.meaningful("digits", ways([both_ends_and_one_middle, half_of_the_ends_and_no_middle]))
    assert found.tolist() == pytest.approx([0.5, 0])


def test_the_share_recognised_is_drawn_at_every_place_of_the_way(monkeypatch):
    monkeypatch.setitem(EXTRACTORS, "digits", Pixels)
    tops = [[[0.95, 0.6, 0.92], [0.95, 0.3, 0.2]]]
    (axes,) = inverses.along("digits", {"bigan": ways(tops)}, {"bigan": "BiGAN"}).axes
    drawn = [line.get_ydata().tolist() for line in axes.get_lines() if line.get_label() == "BiGAN"]
    assert drawn == [[1, 0, 0.5]]


def test_errors_of_runs_that_diverged_keep_nothing():
    run = xr.Dataset({name: (("seed", "step"), [[1, 0.25], [1, np.nan]]) for name in ("x_error", "z_error")})
    found = inverses.kept(run)
    assert found["points kept"].value == found["latents kept"].value == pytest.approx(0.375)


def test_a_row_of_reconstructions_and_a_block_of_ways_are_shown_for_each_method():
    rng = np.random.default_rng(0)
    run = xr.Dataset(
        {
            "originals": (("drawn", "original", "pixel"), rng.uniform(-1, 1, (1, 16, 64))),
            "reconstructions": (("seed", "original", "pixel"), rng.uniform(-1, 1, (2, 16, 64))),
            "interpolations": (("seed", "between", "pixel"), rng.uniform(-1, 1, (2, 24, 64))),
        }
    )
    titles = {"bigan": "BiGAN", "bigan-pgp": "BiGAN + PGP"}
    figure = inverses.reconstructed({"bigan": run, "bigan-pgp": run}, titles, 8)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "held out",
        "BiGAN",
        "BiGAN + PGP",
        "between two codes, BiGAN",
        "between two codes, BiGAN + PGP",
    ]
