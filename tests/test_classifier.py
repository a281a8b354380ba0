import dataclasses

import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC
from test_images import needs_mnist

from gancore.data.images import digits, mnist
from gancore.errors import StudyError
from gancore.judges import classifier as judging
from gancore.judges.classifier import DigitClassifier, judge, load_classifier, save_classifier, stored_provenance

SMALL = dataclasses.replace(digits(), side=28, train=torch.rand(256, 784) * 2 - 1, train_labels=torch.arange(256) % 10)


def untrained(seed=0):
    torch.manual_seed(seed)
    return DigitClassifier().eval()


@pytest.mark.slow
@needs_mnist
def test_the_stored_classifier_is_as_accurate_as_it_says_and_at_least_99_2_percent():
    named = judge("mnist")(mnist().held_out)
    right = (named == mnist().held_out_labels).sum().item()
    assert right >= 9920
    assert abs(right - 10_000 * stored_provenance()["accuracy"]) <= 2  # rounding differs between processors


def test_the_stored_classifier_comes_from_committed_code():
    origin = stored_provenance()
    assert len(origin["commit"]) == 40 and not origin["dirty"]
    assert {"versions", "device", "processor", "date", "seconds", "accuracy"} <= set(origin)
    assert (origin["epochs"], origin["seed"]) == (judging.EPOCHS, judging.SEED)


def test_what_is_saved_is_what_is_loaded(tmp_path):
    path, x = tmp_path / "models" / "one.safetensors", torch.rand(5, 784) * 2 - 1
    save_classifier(path, untrained(), {"seed": 7})
    assert torch.equal(load_classifier(path)(x), untrained()(x))
    assert not torch.equal(load_classifier(path)(x), untrained(1)(x))
    assert stored_provenance(path) == {"seed": 7}


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: flipped(content, 0),
        lambda content: flipped(content, content.index(b"dirty") + 9),
        lambda content: flipped(content, content.index(b"body.0.0.weight")),
        lambda content: flipped(content, len(content) // 2),
        lambda content: flipped(content, len(content) - 1),
    ],
    ids=["empty", "half", "length", "provenance", "name", "middle", "end"],
)
def test_damaged_weights_are_refused(tmp_path, damage):
    path = tmp_path / judging.WEIGHTS.name
    path.write_bytes(damage(judging.WEIGHTS.read_bytes()))
    for read in (load_classifier, stored_provenance):
        with pytest.raises(StudyError, match=rf"{path.name} is truncated or was altered: restore it or run"):
            read(path)


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_classifier(path, torch.nn.Linear(2, 3), {})
    with pytest.raises(StudyError, match="holds another network"):
        load_classifier(path)


def test_missing_weights_end_in_a_sentence_with_the_command(tmp_path):
    with pytest.raises(StudyError, match=r"are not in .*none\.safetensors: .* `python -m gancore classifier`"):
        load_classifier(tmp_path / "none.safetensors")


def test_the_logits_are_affine_in_the_features_and_both_keep_leading_dimensions():
    network, x = untrained(), torch.rand(2, 3, 784) * 2 - 1
    features = network.features(x)
    assert features.shape == (2, 3, 128)
    torch.testing.assert_close(network(x), features @ network.head.weight.T + network.head.bias)
    torch.testing.assert_close(network(x).flatten(0, 1), network(x.flatten(0, 1)))


def test_training_hangs_on_the_seed_alone_and_leaves_the_global_generator_as_it_was():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, again, other = (judging.train_classifier(SMALL, 2, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["head.weight"], other["head.weight"])
    assert torch.equal(torch.get_rng_state(), before)


def test_a_moved_image_without_turn_and_shift_is_the_image(monkeypatch):
    monkeypatch.setattr(judging, "TURN", 0)
    monkeypatch.setattr(judging, "SHIFT", 0)
    torch.testing.assert_close(judging.moved(SMALL.train), SMALL.train)


def test_a_moved_dot_stays_within_the_greatest_shift_and_black_stays_black():
    x = torch.full((500, 28, 28), -1.0)
    assert (judging.moved(x.flatten(1)) == -1).all()
    x[:, 13:15, 13:15] = 1  # at the centre, where turning does not move it
    ink = judging.moved(x.flatten(1)).view(500, 28, 28) + 1
    places = torch.arange(28) - 13.5
    down, right = ((ink.sum(axis) * places).sum(-1) / ink.sum((1, 2)) for axis in (2, 1))
    assert 2.4 < torch.hypot(down, right).max() < 2**0.5 * 2 + 0.1
    assert abs(down.mean()) < 0.2 and abs(right.mean()) < 0.2


def test_batches_are_bounded_and_together_give_the_whole():
    sizes = []

    def doubled(x):
        sizes.append(len(x))
        return 2 * x[:, :3]

    x = torch.rand(3, 421, 7, requires_grad=True)
    found = judging.in_batches(doubled, x)
    assert torch.equal(found, 2 * x[..., :3]) and not found.requires_grad
    assert sum(sizes) == 3 * 421 and max(sizes) <= 500


@pytest.mark.parametrize(("name", "size"), [("mnist", 784), ("digits", 64)])
def test_a_judge_keeps_leading_dimensions(name, size, device):
    x = torch.rand(4, 3, size, device=device) * 2 - 1
    named = judge(name)(x)
    assert (named.shape, named.dtype, named.device) == ((4, 3), torch.int64, x.device)
    assert torch.equal(named[2], judge(name)(x[2]))
    assert judge(name)(x[0, 0]).shape == ()


def test_the_judge_of_the_digits_names_97_percent_of_those_held_out_as_the_example_of_scikit_learn_does():
    pixels, labels = load_digits(return_X_y=True)
    train, held_out, train_labels, _ = train_test_split(
        pixels, labels, train_size=1500, random_state=0, stratify=labels
    )
    named = judge("digits")(digits().held_out)
    assert (named == digits().held_out_labels).double().mean() >= 0.97
    assert named.tolist() == SVC(gamma=0.001).fit(train, train_labels).predict(held_out).tolist()


@pytest.mark.parametrize("name", ["moons", "fashion-mnist", "kmnist"])
def test_images_that_no_classifier_knows_have_no_judge(name):
    with pytest.raises(StudyError, match=f"unknown images to name the classes of '{name}': allowed are mnist, digits"):
        judge(name)
