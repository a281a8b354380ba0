"""Measures by nearest neighbours, against plain loops over all pairs, and where their values are known."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gancore.data.images import Folder
from gancore.data.mixtures import Moons, Ring
from gancore.data.targets import LabelledPictures, Pictures
from gancore.errors import StudyError
from gancore.metrics import chosen, measured
from gancore.metrics.neighbours import NEAREST, NEIGHBOURS, distances, neighbour_measures, prdc, spread
from gancore.metrics.reference import FEWEST, real_points
from gancore.metrics.two_sample import energy_distance

RING = Ring(6, 0.1)


def drawn(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def balls(sample, nearest):
    """Each point's distance to its so many-th nearest other, point by point."""
    return [sorted(math.dist(a, b) for j, b in enumerate(sample) if j != i)[nearest - 1] for i, a in enumerate(sample)]


def distances_of(fake, real):
    return distances(fake, fake), distances(real, real), distances(real, fake)


def prdc_by_loops(fake, real, nearest):
    of_real, of_fake = balls(real, nearest), balls(fake, nearest)
    inside = [[math.dist(f, r) <= reach for r, reach in zip(real, of_real, strict=True)] for f in fake]
    seen = [any(math.dist(f, r) <= reach for f, reach in zip(fake, of_fake, strict=True)) for r in real]
    return {
        "precision": np.mean([any(row) for row in inside]),
        "recall": np.mean(seen),
        "density": sum(map(sum, inside)) / (nearest * len(fake)),
        "coverage": np.mean([any(column) for column in zip(*inside, strict=True)]),
    }


SIZES = st.integers(4, 12)


@given(fakes=SIZES, reals=SIZES, dimensions=st.integers(1, 4), nearest=st.integers(1, 3), away=st.floats(0, 3))
def test_precision_recall_density_and_coverage_are_those_of_a_plain_loop(fakes, reals, dimensions, nearest, away):
    fake, real = drawn(fakes, dimensions) + away, drawn(reals, dimensions, seed=1)
    found = {name: value.item() for name, value in prdc(*distances_of(fake, real), nearest).items()}
    assert found == pytest.approx(prdc_by_loops(fake.tolist(), real.tolist(), nearest), abs=1e-6)


@given(fakes=SIZES, reals=SIZES, dimensions=st.integers(1, 4))
def test_the_spread_is_that_of_a_plain_loop(fakes, reals, dimensions):
    fake, real, count = drawn(fakes, dimensions), drawn(reals, dimensions, seed=1), min(fakes, reals)
    expected = np.mean(balls(fake[:count].tolist(), 1)) / np.mean(balls(real[:count].tolist(), 1))
    assert spread(*distances_of(fake, real)[:2]).item() == pytest.approx(expected)


def test_real_points_are_all_covered_fakes_all_alike_have_no_spread_and_far_ones_nothing(device):
    real = real_points(RING, 200)
    alike = real[:1].expand(200, 2)
    found = neighbour_measures(torch.stack([real, alike, real + 99]).to(device), RING)
    assert found.keys() == NEIGHBOURS.quantities.keys()
    for name in ("precision", "recall", "coverage"):
        assert found[name][0] == 1 and found[name][2] == 0, name
    assert found["spread"].tolist() == pytest.approx([1, 0, 1], abs=1e-3)
    assert found["precision"][1] == 1 and found["recall"][1] < 0.01 and found["coverage"][1] < 0.1


def test_a_fresh_sample_is_as_dense_and_as_spread_as_the_real_points_and_half_of_the_modes_half_covered():
    fresh = torch.from_numpy(RING.draw(600)(np.random.default_rng(5), 1)[0])
    half = fresh[RING.nearest(fresh[None])[1][0] < 3]
    found = neighbour_measures(torch.stack([fresh[:240], half[:240]]), RING)
    assert found["density"][0].item() == pytest.approx(1, abs=0.1)
    assert found["spread"][0].item() == pytest.approx(1, abs=0.2) and found["coverage"][0] > 0.9
    assert found["coverage"][1].item() == pytest.approx(0.5, abs=0.1)
    assert found["recall"][1].item() == pytest.approx(0.5, abs=0.1) and found["precision"][1] > 0.9


def test_too_few_points_for_a_neighbourhood_are_refused():
    with pytest.raises(StudyError, match=f"neighbours among {NEAREST} points: allowed are {NEAREST + 1} or more"):
        neighbour_measures(drawn(2, NEAREST, 2), RING)


def folder_of(path, count):
    for number in range(count):
        grey = np.random.default_rng(number).integers(0, 256, (4, 4), dtype=np.uint8)
        Image.fromarray(grey).save(path / f"{number:04d}.png")
    return Folder(str(path), side=4)


def test_real_points_lie_along_the_arcs_are_held_out_or_fresh_and_the_same_each_time():
    assert torch.equal(real_points(Moons(), 7), Moons().along(4)[:7])
    for target in (Pictures("digits", 50), LabelledPictures("digits")):
        assert torch.equal(real_points(target, 150), target.held_out()[:150])
    assert torch.equal(real_points(RING, 50), real_points(RING, 50)) and real_points(RING, 50).shape == (50, 2)


@pytest.mark.parametrize("count", [9, 10 * FEWEST - 10, 10 * FEWEST])
def test_a_folder_that_holds_few_images_out_is_compared_with_those_trained_on(count, tmp_path):
    folder = folder_of(tmp_path, count)
    expected = folder.held_out() if count == 10 * FEWEST else folder.training()[:300]
    assert torch.equal(real_points(folder, 300), expected)


def test_a_folder_is_measured_by_what_needs_no_labels(tmp_path):
    folder = folder_of(tmp_path, 40)
    x = torch.stack([folder.training(), folder.training()[:1].expand(36, 16)])
    found = measured(x, folder, ["coverage", "spread", "energy_distance"])
    assert list(found) == ["coverage", "spread", "energy_distance"]
    assert found["coverage"][0] == 1 > found["coverage"][1] and found["spread"].tolist() == pytest.approx([1, 0])
    assert found["energy_distance"][1] > abs(found["energy_distance"][0])
    with pytest.raises(StudyError, match=r"no measure is usual for Folder.*: allowed are, by 'which', .*coverage"):
        measured(x, folder)


def test_a_measure_is_the_first_that_suits_the_target_and_what_suits_none_is_refused():
    x = torch.from_numpy(RING.draw(100)(np.random.default_rng(1), 2))
    assert torch.equal(
        measured(x, RING, ["energy_distance"])["energy_distance"], energy_distance(x, real_points(RING, 500))
    )
    arcs = energy_distance(x, Moons().along(250))
    assert torch.equal(measured(x, Moons(), ["energy_distance"])["energy_distance"], arcs)
    with pytest.raises(
        StudyError, match=r"'arc_coverage' cannot be measured of Ring.*: allowed are captured, .*recall"
    ):
        chosen(RING, ["captured", "arc_coverage"])
    assert not {"precision", "spread", "energy_distance"} & chosen(RING).keys()
