"""Latents with a class's code: what they ask for, and what they give each class."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gancore.data.latents import Coded, Normal, Sectioned, Uniform, labelled_latents
from gancore.errors import StudyError

CLASSES = st.integers(1, 12)


def test_uniform_latents_fill_their_span_and_are_levelled_back():
    wide = Uniform(2, low=-3.0, high=1.0)
    z, unit = drawn(wide, 500), drawn(Uniform(2), 500)
    assert z.dtype == np.float32 and np.allclose(z, 4 * unit - 3) and wide.span == (-3.0, 1.0)
    assert np.allclose(wide.levelled(torch.from_numpy(z)), unit, atol=1e-6)
    for low, high in ((1.0, 1.0), (2.0, 1.0)):
        with pytest.raises(StudyError, match="allowed is a `high` above `low`"):
            Uniform(1, low=low, high=high)


def test_the_span_of_normal_latents_holds_99_in_a_hundred():
    low, high = Normal(1, 0.5).span
    z = drawn(Normal(1, 0.5), 5_000)
    assert ((z > low) & (z < high)).mean() == pytest.approx(0.9876, abs=0.003)


def drawn(latents, batch, times=4):
    return latents.draw(batch)(np.random.default_rng(0), times)


@given(classes=CLASSES, more=st.integers(0, 20), batch=st.integers(1, 40))
def test_a_latent_is_a_unit_vector_and_noise_that_is_zero_outside_its_classs_section(classes, more, batch):
    latents = Sectioned(classes, classes + more)
    z = drawn(latents, batch)
    assert z.shape == (4, batch, latents.dimensions) and z.dtype == np.float32
    code, noise = z[..., :classes], z[..., classes:]
    labels = latents.labels(torch.from_numpy(z)).numpy()
    assert (code == np.eye(classes)[labels]).all()
    assert ((noise != 0) == (latents.sections() == labels[..., None])).all()


@given(classes=CLASSES, more=st.integers(0, 40))
def test_sections_are_contiguous_and_as_even_as_can_be(classes, more):
    sections = Sectioned(classes, classes + more).sections()
    sizes = np.bincount(sections, minlength=classes)
    assert (np.diff(sections) >= 0).all() and len(sizes) == classes
    assert sizes.max() - sizes.min() <= 1


@given(classes=CLASSES, start=st.integers(0, 30), size=st.integers(1, 40))
def test_every_part_of_a_batch_asks_for_each_class_equally_often_but_for_one(classes, start, size):
    latents = Coded(classes, 3)
    labels = latents.labels(torch.from_numpy(drawn(latents, start + size)))[0, start:]
    counts = np.bincount(labels, minlength=classes)
    assert counts.max() - counts.min() <= 1


def test_the_noise_that_a_class_is_given_is_standard_normal():
    latents = Sectioned(10, 23)
    z = drawn(latents, 100, 200)[..., 10:]
    assert stats.kstest(z[z != 0], "norm").pvalue > 0.01
    assert stats.kstest(drawn(Coded(10, 23), 100)[..., 10:].ravel(), "norm").pvalue > 0.01


def test_the_same_noise_is_given_to_all_classes_where_it_is_not_sectioned():
    assert (Coded(4, 6).seen() == 1).all()
    assert Sectioned(4, 6).seen().sum() == 6


@pytest.mark.parametrize("latents", [Normal(3), Normal(3, 0.5), Uniform(3)], ids=["normal", "narrow", "uniform"])
def test_levelled_latents_are_uniform(latents):
    z = torch.from_numpy(drawn(latents, 500))
    assert stats.kstest(latents.levelled(z).flatten(), "uniform").pvalue > 0.01


def test_normal_latents_are_as_wide_as_they_say_and_standard_where_they_say_nothing():
    plain, narrow = (np.asarray(drawn(latents, 50)) for latents in (Normal(4), Normal(4, 0.5)))
    assert (narrow == 0.5 * plain).all()
    assert abs((plain**2).sum(-1).mean() - 4) < 0.5


def test_fewer_numbers_than_sections_are_refused():
    with pytest.raises(StudyError, match="9 latent dimensions for 10 sections: allowed is at least one a section"):
        Sectioned(10, 9)
    assert Sectioned(10, 10).sections().tolist() == list(range(10))


def test_latents_without_classes_are_refused_where_classes_are_asked_for():
    with pytest.raises(StudyError, match="allowed are 'coded' and 'sectioned'"):
        labelled_latents(Normal(3))
    assert labelled_latents(Coded(2, 3)) == Coded(2, 3)
