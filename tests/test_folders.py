import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from arms import ADAM, player
from PIL import Image
from test_guided import UNIFORM, digits_recipe

from gancore.data.images import Folder, Missing, celeba, folders
from gancore.errors import StudyError
from gancore.observers import observers
from gancore.recipes.build import population
from gancore.streams import Stream

COLOUR = (200, 100, 50)
GREY = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)  # luma by ITU-R BT.601
LOOKS = {
    1: {"scores": {"times": 1, "pictures": 1}},
    2: {"reconstructions": {"at": [1], "pictures": 2, "between": 4}},
}
SMALL = player([6], "tanh", ADAM, UNIFORM)
PLAYERS = {1: {}, 2: {"players": dict.fromkeys(("generator", "encoder", "discriminator"), SMALL)}}
FILES = ["a.png", "b.JPG", "below/c.bmp", "below/further/d.gif", "e.webp", "f.tiff"]


@pytest.fixture
def folder(tmp_path):
    """Six images of one colour, in as many formats and folders below folders."""
    for name in FILES:
        put(tmp_path / name, Image.new("RGB", (20, 12), COLOUR))
    return tmp_path


def put(path, image, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **how)


def only(tmp_path, image, side, channels=1, name="x.png", **how):
    """The pixels of one image alone in a folder, (channels, side, side)."""
    put(tmp_path / name, image, **how)
    return folders.read(tmp_path, side, channels)[0].view(channels, side, side)


@pytest.mark.parametrize(("channels", "bytes_"), [(1, [GREY]), (3, COLOUR)])
def test_every_format_is_read_from_all_folders_below(folder, channels, bytes_):
    target = Folder(str(folder), side=8, channels=channels)
    x = target.training()
    assert x.shape == (6, target.dimensions) == (6, channels * 64) and x.dtype == torch.float32
    pixels = (x.view(6, channels, 64) + 1) * 127.5
    assert (pixels - torch.tensor(bytes_, dtype=torch.float32)[:, None]).abs().max() <= 4  # as JPEG and WebP lose


def test_pixels_of_an_image_of_the_right_size_are_its_own_by_channel_row_and_column(tmp_path):
    pixels = np.random.default_rng(0).integers(256, size=(6, 6, 3), dtype=np.uint8)
    pixels[0, 0], pixels[0, 1] = 0, 255
    put(tmp_path / "x.png", Image.fromarray(pixels))
    x = Folder(str(tmp_path), side=6, channels=3).training()[0].view(3, 6, 6)
    np.testing.assert_allclose((x + 1) * 127.5, pixels.transpose(2, 0, 1), atol=1e-4)
    assert (x.min(), x.max()) == (-1, 1)


@pytest.mark.parametrize("turn", [False, True])
def test_the_square_in_the_middle_is_cut_out(tmp_path, turn):
    pixels = np.repeat(np.array([[0, 0, 60, 120, 180, 240, 255, 255]], np.uint8), 4, axis=0)
    kept = pixels[:, 2:6]
    pixels, kept = (pixels.T, kept.T) if turn else (pixels, kept)
    assert np.array_equal(only(tmp_path, Image.fromarray(pixels), 4)[0], kept)


def test_resizing_averages_what_is_finer_than_a_pixel(tmp_path):
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    x = only(tmp_path, Image.fromarray(stripes), 8)
    assert (x.float() - 127.5).abs().max() < 10


def test_what_is_transparent_is_white(tmp_path):
    image = Image.new("RGBA", (2, 2), (*COLOUR, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 128))
    x = only(tmp_path, image, 2, 3)
    assert x[:, 0, 0].tolist() == [255] * 3 and x[:, 1, 1].tolist() == list(COLOUR)
    assert (x[:, 0, 1].float() - 127).abs().max() <= 1


def test_a_palette_gives_its_colours_and_its_transparent_one_white(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([*COLOUR, 1, 2, 3])
    image.putpixel((1, 0), 1)
    doubled = image.resize((2, 2), Image.Resampling.NEAREST)
    assert only(tmp_path, doubled, 2, 3)[:, 0].T.tolist() == [list(COLOUR), [1, 2, 3]]
    assert only(tmp_path, doubled, 2, 3, transparency=1)[:, 0].T.tolist() == [list(COLOUR), [255] * 3]


def test_a_photograph_is_turned_upright_as_its_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    pixels = np.array([[10, 20], [30, 40]], np.uint8)
    assert np.array_equal(only(tmp_path, Image.fromarray(pixels), 2, exif=exif)[0], pixels[::-1, ::-1])


def test_what_cannot_be_read_is_named_once_with_the_reason_and_hidden_files_are_passed_over(folder):
    whole = (folder / "b.JPG").read_bytes()
    (folder / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "below" / "empty.png").write_bytes(b"")
    (folder / "text.gif").write_text("not a picture")
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._a.png", ".thumbnails/a.png", "__MACOSX/a.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(whole)
    target = Folder(str(folder), side=8)
    named = r"below/empty.png \(empty\), half.jpg \(damaged\), text.gif \(no image that can be read\)$"
    with pytest.warns(UserWarning, match=f"3 files in .* are left out: {named}"):
        x = target.training()
    assert len(x) == 6
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sorted(target.left_out()) == ["below/empty.png", "half.jpg", "text.gif"]
        assert target.held_out().shape == (0, 64)


def test_whatever_else_lies_in_a_folder_is_named_with_the_reason(folder, tmp_path_factory):
    whole, elsewhere = (folder / "a.png").read_bytes(), tmp_path_factory.mktemp("elsewhere")
    for name in ("photo.heic", "none", "notes.txt"):
        (folder / name).write_bytes(whole)
    (folder / "folder.png").mkdir()
    (folder / "folder.png" / "g.png").write_bytes(whole)
    (folder / "dangling.png").symlink_to(folder / "nowhere.png")
    (folder / "link.png").symlink_to(folder / "a.png")
    (folder / "linked").symlink_to(elsewhere)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.png")
    with pytest.warns(UserWarning, match="8 files in .* and 3 more$"):
        target = Folder(str(folder), side=8)
        assert len(target.training()) == len(FILES) + 2
    assert target.left_out() == {
        "photo.heic": ".heic is not read",
        "none": "no suffix of an image",
        "notes.txt": ".txt is not read",
        "folder.png": "a folder",
        "dangling.png": "a link to nothing",
        "linked": "a link to a folder",
        "loop": "a link to a folder",
        "pipe.png": "no file",
    }


@pytest.mark.parametrize("suffix", sorted({suffix.lower() for suffix in folders.SUFFIXES} - {".pfm"}))
def test_a_file_of_any_format_is_read_whole_and_named_when_cut_short(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
    put(tmp_path / f"x{suffix}", Image.fromarray(pixels))
    content = (tmp_path / f"x{suffix}").read_bytes()
    assert len(folders.read(tmp_path, 8, 1)[0]) == 1
    for part in (0.2, 0.6, 0.95):
        (tmp_path / f"x{suffix}").write_bytes(content[: int(part * len(content))])
        with pytest.raises(StudyError, match=rf"x{suffix} \((damaged|no image that can be read)\)"):
            folders.read(tmp_path, 8, 1)


def test_a_file_that_nobody_may_open_is_named_and_counts_in_the_digest_by_its_name(folder, monkeypatch):
    before = folders.folder_digest(folder)
    opened, content_of = Image.open, Path.read_bytes

    def closed(function):
        def call(path, *rest):
            if path.name == "a.png":
                raise PermissionError(13, "Permission denied", str(path))
            return function(path, *rest)

        return call

    monkeypatch.setattr(Image, "open", closed(opened))
    monkeypatch.setattr(Path, "read_bytes", closed(content_of))
    digest = folders.folder_digest(folder)
    with pytest.warns(UserWarning, match=r"1 file in .* is left out: a.png \(Permission denied\)$"):
        assert len(Folder(str(folder), side=4, digest=digest).training()) == 5
    assert digest != before
    (folder / "a.png").rename(folder / "aa.png")
    assert folders.folder_digest(folder) != digest


def test_a_folder_that_nobody_may_list_is_named(folder, monkeypatch):
    listed = os.scandir

    def closed(path):
        if Path(path).name == "further":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.warns(UserWarning, match=r"left out: below/further \(Permission denied\)$"):
        assert len(folders.read(folder, 4, 1)[0]) == 5


def test_an_image_of_too_many_pixels_is_named(tmp_path, monkeypatch):
    put(tmp_path / "x.png", Image.new("1", (100, 100)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(StudyError, match=r"x.png \(too many pixels\)"):
        folders.read(tmp_path, 4, 1)


def test_of_many_files_left_out_the_first_are_named_and_the_others_counted(folder):
    for number in range(8):
        (folder / f"broken{number}.png").write_bytes(b"broken")
    named = r"broken4.png \(no image that can be read\) and 3 more$"
    with pytest.warns(UserWarning, match=named):
        _, left = folders.read(folder, 8, 1)
    assert len(left) == 8


@pytest.mark.parametrize("count", [1, 2])
def test_a_folder_of_a_single_image_is_drawn_from_and_asked_for_more_it_says_how_many_there_are(tmp_path, count):
    put(tmp_path / "x.png", Image.new("L", (4, 4), 51))
    target = Folder(str(tmp_path), side=4)
    assert target.training().tolist() == [pytest.approx([-0.6] * 16)]
    x = Stream([0], "real", target.draw(3), torch.device("cpu"))(0)
    assert (x == x[0, 0, 0]).all()
    pictures = {"name": "folder", "path": str(tmp_path), "side": 4}
    recipe = digits_recipe("bigan" if count == 2 else "gan", 3, target=pictures, observe=LOOKS[count], **PLAYERS[count])
    with pytest.raises(StudyError, match=r"allowed (are at most 0 of each kind|is an even number up to all 0)"):
        observers(recipe["observe"], recipe["steps"], population(recipe, [0], torch.device("cpu")))


def test_a_folder_with_nothing_to_read_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("none")
    for broken in (False, True):
        if broken:
            (tmp_path / "x.png").write_bytes(b"broken")
        with pytest.raises(StudyError, match="has no readable image"):
            Folder(str(tmp_path)).draw(4)


def test_what_is_no_folder_is_refused(folder):
    for path in (folder / "nowhere", folder / "a.png"):
        for ask in (Folder(str(path)).training, lambda path=path: folders.folder_digest(path)):
            with pytest.raises(StudyError, match=f"{path} is not a folder"):
                ask()


@pytest.mark.parametrize("bad", [{"channels": 2}, {"channels": 4}, {"side": 0}])
def test_a_picture_that_cannot_be_is_refused(bad):
    with pytest.raises(StudyError, match="allowed"):
        Folder("anywhere", **bad)


@pytest.mark.parametrize("count", [1, 9, 10, 25])
def test_every_tenth_image_in_the_order_of_names_is_held_out(tmp_path, count):
    for number in range(count):
        put(tmp_path / f"{number:03}.png", Image.new("L", (4, 4), number))
    target = Folder(str(tmp_path), side=4)
    numbers = [((x[:, 0] + 1) * 127.5).round().int().tolist() for x in (target.training(), target.held_out())]
    assert numbers[1] == [number for number in range(count) if number % 10 == 9]
    assert sorted(numbers[0] + numbers[1]) == list(range(count))


def test_batches_are_drawn_with_replacement_from_the_training_images_alone(tmp_path):
    for number in range(12):
        put(tmp_path / f"{number:03}.png", Image.new("L", (4, 4), number))
    target = Folder(str(tmp_path), side=4)
    x = Stream([0, 1], "real", target.draw(100), torch.device("cpu"))(0)
    assert x.shape == (2, 100, 16) and x.dtype == torch.float32
    assert torch.equal(x.flatten(0, 1).unique(dim=0), target.training().unique(dim=0))


def test_the_digest_follows_names_and_contents_of_images_and_nothing_else(folder):
    seen = [folders.folder_digest(folder)]

    def changed():
        seen.append(folders.folder_digest(folder))
        return seen[-1] != seen[-2]

    (folder / "notes.txt").write_text("of no account")
    assert not changed()
    (folder / "a.png").rename(folder / "z.png")
    assert changed()
    content = (folder / "z.png").read_bytes()
    (folder / "z.png").write_bytes(content + b"\0")
    assert changed()
    (folder / "e.webp").unlink()
    assert changed()
    assert len(set(seen)) == 4


def test_a_folder_other_than_the_one_a_recipe_names_is_refused(folder):
    digest = folders.folder_digest(folder)
    assert len(Folder(str(folder), side=4, digest=digest).training()) == 6
    put(folder / "g.png", Image.new("L", (4, 4)))
    with pytest.raises(StudyError, match=f"are not those of the recipe, whose digest is {digest}"):
        Folder(str(folder), side=5, digest=digest).training()


class FakeCelebA:
    """Leaves in its root what a download would."""

    def __init__(self, root, download):
        print("chatter")
        put(Path(root, "celeba", "img_align_celeba", "000001.jpg"), Image.new("RGB", (178, 218), COLOUR))


def test_celeba_is_a_folder_of_colour_images(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(torchvision.datasets, "CelebA", FakeCelebA)
    monkeypatch.setenv("GANCORE_DATA", str(tmp_path))
    faces = celeba(side=16)
    assert faces == Folder(str(tmp_path / "celeba" / "img_align_celeba"), 16, 3)
    assert faces.training().shape == (1, 3 * 16 * 16)
    assert capfd.readouterr() == ("", "")


def test_celeba_that_is_not_there_ends_in_a_sentence_that_helps(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("torchvision.datasets.celeba.download_file_from_google_drive", refuse)
    with pytest.raises(Missing, match=f"CelebA is not in {tmp_path} and could not be downloaded.*GANCORE_DATA"):
        celeba(tmp_path)
    for folder in (tmp_path, tmp_path / "new"):
        with pytest.raises(Missing):
            celeba(folder)
    assert not list(tmp_path.rglob("*"))


def test_celeba_that_is_there_is_read_without_its_lists_and_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "CelebA", None)
    put(tmp_path / "celeba" / "img_align_celeba" / "000001.jpg", Image.new("RGB", (178, 218), COLOUR))
    assert len(celeba(tmp_path, side=4).training()) == 1
