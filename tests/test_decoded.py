"""Folders of images are decoded once and never written to; what is kept is not trusted where it is not theirs."""

import os
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from gancore.data.images import decoded, folders


@pytest.fixture
def folder(tmp_path):
    """Twelve images and a damaged one."""
    place = tmp_path / "mine"
    place.mkdir()
    rng = np.random.default_rng(0)
    for number in range(12):
        Image.fromarray(rng.integers(256, size=(9, 9), dtype=np.uint8)).save(place / f"{number:02}.png")
    (place / "damaged.png").write_bytes(b"no image")
    return place


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Everything is worth keeping, in a folder of the test's own; counts of the files decoded and digested."""
    monkeypatch.setattr(decoded, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(decoded, "WORTH", 0.0)
    monkeypatch.setattr(decoded, "SETTLED", -60.0)  # as if the files had been there for a minute
    counts = {"decoded": 0, "digested": 0}
    picture, digest = folders.picture, folders._digest

    def counted(file, side, channels):
        counts["decoded"] += 1
        return picture(file, side, channels)

    def counted_digest(files):
        counts["digested"] += len(files)
        return digest(files)

    monkeypatch.setattr(folders, "picture", counted)
    monkeypatch.setattr(folders, "_digest", counted_digest)
    return counts


def read(folder, side=8, channels=1):
    with pytest.warns(UserWarning, match=r"damaged\.png \(no image that can be read\)"):
        return folders.read(folder, side, channels)


def test_a_folder_is_decoded_and_digested_once_and_reads_the_same_ever_after(folder, work):
    before = sorted(folder.rglob("*"))
    (first, left), again = read(folder), [read(folder) for _ in range(3)]
    assert work == {"decoded": 13, "digested": 13}
    assert all(torch.equal(first, images) and left == others for images, others in again)
    assert sorted(folder.rglob("*")) == before


def test_each_size_and_colour_is_decoded_for_itself(folder, work):
    shapes = [tuple(read(folder, *size)[0].shape) for size in ((8, 1), (4, 1), (8, 3), (4, 1))]
    assert shapes == [(12, 64), (12, 16), (12, 192), (12, 16)]
    assert work == {"decoded": 39, "digested": 13}


def overwrite_in_place(folder):
    """Other pixels of the same size, with the time of the old ones."""
    file, other = folder / "03.png", folder / "04.png"
    seen = file.stat()
    content = other.read_bytes()[: seen.st_size]
    file.write_bytes(content + b"\0" * (seen.st_size - len(content)))
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))


CHANGES = {
    "renamed": (lambda folder: (folder / "03.png").rename(folder / "99.png"), 13),
    "removed": (lambda folder: (folder / "03.png").unlink(), 12),
    "added": (lambda folder: Image.new("L", (9, 9)).save(folder / "a.png"), 14),
    "overwritten in secret": (overwrite_in_place, 13),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_folder_is_read_again(change, folder, work):
    make, files = CHANGES[change]
    read(folder)
    make(folder)
    read(folder)
    assert work == {"decoded": 13 + files, "digested": 13 + files}


def test_a_folder_that_was_only_touched_is_digested_again_and_not_decoded(folder, work):
    read(folder)
    os.utime(folder / "03.png")
    read(folder)
    assert work == {"decoded": 13, "digested": 26}


def test_files_changed_just_now_are_not_taken_for_known(folder, work, monkeypatch):
    monkeypatch.setattr(decoded, "SETTLED", 60.0)
    read(folder), read(folder)
    assert work == {"decoded": 13, "digested": 26}


def flip_a_bit(file):
    content = bytearray(file.read_bytes())
    content[20] ^= 1
    file.write_bytes(content)


DAMAGES = {
    "a flipped bit": flip_a_bit,
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:-10]),
    "empty": lambda file: file.write_bytes(b""),
    "gone": lambda file: file.unlink(),
}


@pytest.mark.parametrize("kind", ["npy", "json", "digest"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_kept_and_damaged_is_made_anew(kind, damage, folder, work):
    first = read(folder)[0].clone()
    (file,) = decoded.KEPT.glob(f"*.{kind}")
    DAMAGES[damage](file)
    assert torch.equal(read(folder)[0], first)
    again = dict(work)
    assert again == {"decoded": 13, "digested": 26} if kind == "digest" else {"decoded": 26, "digested": 13}
    assert torch.equal(read(folder)[0], first) and work == again


def test_where_nothing_can_be_kept_images_are_decoded_each_time(folder, work, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(decoded, "KEPT", tmp_path / "file" / "kept")
    assert torch.equal(read(folder)[0], read(folder)[0])
    assert work == {"decoded": 26, "digested": 26}


def test_a_small_folder_leaves_nothing_behind(folder, work, monkeypatch):
    monkeypatch.setattr(decoded, "WORTH", 60.0)
    read(folder)
    assert not decoded.KEPT.exists()


def test_other_code_does_not_find_what_this_code_decoded(folder, work, monkeypatch, tmp_path):
    read(folder)
    other = tmp_path / "pixels.py"
    other.write_text("other code")
    monkeypatch.setattr(decoded, "CODE", [other])
    read(folder)
    assert work == {"decoded": 26, "digested": 13}


def test_kept_images_can_be_scaled_without_a_warning_or_a_change_on_disk(folder, work):
    read(folder)
    images, _ = read(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images.float().div_(255)
        images += 1
    assert torch.equal(read(folder)[0] + 1, images)
