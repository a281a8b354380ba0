"""Small labelled images by name: MNIST and its like, and scikit-learn's digits for where MNIST is not at hand."""

import functools

import torch

from gancore.data.images.published import FOLDER, PUBLISHED, SIDE, ImageSet, Missing, mnist, published, scaled
from gancore.errors import StudyError

DIGITS_TO_TRAIN = 1500


@functools.cache
def digits() -> ImageSet:
    """The 1,797 digits of 8 x 8 that scikit-learn carries, of which 1,500 train; each class is split alike."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, labels = load_digits(return_X_y=True)
    split = train_test_split(
        scaled(torch.from_numpy(x), 16),
        torch.from_numpy(labels).long(),
        train_size=DIGITS_TO_TRAIN,
        random_state=0,
        stratify=labels,
    )
    train, held_out, train_labels, held_out_labels = split
    return ImageSet("digits", 8, train, train_labels, held_out, held_out_labels)


IMAGES = {"mnist": mnist, "digits": digits}
IMAGES |= {name: functools.partial(published, name) for name in PUBLISHED if name != "mnist"}
SIDES = {"digits": 8, **dict.fromkeys(PUBLISHED, SIDE)}  # pixels, known without opening the files


def load(name: str) -> ImageSet:
    """The images of that name. Raises StudyError for an unknown one, and as `mnist` does."""
    return IMAGES[known(name, *IMAGES)]()


def pick(name: str) -> str:
    """The name, `auto` being "mnist" where it is at hand or can be downloaded, else "digits".

    Raises StudyError for an unknown name, and for `auto` where MNIST is there but damaged.
    """
    if known(name, "auto", *IMAGES) != "auto":
        return name
    try:
        return mnist().name
    except Missing:
        return digits().name


def known(name: str, *allowed: str) -> str:
    """The name, if it is one of the allowed; StudyError if not."""
    if name not in allowed:
        raise StudyError(f"unknown images {name!r}: allowed are {', '.join(allowed)}")
    return name


DIGITS_BANNER = f"""\
> ⚠️ **MNIST was not at hand: everything below is on the 8x8 digits embedded in scikit-learn.**
>
> Their results are kept apart from those on MNIST, and the claims are not decided by them. For MNIST, run this
> notebook again with a network, or set `{FOLDER}` to a folder that has `MNIST/raw`.
"""
OTHER_BANNER = """\
> ⚠️ **Everything below is on {title}, not on MNIST.**
>
> No classifier here knows its classes, so what would count them is left out. Its results are kept apart from those on
> MNIST, and the claims are not decided by them.
"""


def banner(name: str) -> str:
    """What a notebook says above its results, in Markdown: a warning where they are on other images than MNIST."""
    if name == "digits":
        return DIGITS_BANNER
    return "" if name == "mnist" else OTHER_BANNER.format(title=PUBLISHED[name].title)
