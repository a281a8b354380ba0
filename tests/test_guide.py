"""The classifiers that guide: stored ones, those that are refused, and what they measure of real images."""

import dataclasses
import json

import pytest
import safetensors
import torch
from test_images import needs_mnist

from gancore.data.images import digits, load
from gancore.errors import StudyError
from gancore.judges import guide as guiding
from gancore.judges.classifier import accuracy
from gancore.judges.guide import Guide, file_digest, guide_of, real_moments, weights_of
from gancore.judges.weights import provenance_of_weights, save_weights

NAMES = [pytest.param("mnist", marks=needs_mnist), "digits"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_stored_guide_is_as_accurate_as_it_says_and_above_what_is_asked_for(name):
    guide, _ = guide_of(name)
    found = accuracy(guide, load(name))
    assert found >= guiding.LEAST
    assert found == pytest.approx(provenance_of_weights(weights_of(name), "")["accuracy"], abs=2e-3)


@pytest.mark.parametrize("name", ["mnist", "digits"])
def test_a_stored_guide_comes_from_committed_code(name):
    origin = provenance_of_weights(weights_of(name), "")
    assert len(origin["commit"]) == 40 and not origin["dirty"]
    assert (origin["epochs"], origin["seed"]) == (guiding.EPOCHS[name], guiding.SEED)


def test_a_guide_whose_word_is_noise_is_refused_with_its_accuracy(tmp_path):
    torch.manual_seed(0)
    save_weights(tmp_path / "poor.safetensors", Guide(8), {})
    with pytest.raises(StudyError, match=r"poor\.safetensors names \d+\.\d% of .* rightly: .* allowed is 98% or more"):
        guide_of("digits", str(tmp_path / "poor.safetensors"))


def test_a_good_guide_of_ones_own_is_taken_if_it_is_the_one_that_the_recipe_means(tmp_path):
    path = tmp_path / "own.safetensors"
    path.write_bytes(weights_of("digits").read_bytes())
    guide, _ = guide_of("digits", str(path), file_digest(path))
    assert torch.equal(guide.head.weight, guide_of("digits")[0].head.weight)
    with pytest.raises(StudyError, match="are not those of the recipe"):
        guide_of("digits", str(path), "0" * 64)


def test_a_guide_for_other_images_or_of_no_file_is_refused(tmp_path):
    with pytest.raises(StudyError, match="holds another network"):
        guide_of("digits", str(weights_of("mnist")))
    with pytest.raises(StudyError, match=r"none\.safetensors cannot be read: No such file"):
        file_digest(tmp_path / "none.safetensors")


def test_a_class_that_is_absent_from_the_data_is_named():
    there = digits().train_labels != 7
    images = dataclasses.replace(digits(), train=digits().train[there], train_labels=digits().train_labels[there])
    with pytest.raises(StudyError, match=r"digits has fewer than two training images of \[7\]"):
        real_moments(guide_of("digits")[0], images)


def test_real_features_have_unit_deviation_and_their_moments_are_the_classes_own():
    guide, real = guide_of("digits")
    features = guide.features(digits().train).double() / real.unit
    assert features.std(0).tolist() == pytest.approx([1] * 64, abs=1e-4)
    own = features[digits().train_labels == 4]
    torch.testing.assert_close(real.moments.mean[4], own.mean(0), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(real.moments.variance[4], own.var(0), rtol=1e-3, atol=1e-4)


def test_what_is_measured_of_real_images_is_the_same_for_any_number_of_threads_to_far_below_single_precision():
    guide, _ = guide_of("digits")
    before, found = torch.get_num_threads(), []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        found.append(real_moments(guide, digits()))
    torch.set_num_threads(before)
    for other in found[1:]:
        for part, first in zip((other.unit, *other.moments), (found[0].unit, *found[0].moments), strict=True):
            assert part.dtype == torch.float64
            torch.testing.assert_close(part, first, rtol=1e-12, atol=1e-12)


def test_logits_are_affine_in_the_features_and_both_keep_leading_dimensions():
    guide, x = guide_of("digits")[0], torch.rand(2, 3, 64) * 2 - 1
    assert guide.features(x).shape == (2, 3, guiding.FEATURES)
    torch.testing.assert_close(guide(x)[1, 2], guide(x[1, 2]), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(guide(x), guide.features(x) @ guide.head.weight.T + guide.head.bias)


def test_training_a_guide_again_gives_the_accuracy_that_is_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(guiding, "weights_of", lambda name: tmp_path / f"{name}.safetensors")
    monkeypatch.setitem(guiding.EPOCHS, "digits", 30)
    origin = guiding.renew("digits")
    with safetensors.safe_open(tmp_path / "digits.safetensors", "pt") as file:
        assert json.loads(file.metadata()["provenance"]) == origin
    assert origin["accuracy"] > 0.95


@pytest.mark.parametrize("name", ["fashion-mnist", "kmnist"])
def test_images_that_no_stored_guide_knows_are_refused_before_they_are_looked_for(name):
    with pytest.raises(StudyError, match=f"stored for {name}: allowed are mnist, digits, or a file of weights"):
        guide_of(name)
