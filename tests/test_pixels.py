"""Every kind of image file to the right grey: files written by their formats' definitions, greys by arithmetic."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from gancore.data.images import folders
from gancore.errors import StudyError

GREYS = np.array([[0, 255], [128, 64]])
COLOURS = np.array([[[200, 100, 50], [0, 0, 255]], [[255, 255, 0], [17, 130, 240]]])
ALPHA = np.array([[255, 0], [128, 51]])
LUMA = COLOURS @ [0.299, 0.587, 0.114]  # ITU-R BT.601
ON_WHITE = (GREYS * ALPHA + 255 * (255 - ALPHA)) / 255
COLOUR_ON_WHITE = (LUMA * ALPHA + 255 * (255 - ALPHA)) / 255


def tiff(pixels, bits, photometric=1, kind=1, extra=(), orientation=1):
    """A TIFF file of one uncompressed strip: pixels (rows, columns[, samples]) of the byte order they are in."""
    order = ">" if pixels.dtype.byteorder == ">" else "<"
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    tags = {256: [pixels.shape[1]], 257: [len(pixels)], 258: [bits] * samples, 259: [1], 262: [photometric]}
    tags |= {273: [8], 274: [orientation], 277: [samples], 278: [len(pixels)], 279: [pixels.nbytes]}
    tags |= ({338: extra} if extra else {}) | {339: [kind] * samples}
    data, after, entries = pixels.tobytes(), b"", b""
    data += b"\0" * (len(data) % 2)
    start = 8 + len(data)
    for tag, values in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}H", *values)
        if len(packed) > 4:
            place, after = start + len(after), after + packed + b"\0" * (len(packed) % 4)
            packed = struct.pack(f"{order}I", place)
        entries += struct.pack(f"{order}HHI", tag, 3, len(values)) + packed.ljust(4, b"\0")
    header = (b"MM" if order == ">" else b"II") + struct.pack(f"{order}HI", 42, start + len(after))
    return header + data + after + struct.pack(f"{order}H", len(tags)) + entries + b"\0" * 4


def png(rows, depth, colour, key=None):
    """A PNG file 2 pixels wide: rows of bytes; `key` is the transparent colour."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 2, len(rows), depth, colour, 0, 0, 0)
    transparent = b"" if key is None else chunk(b"tRNS", key)
    body = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + transparent + body + chunk(b"IEND", b"")


def deep_png(pixels, colour, key=None):
    return png([row.astype(">u2").tobytes() for row in pixels], 16, colour, key)


def pnm(kind, pixels, white):
    return f"{kind} 2 2 {white}\n".encode() + pixels.astype(">u2" if white > 255 else "u1").tobytes()


def scaled(greys, white, dtype):
    return (greys / 255 * white).round(0 if np.dtype(dtype).kind in "iu" else 9).astype(dtype)


def twelve_bits(pixels):
    """A row of two pixels is three bytes."""
    rows = [(int(a) << 12 | int(b)).to_bytes(3, "big") for a, b in pixels]
    return np.frombuffer(b"".join(rows), np.uint8).reshape(2, 3)


def narrowed(file):
    """A TIFF file of rows of three bytes, said to be two pixels wide: twelve bits each."""
    return file.replace(struct.pack("<HHI2H", 256, 3, 1, 3, 0), struct.pack("<HHI2H", 256, 3, 1, 2, 0))


def lightness(greys):
    """The grey in sRGB of CIE lightness L* = 100 greys / 255, neutral in a and b."""
    f = (greys / 2.55 + 16) / 116
    y = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2)
    return 255 * np.where(y > 0.0031308, 1.055 * y ** (1 / 2.4) - 0.055, 12.92 * y)


U1, BLACK_OR_WHITE = np.uint8, np.array([[0, 255], [255, 0]])
FOUR_BITS, TWO_BITS = [b"\x0f", b"\x84"], [b"\x30", b"\x90"]
ASSOCIATED = np.stack([GREYS * ALPHA // 255, ALPHA], 2).astype(U1)
FILES = {  # name: content, greys
    "float of 0 to 1.tif": (tiff(scaled(GREYS, 1, "<f4"), 32, kind=3), GREYS),
    "float of 0 to 255.tif": (tiff(scaled(GREYS, 255, "<f4"), 32, kind=3), GREYS),
    "float of 0 to 65535, Motorola.tif": (tiff(scaled(GREYS, 65535, ">f4"), 32, kind=3), GREYS),
    "float, 0 is white.tif": (tiff(scaled(GREYS, 1, "<f4"), 32, 0, 3), 255 - GREYS),
    "float.pfm": (b"Pf\n2 2\n-1.0\n" + scaled(GREYS[::-1], 1, "<f4").tobytes(), GREYS),
    "32 bits of 0 to 255.tif": (tiff(scaled(GREYS, 255, "<i4"), 32, kind=2), GREYS),
    "32 bits of 0 to 255, Motorola.tif": (tiff(scaled(GREYS, 255, ">i4"), 32, kind=2), GREYS),
    "32 bits of 0 to 65535.tif": (tiff(scaled(GREYS, 65535, "<i4"), 32, kind=2), GREYS),
    "32 bits without sign.tif": (tiff(scaled(GREYS, 255, "<u4"), 32), GREYS),
    "32 bits of 0 and 1.tif": (tiff(scaled(BLACK_OR_WHITE, 1, "<i4"), 32, kind=2), BLACK_OR_WHITE),
    "16 bits with sign, to 255.tif": (tiff(scaled(GREYS, 255, "<i2"), 16, kind=2), GREYS),
    "16 bits.tif": (tiff(scaled(GREYS, 65535, "<u2"), 16), GREYS),
    "16 bits, Motorola.tif": (tiff(scaled(GREYS, 65535, ">u2"), 16), GREYS),
    "16 bits, 0 is white.tif": (tiff(scaled(GREYS, 65535, "<u2"), 16, 0), 255 - GREYS),
    "12 bits.tif": (narrowed(tiff(twelve_bits(scaled(GREYS, 4095, "u2")), 12)), GREYS),
    "8 bits.tif": (tiff(GREYS.astype(U1), 8), GREYS),
    "8 bits, 0 is white.tif": (tiff(GREYS.astype(U1), 8, 0), 255 - GREYS),
    "grey with alpha.tif": (tiff(np.stack([GREYS, ALPHA], 2).astype(U1), 8, extra=[2]), ON_WHITE),
    "grey with associated alpha.tif": (tiff(ASSOCIATED, 8, extra=[1]), ON_WHITE),
    "16 bits.png": (deep_png(scaled(GREYS, 65535, "u2"), 0), GREYS),
    "16 bits, one is clear.png": (deep_png(scaled(GREYS, 65535, "u2"), 0, b"\0\0"), GREYS.clip(0) + 255 * (GREYS == 0)),
    "16 bits with alpha.png": (deep_png(257 * np.stack([GREYS, ALPHA], 2), 4), ON_WHITE),
    "4 bits.png": (png(FOUR_BITS, 4, 0), [[0, 255], [136, 68]]),
    "4 bits, one is clear.png": (png(FOUR_BITS, 4, 0, b"\0\x08"), [[0, 255], [255, 68]]),
    "2 bits.png": (png(TWO_BITS, 2, 0), [[0, 255], [170, 85]]),
    "2 bits, one is clear.png": (png(TWO_BITS, 2, 0, b"\0\x02"), [[0, 255], [255, 85]]),
    "1 bit.png": (png([b"\x40", b"\x80"], 1, 0), BLACK_OR_WHITE),
    "colour of 16 bits.png": (deep_png(257 * COLOURS, 2), LUMA),
    "colour of 16 bits, one is clear.png": (
        deep_png(257 * COLOURS, 2, (257 * COLOURS[0, 1]).astype(">u2").tobytes()),
        np.where([[0, 1], [0, 0]], 255, LUMA),
    ),
    "colour of 16 bits.tif": (tiff(257 * COLOURS.astype("<u2"), 16, 2), LUMA),
    "15.pgm": (pnm("P5", np.array([[0, 15], [8, 4]]), 15), [[0, 255], [136, 68]]),
    "255.pgm": (pnm("P5", GREYS, 255), GREYS),
    "4095.pgm": (pnm("P5", scaled(GREYS, 4095, int), 4095), GREYS),
    "65535.pgm": (pnm("P5", scaled(GREYS, 65535, int), 65535), GREYS),
    "in words.pgm": (b"P2 2 2 65535\n0 65535\n32896 16448\n", GREYS),
    "colour.ppm": (pnm("P6", COLOURS, 255), LUMA),
    "bits.pbm": (b"P4 2 2\n\x80\x40", BLACK_OR_WHITE),
    "CMYK.tif": (tiff(np.dstack([255 - COLOURS, np.zeros((2, 2))]).astype(U1), 8, 5), LUMA),
    "CMYK of black alone.tif": (tiff(np.dstack([np.zeros((2, 2, 3)), 255 - GREYS]).astype(U1), 8, 5), GREYS),
    "LAB.tif": (tiff(np.dstack([GREYS, np.zeros((2, 2, 2))]).astype(U1), 8, 8), lightness(GREYS)),
    "YCbCr.tif": (tiff(np.dstack([GREYS, np.full((2, 2, 2), 128)]).astype(U1), 8, 6), GREYS),
    "colour with alpha.tif": (tiff(np.dstack([COLOURS, ALPHA]).astype(U1), 8, 2, extra=[2]), COLOUR_ON_WHITE),
    "colour with associated alpha.tif": (
        tiff(np.dstack([COLOURS * ALPHA[..., None] // 255, ALPHA]).astype(U1), 8, 2, extra=[1]),
        COLOUR_ON_WHITE,
    ),
}


def read(folder, side=2, channels=1, **files):
    """The pixels of files of these contents, (N, channels, side, side)."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folders.read(folder, side, channels)[0].view(-1, channels, side, side).numpy()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_is_read_to_its_greys(tmp_path, name, channels):
    content, greys = FILES[name]
    (x,) = read(tmp_path, channels=channels, **{name: content})
    if channels == 3:
        x = (np.array([0.299, 0.587, 0.114])[:, None, None] * x).sum(0, keepdims=True)
    assert abs(x[0] - np.array(greys)).max() <= 2, x


SAVED = {"LA": ("png", "webp", "tga"), "RGBA": ("png", "webp", "avif", "tga", "tif", "jp2"), "L": ("gif", "bmp", "jp2")}


@pytest.mark.parametrize(("mode", "suffix"), [(mode, suffix) for mode, all_ in SAVED.items() for suffix in all_])
def test_what_pillow_writes_without_loss_is_read_to_its_greys(tmp_path, mode, suffix):
    image = Image.fromarray(GREYS.astype(U1)).resize((16, 16), Image.Resampling.NEAREST).convert(mode)
    if mode != "L":
        image.putalpha(Image.fromarray(ALPHA.astype(U1)).resize((16, 16), Image.Resampling.NEAREST))
    lossless = {"webp": {"lossless": True, "exact": True}, "avif": {"quality": 100, "subsampling": "4:4:4"}}
    image.save(tmp_path / f"x.{suffix}", **lossless.get(suffix, {}))
    greys = np.kron(GREYS if mode == "L" else ON_WHITE, np.ones((8, 8)))
    assert abs(read(tmp_path, 16)[0, 0] - greys).max() <= 3


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L", "YCbCr"])
def test_a_photograph_of_any_colour_model_is_read_to_its_luma(tmp_path, mode):
    Image.new("RGB", (16, 16), (200, 100, 50)).convert(mode).save(tmp_path / "x.jpg", quality=100)
    assert abs(read(tmp_path, 2)[0] - LUMA[0, 0]).max() <= 2


@pytest.mark.parametrize(("suffix", "save_all"), [("gif", True), ("webp", True), ("png", True), ("tif", True)])
def test_of_a_film_or_of_several_pages_the_first_is_read(tmp_path, suffix, save_all):
    first, *others = (Image.new("RGB", (4, 4), (grey,) * 3) for grey in (90, 160, 250))
    lossless = {"lossless": True} if suffix == "webp" else {}
    first.save(tmp_path / f"x.{suffix}", save_all=save_all, append_images=others, **lossless)
    assert (read(tmp_path) == 90).all()


TURNS = {  # by Exif's orientation: what turns the stored pixels upright
    1: lambda x: x,
    2: np.fliplr,
    3: lambda x: x[::-1, ::-1],
    4: np.flipud,
    5: np.transpose,
    6: lambda x: np.rot90(x, -1),
    7: lambda x: x[::-1, ::-1].T,
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", ["8 bits.png", "16 bits.png", "colour.webp", "8 bits.tif", "16 bits.tif", "float.tif"])
def test_every_orientation_is_turned_upright_at_every_depth(tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    if kind.endswith("tif"):
        dtype, bits, white, code = {"8": ("u1", 8, 255, 1), "1": ("<u2", 16, 65535, 1), "f": ("<f4", 32, 1, 3)}[kind[0]]
        content = tiff(scaled(GREYS, white, dtype), bits, kind=code, orientation=orientation)
        (tmp_path / kind).write_bytes(content)
    elif kind.startswith("16"):
        Image.fromarray((257 * GREYS).astype(np.uint16)).save(tmp_path / kind, exif=exif)
    else:
        image = Image.fromarray(GREYS.astype(U1)).convert("RGB" if kind.startswith("colour") else "L")
        image.save(tmp_path / kind, exif=exif, **({"lossless": True} if "webp" in kind else {}))
    assert abs(read(tmp_path)[0, 0] - TURNS[orientation](GREYS).astype(float)).max() <= 1


@given(
    part=arrays(np.float64, (4, 4), elements=st.floats(0, 1, width=32)),
    white=st.sampled_from([1, 255, 65535]),
    dtype=st.sampled_from(["<f4", ">f4", "<i4", ">i4"]),
)
def test_floats_and_whole_numbers_are_read_by_the_range_that_holds_them(tmp_path_factory, part, white, dtype):
    part[0, 0] = 1
    values = part * white if dtype[1] == "f" else (part * white).round()
    file = tiff(values.astype(dtype), 32, kind=3 if dtype[1] == "f" else 2)
    x = read(tmp_path_factory.mktemp("ranges"), 4, **{"x.tif": file})[0, 0]
    assert abs(x - 255 * values / white).max() <= 0.51


def test_a_dark_picture_is_as_dark_as_its_neighbours_of_the_same_kind_say(tmp_path):
    night, noon = GREYS / 255, GREYS / 255 * 65535
    files = {"noon.tif": tiff(noon.astype("<f4"), 32, kind=3), "night.tif": tiff(night.astype("<f4"), 32, kind=3)}
    whole = {"whole.tif": tiff(GREYS.astype("<i4"), 32, kind=2)}
    at_night, at_noon, of_whole_numbers = read(tmp_path, **files, **whole)[:, 0]
    assert (at_night == 0).all() and (at_noon == GREYS).all() and (of_whole_numbers == GREYS).all()


def test_a_dark_picture_of_sixteen_bits_is_dark_even_alone(tmp_path):
    assert (read(tmp_path, **{"x.tif": tiff(GREYS.astype("<u2"), 16)}) <= 1).all()


@pytest.mark.parametrize("grey", [0, 1])
def test_a_picture_of_one_grey_is_black_or_white(tmp_path, grey):
    assert (read(tmp_path, **{"x.tif": tiff(np.full((2, 2), grey, "<f4"), 32, kind=3)}) == 255 * grey).all()


def test_rounding_beyond_the_ends_of_a_range_is_forgiven(tmp_path):
    values = np.array([[-0.001, 1.001], [0.5, 0.25]], "<f4")
    assert read(tmp_path, **{"x.tif": tiff(values, 32, kind=3)}).ravel().tolist() == [0, 255, 128, 64]


BAD = {
    "NaN": ([[0, np.nan], [1, 1]], "values that are no numbers, or infinite"),
    "infinite": ([[0, np.inf], [1, 1]], "values that are no numbers, or infinite"),
    "negative": ([[-1, 1], [0, 0]], "values from -1 to 1, where 0 to 65535 are greys"),
    "too large": ([[0, 1e6], [1, 1]], r"values from 0 to 1e\+06"),
    "neither 1 nor 255": ([[0, 1.2], [1, 1]], "floats up to 1.2, more than 0 to 1 and hardly 0 to 255"),
    "neither 255 nor 65535": ([[0, 1023], [1, 1]], "floats up to 1023, more than 0 to 255 and hardly 0 to 65535"),
}


@pytest.mark.parametrize("kind", BAD)
def test_values_that_cannot_be_greys_are_named_with_the_reason(tmp_path, kind):
    values, why = BAD[kind]
    file = {"bad.tif": tiff(np.array(values, "<f4"), 32, kind=3)}
    with pytest.raises(StudyError, match=rf"no readable image.*left out: bad.tif \({why}"):
        read(tmp_path, **file)
    with pytest.warns(UserWarning, match=rf"1 file in .* is left out: bad.tif \({why}"):
        x = read(tmp_path, **file, **{"good.pgm": pnm("P5", GREYS, 255)})
    assert (x[:, 0] == GREYS).all()


@pytest.mark.parametrize("file", [tiff(GREYS.astype("i1"), 8, kind=2), tiff(np.full((2, 2), 2**32 - 1, "<u4"), 32)])
def test_numbers_with_a_sign_that_pillow_loses_or_makes_up_are_named(tmp_path, file):
    with pytest.raises(StudyError, match=r"x.tif \((signed bytes|values from -1)"):
        read(tmp_path, **{"x.tif": file})
