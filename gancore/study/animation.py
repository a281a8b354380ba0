"""Animations with a scrubber: pictures in one self-contained piece of HTML, no library and no network.

Where scripts are not run, the last frame is shown.
"""

import base64
import hashlib
import html
import io
import json
from collections.abc import Callable, Sequence

from IPython.display import HTML
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from gancore.study.plots import QUICK

PAGE = """<div id="{name}" style="max-width: {width}px">
<img alt="{alt}" src="{last}" style="width: 100%">
<div style="display: flex; gap: 8px; align-items: center; font: 13px sans-serif">
<button type="button" aria-label="play or pause">play</button>
<input type="range" min="0" max="{highest}" value="{highest}" style="flex: 1" aria-label="moment of the training">
<output>{label}</output>
</div>
<script>
(() => {{
  const frames = {frames}, labels = {labels};
  const box = document.getElementById("{name}");
  const [picture, button, slider, label] = ["img", "button", "input", "output"].map(tag => box.querySelector(tag));
  let timer = null;
  const show = i => {{ slider.value = i; picture.src = frames[i]; label.value = labels[i]; }};
  const stop = () => {{ clearInterval(timer); timer = null; button.textContent = "play"; }};
  const next = () => +slider.value < frames.length - 1 ? show(+slider.value + 1) : stop();
  slider.oninput = () => {{ stop(); show(+slider.value); }};
  button.onclick = () => {{
    if (timer) return stop();
    if (+slider.value === frames.length - 1) show(0);
    timer = setInterval(next, {pause});
    button.textContent = "pause";
  }};
}})();
</script>
</div>"""


def scrubber(figure: Figure, draw: Callable[[int], None], labels: Sequence[str], alt: str, seconds: float = 12) -> HTML:
    """An animation of `figure`: `draw(i)` changes it to frame i, `labels[i]` names that frame's moment.

    `seconds` is how long playing takes; `alt` describes the animation for who cannot see it.
    """
    frames = []
    for i in range(len(labels)):
        draw(i)
        frames.append(_frame(figure))
    width = round(figure.get_figwidth() * 100)
    plt.close(figure)
    page = PAGE.format(
        name="scrubber-" + hashlib.sha256("".join(frames).encode()).hexdigest()[:12],
        width=width,
        alt=html.escape(alt),
        last=frames[-1],
        highest=len(frames) - 1,
        label=labels[-1],
        frames=json.dumps(frames),
        labels=json.dumps(list(labels)),
        pause=round(1000 * seconds / len(frames)),
    )
    return HTML(page)


def _frame(figure: Figure) -> str:
    """The figure now, as a small picture in a data URI."""
    raw, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=100, pil_kwargs=QUICK)
    Image.open(raw).convert("RGB").quantize(48).convert("RGB").save(packed, "WEBP", lossless=True, method=4)
    return "data:image/webp;base64," + base64.b64encode(packed.getvalue()).decode()
