import gzip
import hashlib
import os
import socket
import struct
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.error import URLError

import nbformat
import numpy as np
import pytest
import torch
import torchvision
from sklearn.datasets import load_digits
from torchvision.datasets import MNIST

from gancore import files
from gancore.__main__ import main
from gancore.data import images
from gancore.data.images import published
from gancore.errors import StudyError

needs_mnist = pytest.mark.skipif(
    published._place("mnist", images.data_folder()) is None, reason="MNIST is not in the data folder"
)
PIXELS = np.random.default_rng(0).integers(256, size=(5, 28, 28), dtype=np.uint8)
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


def put(folder, files=FILES, place="MNIST/raw"):
    (folder / place).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / place / name).write_bytes(content)


def spelt(files, like):
    """The files under other names, packed where these end in .gz: `like` makes a name of a name."""
    names = {like(name): content for name, content in files.items()}
    return {name: gzip.compress(content) if name.endswith(".gz") else content for name, content in names.items()}


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
    monkeypatch.setattr(published, "SHA256", {name: hashlib.sha256(file).hexdigest() for name, file in FILES.items()})
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
    np.testing.assert_allclose((x.train.numpy() + 1) * 127.5, PIXELS.reshape(5, 784), atol=1e-5)
    assert (x.side, x.train_labels.tolist(), x.held_out_labels.tolist()) == (28, [3, 1, 4, 1, 5], [3, 1])
    assert torch.equal(x.held_out, x.train[:2])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage",
    [lambda file: file[: len(file) // 2], lambda file: file[:-1] + bytes([file[-1] ^ 1]), lambda file: b""],
    ids=["truncated", "one bit flipped", "empty"],
)
def test_a_damaged_file_is_named_and_never_to_be_deleted_and_auto_does_not_fall_back(folder, name, damage):
    put(folder, FILES | {name: damage(FILES[name])})
    for ask in (images.mnist, lambda: images.pick("auto")):
        with pytest.raises(StudyError, match=rf"{name} is not MNIST's, its SHA-256 differs.*fashion-mnist") as stopped:
            ask()
        assert not isinstance(stopped.value, images.Missing) and "delete" not in str(stopped.value)


def mixed(name):
    return f"{name}.gz" if "labels" in name else name.replace("-idx", ".idx")


NAMES = {
    "plain": lambda name: name,
    "packed": lambda name: f"{name}.gz",
    "dots": lambda name: name.replace("-idx", ".idx"),
    "packed with dots": lambda name: f"{name.replace('-idx', '.idx')}.gz",
    "mixed": mixed,
}


@pytest.mark.parametrize("named", ["", "MNIST", "MNIST/raw"])
@pytest.mark.parametrize("like", NAMES.values(), ids=NAMES)
def test_mnist_is_found_however_it_is_named_and_packed_and_nothing_is_written(
    folder, monkeypatch, offline, named, like
):
    put(folder, spelt(FILES, like))
    before = files_in(folder)
    monkeypatch.setenv("GANCORE_DATA", str(folder / named))
    assert torch.equal(images.load("mnist").train, images.mnist(folder / named).train)
    assert images.mnist().held_out_labels.tolist() == [3, 1]
    assert files_in(folder) == before and not offline


@pytest.mark.parametrize("place", [".", "MNIST"])
def test_mnist_is_found_where_its_files_lie_without_a_folder_of_their_own(folder, place):
    put(folder, place=place)
    assert len(images.mnist().train) == 5


def test_the_links_to_mnist_serve_as_well(folder, tmp_path):
    put(tmp_path / "elsewhere")
    folder.mkdir()
    for name in FILES:
        (folder / name).symlink_to(tmp_path / "elsewhere" / "MNIST" / "raw" / name)
    assert len(images.mnist().train) == 5


@pytest.mark.parametrize("damage", [lambda file: file[:-9], lambda file: b"plain", lambda file: b""])
def test_a_damaged_packed_file_is_named(folder, damage):
    packed = spelt(FILES, NAMES["packed"])
    name = "t10k-images-idx3-ubyte.gz"
    put(folder, packed | {name: damage(packed[name])})
    with pytest.raises(StudyError, match=rf"{name} (cannot be unpacked.*restore it|is not MNIST's)") as stopped:
        images.pick("auto")
    assert not isinstance(stopped.value, images.Missing)


@pytest.mark.parametrize("absent", [*FILES, "all"])
def test_a_missing_file_without_a_network_ends_in_a_sentence_that_names_it(folder, offline, capfd, absent):
    if absent != "all":
        put(folder, {name: content for name, content in FILES.items() if name != absent})
    before = set(folder.parent.rglob("*"))
    with pytest.raises(images.Missing) as stopped:
        images.load("mnist")
    found = f"{folder / 'MNIST' / 'raw'} has no {absent}"
    nothing = f"{', '.join(FILES)} are not in {folder}, where MNIST/raw, MNIST, raw and the folder were tried"
    assert str(stopped.value) == (
        f"MNIST could not be downloaded: {nothing if absent == 'all' else found}; set GANCORE_DATA to a folder that "
        'has all four of MNIST, plain or as .gz, or use images="digits"'
    )
    assert set(folder.parent.rglob("*")) == before
    assert offline and max(offline) <= 10 and socket.getdefaulttimeout() is None
    assert capfd.readouterr() == ("", "")


def test_a_server_that_stays_silent_is_not_waited_for(folder, monkeypatch):
    monkeypatch.setattr(published, "SECONDS_TO_ANSWER", 0.2)
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
    assert not folder.exists()


def test_a_download_completes_what_is_there_and_leaves_it_as_it_is(folder, monkeypatch):
    put(folder, {f"{name}.gz": gzip.compress(FILES[name]) for name in list(FILES)[:2]})
    before = {path: path.read_bytes() for path in folder.rglob("*.gz")}
    monkeypatch.setattr(torchvision.datasets, "MNIST", FakeMNIST)
    assert len(images.mnist().train) == 5
    assert files_in(folder) == {f"MNIST/raw/{name}" for name in [*list(FILES)[2:], *(path.name for path in before)]}
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_folder_that_takes_no_files_works_where_the_data_are_there(folder):
    put(folder)
    for path in (folder / "MNIST" / "raw", folder / "MNIST", folder):
        path.chmod(0o555)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert len(images.mnist().train) == 5
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_place_that_cannot_be_a_folder_ends_in_the_same_sentence(folder):
    folder.write_text("in the way")
    with pytest.raises(images.Missing, match="MNIST could not be downloaded"):
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
    with pytest.raises(
        StudyError, match="unknown images 'cifar': allowed are auto, mnist, digits, fashion-mnist, kmnist"
    ):
        images.pick("cifar")
    with pytest.raises(StudyError, match="unknown images 'auto': allowed are mnist, digits, fashion-mnist, kmnist"):
        images.load("auto")


def test_the_data_folder_is_the_one_that_is_named_else_one_that_git_ignores(monkeypatch, tmp_path):
    monkeypatch.setenv("GANCORE_DATA", str(tmp_path))
    assert images.data_folder() == tmp_path
    monkeypatch.delenv("GANCORE_DATA")
    assert images.data_folder() == files.ROOT / "data" / "downloads"
    assert "/data/downloads/" in (files.ROOT / ".gitignore").read_text().splitlines()


OTHERS = {"fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}
OTHER_FILES = FILES | {"train-images-idx3-ubyte": idx(255 - PIXELS), "t10k-images-idx3-ubyte": idx(255 - PIXELS[:2])}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("like", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("named", ["", "{}", "{}/raw"])
def test_fashion_mnist_and_kmnist_are_read_by_their_names_from_every_layout(folder, monkeypatch, name, like, named):
    put(folder, spelt(OTHER_FILES, like), f"{OTHERS[name]}/raw")
    monkeypatch.setenv("GANCORE_DATA", str(folder / named.format(OTHERS[name])))
    x = images.load(images.pick(name))
    np.testing.assert_allclose((x.train.numpy() + 1) * 127.5, 255.0 - PIXELS.reshape(5, 784), atol=1e-4)
    assert (x.name, x.side, images.SIDES[name]) == (name, 28, 28)
    assert (x.train_labels.tolist(), x.held_out_labels.tolist()) == ([3, 1, 4, 1, 5], [3, 1])


@pytest.mark.parametrize("name", OTHERS)
def test_mnist_is_not_taken_for_another_set_nor_another_for_mnist(folder, monkeypatch, name):
    put(folder, place=".")
    with pytest.raises(images.Missing, match=f"are not in {folder}, where {OTHERS[name]}/raw"):
        images.load(name)
    put(folder, place=f"{OTHERS[name]}/raw")
    with pytest.raises(StudyError, match="raw has the files of MNIST, not of"):
        images.load(name)
    put(folder, OTHER_FILES, "MNIST/raw")
    with pytest.raises(StudyError, match=rf"is not MNIST's.*images = \"{'fashion-mnist'}\" or \"kmnist\""):
        images.load("mnist")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("train-images-idx3-ubyte", idx(PIXELS)[:-1]),
        ("train-images-idx3-ubyte", idx(PIXELS) + b"0"),
        ("train-images-idx3-ubyte", b""),
        ("train-images-idx3-ubyte", idx(LABELS)),
        ("train-images-idx3-ubyte", b"\0\0\x0d\3" + idx(PIXELS)[4:]),
        ("t10k-labels-idx1-ubyte", idx(LABELS)[:6]),
    ],
)
def test_what_is_not_in_the_format_is_named(folder, file, content):
    put(folder, OTHER_FILES | {file: content}, "KMNIST/raw")
    with pytest.raises(StudyError, match=f"KMNIST/raw/{file} is no whole file of bytes.*restore it"):
        images.load("kmnist")


@pytest.mark.parametrize(
    "wrong",
    [
        {"train-labels-idx1-ubyte": idx(LABELS[:4])},
        {"t10k-labels-idx1-ubyte": idx(LABELS[:2] + 9)},
        {"t10k-images-idx3-ubyte": idx(PIXELS[:2, :14])},
        {"train-images-idx3-ubyte": idx(PIXELS[:0]), "train-labels-idx1-ubyte": idx(LABELS[:0])},
    ],
)
def test_files_that_do_not_agree_are_refused(folder, wrong):
    put(folder, OTHER_FILES | wrong, "FashionMNIST/raw")
    with pytest.raises(StudyError, match="allowed are images of 28 x 28, one or more, each with a label below 10"):
        images.load("fashion-mnist")


def test_a_relative_folder_counts_from_where_the_user_stands_and_home_is_expanded(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for named, meant in {"data": "data", "~/data": "home/data", "../x": "../x"}.items():
        monkeypatch.setenv("GANCORE_DATA", named)
        assert os.path.samefile(images.data_folder().parent, (tmp_path / meant).parent)
        assert images.data_folder().is_absolute()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def test_the_commands_tell_their_kernels_where_the_user_stands(tmp_path, monkeypatch):
    monkeypatch.setenv("PWD", "/somewhere/else")
    monkeypatch.chdir(tmp_path)
    main(["check"])
    assert os.environ["PWD"] == str(tmp_path)


@pytest.mark.slow
def test_in_a_notebook_a_relative_folder_counts_from_where_papermill_was_called(tmp_path):
    (tmp_path / "notebooks").mkdir()
    code = "from gancore.data.images import data_folder; print(data_folder())"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbformat.write(notebook, tmp_path / "notebooks" / "where.ipynb")
    papermill = f"{sys.executable} -m papermill notebooks/where.ipynb out.ipynb -k python3 --cwd notebooks"
    environment = os.environ | {"PYTHONPATH": str(files.ROOT), "GANCORE_DATA": "shared/mnist"}
    subprocess.run(["bash", "-c", f"cd {tmp_path} && {papermill}"], env=environment, check=True, capture_output=True)
    (output,) = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[0].outputs
    assert output.text == f"{tmp_path}/shared/mnist\n"
    assert not (tmp_path / "shared").exists()


@pytest.mark.parametrize("bad", ["", None, 3, True, ["x"], "a\0b", "~nobody-of-this-name/x"])
def test_what_is_no_path_is_refused(bad):
    with pytest.raises(StudyError, match=r"is no path|whom this machine does not know"):
        files.from_user(bad)


@pytest.mark.parametrize("name", OTHERS)
def test_other_images_say_what_is_left_out(name):
    text = " ".join(images.banner(name).split())
    assert published.PUBLISHED[name].title in text and "digits" not in text
    for words in ("not on MNIST", "is left out", "kept apart", "claims are not decided"):
        assert words in text


def test_only_mnist_carries_no_warning():
    assert images.banner("mnist") == ""
    lines = images.banner("digits").splitlines()
    assert all(line.startswith(">") for line in lines)
    for words in ("MNIST was not at hand", "8x8 digits", "kept apart", "claims are not decided", "GANCORE_DATA"):
        assert words in " ".join(lines)


@pytest.mark.slow
def test_a_scene_is_drawn_without_waiting_for_torchvision_and_scikit_learn():
    code = "import sys, gancore.data.images, gancore.metrics.traffic as drawn; "
    code += "print({'torchvision', 'sklearn'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
