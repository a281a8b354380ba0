"""Diagrams of the guided generator: the loop in which it is trained, and which part of its latents goes where."""

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gancore.study.colours import FAKE, GREEN, GREY, PURPLE, REAL

Place = tuple[float, float]


def guided_method() -> Figure:
    """The training loop, and beside it the mapping from sections to classes that is intended."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), width_ratios=[1.6, 1])
    _loop(left)
    _mapping(right)
    for axes in (left, right):
        axes.axis("off")
    return figure


def _loop(axes: Axes) -> None:
    boxes = {
        "latent\ncode + section": ((-0.1, 0.5), GREY),
        "generator G": ((0.27, 0.5), FAKE),
        "discriminator D": ((0.6, 0.82), PURPLE),
        "classifier C\n(trained, fixed)": ((0.58, 0.3), GREEN),
        "real images": ((0.27, 0.95), REAL),
    }
    terms = {
        "looks real?": (1.0, 0.82),
        "asked-for class?": (1.0, 0.42),
        "means, variances\nas in real class?": (1.03, 0.16),
    }
    for text, (place, colour) in boxes.items():
        _box(axes, place, text, colour)
    for text, place in terms.items():
        _box(axes, place, text, "0.4")
    latent, generator, judge, guide, real = (place for place, _ in boxes.values())
    for start, end in ((latent, generator), (generator, judge), (generator, guide), (real, judge)):
        _arrow(axes, start, end)
    for start, end in zip((judge, guide, guide), terms.values(), strict=True):
        _arrow(axes, start, end)
    axes.text(0.62, -0.17, "G minimises the weighted sum of the three", ha="center", fontsize=8)
    axes.annotate("", (0.25, 0.42), (0.98, 0.05), arrowprops=_style("0.6", "arc3,rad=-0.3"))
    axes.set(xlim=(-0.27, 1.22), ylim=(-0.22, 1.08))


def _mapping(axes: Axes) -> None:
    """Latents as rows: the code, and the noise, which is zero outside the section of the class."""
    classes = 4
    for row in range(classes):
        y = classes - row
        for part, width, start in (("code", 0.06, 0.0), ("noise", 0.11, 0.3)):
            for k in range(classes):
                shown = k == row
                face = (GREY if part == "code" else GREEN) if shown else "white"
                axes.add_patch(plt.Rectangle((start + k * width, y), width, 0.55, facecolor=face, edgecolor="0.5"))
        _arrow(axes, (0.78, y + 0.27), (0.97, y + 0.27), gap=0)
        axes.text(1.0, y + 0.27, f"images of class {row}", va="center", fontsize=8)
    axes.text(0.12, classes + 0.8, "code", ha="center", fontsize=8)
    axes.text(0.52, classes + 0.8, "noise, by section", ha="center", fontsize=8)
    axes.set(xlim=(-0.05, 1.45), ylim=(0.6, classes + 1.3))


def _box(axes: Axes, place: Place, text: str, colour: str) -> None:
    style = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour, "linewidth": 1.4}
    axes.text(*place, text, ha="center", va="center", fontsize=8, bbox=style, zorder=2)


def _arrow(axes: Axes, start: Place, end: Place, gap: float = 30) -> None:
    """An arrow that leaves `gap` points free at either end, where boxes are."""
    axes.annotate("", end, start, arrowprops=_style("0.4") | {"shrinkA": gap, "shrinkB": gap})


def _style(colour: str, connection: str = "arc3") -> dict[str, object]:
    return {"arrowstyle": "->", "color": colour, "linewidth": 1.1, "connectionstyle": connection}
