import hashlib
import socket
import struct
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision
from sklearn.datasets import load_digits
from torchvision.datasets import MNIST

from gancore.errors import StudyError
from gancore.images import handwritten as images

needs_mnist = pytest.mark.skipif(
    not (images.data_folder() / images.RAW / "train-images-idx3-ubyte").is_file(),
    reason="MNIST is not in the data folder",
)
PIXELS = np.arange(5 * 4 * 4, dtype=np.uint8).reshape(5, 4, 4) * 3
PIXELS[0, 0, :3] = 0, 51, 255
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)


def idx(values):
    """The bytes of an IDX file of unsigned bytes, written by the format's definition."""
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


FILES = {
    "train-images-idx3-ubyte": idx(PIXELS),
    "train-labels-idx1-ubyte": idx(LABELS),
    "t10k-images-idx3-ubyte": idx(PIXELS[:2]),
    "t10k-labels-idx1-ubyte": idx(LABELS[:2]),
}


def put(folder, files=FILES):
    (folder / images.RAW).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / images.RAW / name).write_bytes(content)


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def offline(monkeypatch):
    """No network; lists the time-outs that a server would have had."""
    timeouts = []

    def refuse(*_, **__):
        timeouts.append(socket.getdefaulttimeout())
        raise URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    return timeouts


@pytest.fixture
def folder(tmp_path, monkeypatch, offline):
    """A data folder for five images in MNIST's place, empty as yet."""
    monkeypatch.setattr(images, "SHA256", {name: hashlib.sha256(file).hexdigest() for name, file in FILES.items()})
    monkeypatch.setenv("GANCORE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@needs_mnist
def test_mnist_is_what_torchvision_reads_scaled_to_plus_minus_one():
    x = images.mnist()
    assert (x.name, x.side, x.train.dtype) == ("mnist", 28, torch.float32)
    for train, flat, labels in ((True, x.train, x.train_labels), (False, x.held_out, x.held_out_labels)):
        read = MNIST(images.data_folder(), train=train)
        assert torch.equal(((flat + 1) * 127.5).round().byte(), read.data.flatten(1))
        assert torch.equal(labels, read.targets) and labels.dtype == torch.int64
        assert (flat.min(), flat.max()) == (-1, 1)
        assert flat.shape == (60_000 if train else 10_000, 784)


def test_pixels_are_scaled_from_bytes_to_plus_minus_one(folder):
    put(folder)
    x = images.load("mnist")
    np.testing.assert_allclose(x.train[0, :3], [-1, -0.6, 1])
    np.testing.assert_allclose((x.train.numpy() + 1) * 127.5, PIXELS.reshape(5, 16), atol=1e-5)
    assert (x.side, x.train_labels.tolist(), x.held_out_labels.tolist()) == (4, [3, 1, 4, 1, 5], [3, 1])
    assert torch.equal(x.held_out, x.train[:2])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage",
    [lambda file: file[: len(file) // 2], lambda file: file[:-1] + bytes([file[-1] ^ 1]), lambda file: b""],
    ids=["truncated", "one bit flipped", "empty"],
)
def test_a_damaged_file_is_named_and_auto_does_not_fall_back(folder, name, damage):
    put(folder, FILES | {name: damage(FILES[name])})
    for ask in (images.mnist, lambda: images.pick("auto")):
        with pytest.raises(StudyError, match=rf"{name} is truncated or was altered: delete it") as stopped:
            ask()
        assert not isinstance(stopped.value, images.Missing)


@pytest.mark.parametrize("absent", [*FILES, "all"])
def test_a_missing_file_without_a_network_ends_in_a_sentence_that_helps(folder, offline, capfd, absent):
    if absent != "all":
        put(folder, {name: content for name, content in FILES.items() if name != absent})
    before = files_in(folder)
    with pytest.raises(images.Missing) as stopped:
        images.load("mnist")
    assert str(stopped.value) == (
        f"MNIST is not in {folder} and could not be downloaded: set GANCORE_DATA to a folder that has MNIST/raw, "
        'or use images="digits"'
    )
    assert files_in(folder) == before
    assert offline and max(offline) <= 10 and socket.getdefaulttimeout() is None
    assert capfd.readouterr() == ("", "")


def test_a_server_that_stays_silent_is_not_waited_for(folder, monkeypatch):
    monkeypatch.setattr(images, "SECONDS_TO_ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{silent.getsockname()[1]}/"])
        monkeypatch.setattr(urllib.request, "urlopen", urllib.request.build_opener().open)
        with pytest.raises(images.Missing):
            images.mnist()


class FakeMNIST:
    """Leaves in its root what a download would."""

    files = FILES

    def __init__(self, root, download):
        put(Path(root), self.files)
        print("chatter")


def test_a_download_leaves_the_four_files_and_nothing_else(folder, monkeypatch, capfd):
    monkeypatch.setattr(torchvision.datasets, "MNIST", FakeMNIST)
    assert images.pick("auto") == "mnist"
    assert files_in(folder) == {f"MNIST/raw/{name}" for name in FILES}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("part", [None, b"", b"half"])
def test_a_part_of_a_download_is_not_taken_for_the_whole(folder, monkeypatch, name, part):
    files = {other: content for other, content in FILES.items() if other != name} | (
        {} if part is None else {name: part}
    )
    monkeypatch.setattr(FakeMNIST, "files", files)
    monkeypatch.setattr(torchvision.datasets, "MNIST", FakeMNIST)
    with pytest.raises(images.Missing):
        images.mnist()
    assert files_in(folder) == set()


def test_a_folder_that_takes_no_files_works_where_the_data_are_there(folder):
    put(folder)
    for path in (folder / images.RAW, folder / "MNIST", folder):
        path.chmod(0o555)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert len(images.mnist().train) == 5
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_place_that_cannot_be_a_folder_ends_in_the_same_sentence(folder):
    folder.write_text("in the way")
    with pytest.raises(images.Missing, match="MNIST is not in"):
        images.mnist()


def test_the_digits_are_those_of_scikit_learn_scaled_to_plus_minus_one():
    x, everything = images.digits(), load_digits()
    assert (x.name, x.side) == ("digits", 8)
    assert (x.train.shape, x.held_out.shape) == ((1500, 64), (297, 64))
    assert x.train.dtype == torch.float32 and x.train_labels.dtype == torch.int64
    pixels = torch.cat([x.train, x.held_out]).numpy() * 8 + 8
    labels = torch.cat([x.train_labels, x.held_out_labels]).numpy()
    found = sorted(map(tuple, np.column_stack([pixels, labels]).astype(int)))
    assert found == sorted(map(tuple, np.column_stack([everything.data, everything.target]).astype(int)))


def test_each_class_of_the_digits_is_split_alike():
    x = images.digits()
    train, held_out = x.train_labels.bincount(), x.held_out_labels.bincount()
    assert ((train / (train + held_out) - 1500 / 1797).abs() < 0.004).all()


def test_auto_picks_mnist_where_it_is_and_the_digits_where_it_is_not(folder):
    assert images.pick("auto") == "digits"
    put(folder)
    assert images.pick("auto") == "mnist"


def test_a_named_choice_is_kept_as_it_is(folder):
    assert [images.pick(name) for name in ("mnist", "digits")] == ["mnist", "digits"]


def test_unknown_images_are_refused_with_those_that_are_allowed():
    with pytest.raises(StudyError, match="unknown images 'cifar': allowed are auto, mnist, digits"):
        images.pick("cifar")
    with pytest.raises(StudyError, match="unknown images 'auto': allowed are mnist, digits"):
        images.load("auto")


def test_the_data_folder_is_the_one_that_is_named_else_one_that_git_ignores(monkeypatch, tmp_path):
    monkeypatch.setenv("GANCORE_DATA", str(tmp_path))
    assert images.data_folder() == tmp_path
    monkeypatch.delenv("GANCORE_DATA")
    assert images.data_folder() == images.ROOT / "data" / "downloads"
    assert "/data/downloads/" in (images.ROOT / ".gitignore").read_text().splitlines()


def test_only_the_digits_carry_a_warning():
    assert images.banner("mnist") == ""
    lines = images.banner("digits").splitlines()
    assert all(line.startswith(">") for line in lines)
    for words in ("MNIST was not at hand", "8x8 digits", "kept apart", "claims are not decided", "GANCORE_DATA"):
        assert words in " ".join(lines)


@pytest.mark.slow
def test_a_scene_is_drawn_without_waiting_for_torchvision_and_scikit_learn():
    code = "import sys, gancore.images, gancore.metrics.traffic; print({'torchvision', 'sklearn'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
