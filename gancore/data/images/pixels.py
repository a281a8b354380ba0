"""The pixels of one image file: upright, on white, cut to a square, and each grey by the file's real range.

The type of most files says what is white. That of floats and of 32-bit integers does not: their values are read by
the smallest of WHITES that no such file of the folder exceeds, so that a dark picture is as dark as its neighbours say.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gancore.errors import StudyError

MODES = {1: "L", 3: "RGB"}  # Pillow's names of grey and colour
WHITES = (1, 255, 65535)  # what floats and 32-bit integers may mean by white
HALF_A_GREY = 1 / 510  # of the range: so far beyond its ends a value is taken for rounded
DIMMEST = 1 / 16  # where nothing is brighter than this part of white, values may as well have been meant otherwise
BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339  # tags of TIFF
WHITE_IS_ZERO, SIGNED = 0, 2
KEY_SCALES = {"L;2": lambda key: 85 * key, "L;4": lambda key: 17 * key, "RGB;16B": lambda key: key >> 8}


class Picture(NamedTuple):
    """One image, flat: `values` (channels * side * side,), from 0 to a `white` that is still open where it is None.

    `kind` is "floats" or "integers" and `highest` the file's highest value where white is open; `negative` says that
    0 is white.
    """

    values: np.ndarray
    white: float | None = 255
    kind: str = ""
    highest: float = 0
    negative: bool = False


def picture(file: Path, side: int, channels: int) -> Picture:
    """The image in a file; of a film or of several pages, the first. Raises whatever Pillow does, and StudyError."""
    if not file.stat().st_size:
        raise StudyError("empty")
    with Image.open(file) as opened:
        tags = getattr(opened, "tag_v2", {})
        white, negative = _white(opened, tags), tags.get(PHOTOMETRIC) == WHITE_IS_ZERO
        _set_key(opened)
        if opened.mode == "L" and SIGNED in tags.get(SAMPLE_FORMAT, ()):
            raise StudyError("signed bytes")
        upright = ImageOps.exif_transpose(opened)
    if upright.mode[0] in "IF":
        return _deep(upright, white, negative, side, channels)
    square = _square(_opaque(upright).convert(MODES[channels]), side)
    return Picture(np.asarray(square).reshape(side, side, channels).transpose(2, 0, 1).ravel())


def _set_key(image: Image.Image) -> None:
    """Give the one transparent grey or colour of a PNG file in the eight bits in which Pillow gives its pixels."""
    key = image.info.get("transparency")
    scale = KEY_SCALES.get(image.tile[0][3]) if image.format == "PNG" and key is not None else None
    if scale:
        image.info["transparency"] = tuple(map(scale, key)) if isinstance(key, tuple) else scale(key)


def _white(image: Image.Image, tags: Mapping[int, tuple[int, ...]]) -> float | None:
    """What is white in an image of more than eight bits, None where its type does not say."""
    if image.mode.startswith("I;16"):
        return 2 ** tags.get(BITS_PER_SAMPLE, (16,))[0] - 1
    return 65535 if image.mode == "I" and image.format in ("PNG", "PPM") else None


def _square(image: Image.Image, side: int) -> Image.Image:
    return ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)


def _opaque(image: Image.Image) -> Image.Image:
    """On white where it is transparent."""
    if image.mode == "LAB":
        return image.convert("RGB")  # the one way that leads to grey
    if not image.has_transparency_data:
        return image
    layer = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)


def _deep(image: Image.Image, white: float | None, negative: bool, side: int, channels: int) -> Picture:
    """Of a grey image with more than eight bits. Raises StudyError for values that cannot be greys."""
    values = np.array(image, np.float32)
    if not np.isfinite(values).all():
        raise StudyError("values that are no numbers, or infinite")
    lowest, highest = float(values.min()), float(values.max())
    if lowest < -HALF_A_GREY * highest or highest > WHITES[-1] * (1 + HALF_A_GREY):
        raise StudyError(f"values from {lowest:g} to {highest:g}, where 0 to {WHITES[-1]} are greys")
    if "transparency" in image.info:
        values[values == image.info["transparency"]] = white
    square = np.asarray(_square(Image.fromarray(values), side)).ravel()
    kind = "floats" if image.mode == "F" else "integers"
    return Picture(np.tile(square, channels), white, kind, highest, negative)


def in_bytes(pictures: Mapping[str, Picture]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The pictures in uint8, by name; and those whose range is in doubt, with the reason."""
    open_ones = [one for one in pictures.values() if one.white is None]
    kinds = {one.kind for one in open_ones}
    highest = {kind: max(one.highest for one in open_ones if one.kind == kind) for kind in kinds}
    doubts = {kind: doubt for kind, most in highest.items() if (doubt := _doubt(kind, most))}
    left = {name: doubts[one.kind] for name, one in pictures.items() if one.white is None and one.kind in doubts}
    sure = {name: one for name, one in pictures.items() if name not in left}
    return {name: _bytes(one, one.white or _least(WHITES, highest[one.kind])) for name, one in sure.items()}, left


def _least(whites: Iterable[float], highest: float) -> float:
    """The least white that the highest value does not exceed."""
    return next(white for white in whites if highest <= white * (1 + HALF_A_GREY))


def _doubt(kind: str, highest: float) -> str:
    """What speaks against the range that the highest value of all files of a kind suggests; empty if nothing does."""
    place = WHITES.index(_least(WHITES, highest))
    if place == 0 or highest >= DIMMEST * WHITES[place]:
        return ""
    return f"{kind} up to {highest:g}, more than 0 to {WHITES[place - 1]} and hardly 0 to {WHITES[place]}"


def _bytes(one: Picture, white: float) -> np.ndarray:
    if one.values.dtype == np.uint8:
        return one.values
    grey = (one.values * (255 / white)).clip(0, 255).round().astype(np.uint8)
    return 255 - grey if one.negative else grey


def reason(error: Exception) -> str:
    """Why a file could not be read, in few words."""
    if isinstance(error, StudyError):
        return str(error)
    if isinstance(error, UnidentifiedImageError):
        return "no image that can be read"
    if isinstance(error, Image.DecompressionBombError):
        return "too many pixels"
    return getattr(error, "strerror", None) or "damaged"
