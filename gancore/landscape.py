"""The discriminator as a surface: slopes, scans along lines, peaks and the width of their basins.

Works for any discriminator that maps `(R, n, ...)` to scores `(R, n, 1)`, in any dimension. A scan is
f(k) = D(x + k u / |u|) for a point x, a direction u and offsets k.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gancore.nets.layers import Linear

CHUNK = 2**22  # numbers in the largest temporary of a scan: 16 MB


@torch.no_grad()
def scores_at(discriminator: nn.Module, x: Tensor) -> Tensor:
    """The score at each point: (R, n, ...) -> (R, n)."""
    return discriminator(x)[..., 0]


def slopes(discriminator: nn.Module, x: Tensor) -> Tensor:
    """The gradient of the score at each point: (R, n, ...) -> (R, n, ...)."""
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x)
    return slope


def pull(discriminator: nn.Module, x: Tensor) -> Tensor:
    """-d loss_G / dx where loss_G = -log sigmoid(D(x)): where a fake at x is drawn to, (R, n, ...) -> (R, n, ...)."""
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(nn.functional.logsigmoid(discriminator(x)).sum(), x)
    return slope


@torch.no_grad()
def line_scan(discriminator: nn.Module, x: Tensor, directions: Tensor, offsets: Tensor, chunk: int = CHUNK) -> Tensor:
    """f(k) = D(x + k u / |u|): (R, n, ...), (m, ...), (K,) -> (R, n, m, K).

    The same m directions go through every point. As many lines are scanned at once as take `chunk`
    numbers, at least one; what a discriminator that is no mlp needs for its own layers is not counted.
    """
    unit = directions / directions.flatten(1).norm(dim=1).reshape(-1, *[1] * (directions.dim() - 1))
    along = _along_layers if _is_mlp(discriminator) else _along_points
    return along(discriminator, x, unit, offsets, chunk)


def _is_mlp(discriminator: nn.Module) -> bool:
    return isinstance(discriminator, nn.Sequential) and all(isinstance(layer, Linear) for layer in discriminator)


def _along_points(discriminator: nn.Module, x: Tensor, unit: Tensor, offsets: Tensor, chunk: int) -> Tensor:
    """A scan by evaluating D at every point of every line, some lines at a time."""
    runs, points, shape = len(x), x.shape[1], x.shape[2:]
    lines = points * len(unit)
    at_once = max(1, chunk // (runs * len(offsets) * shape.numel()))
    steps = offsets.reshape(-1, *[1] * len(shape))
    found = x.new_empty(runs, lines, len(offsets))  # pieces kept until the end would scatter the heap
    for line in torch.arange(lines, device=x.device).split(at_once):
        starts, ways = x[:, line // len(unit)], unit[line % len(unit)]
        places = starts[:, :, None] + steps * ways[:, None]  # (R, lines, K, ...)
        found[:, line] = discriminator(places.reshape(runs, -1, *shape)).reshape(runs, len(line), -1)
    return found.reshape(runs, points, len(unit), -1)


def _along_layers(discriminator: nn.Sequential, x: Tensor, unit: Tensor, offsets: Tensor, chunk: int) -> Tensor:
    """The same scan of an mlp: along a line it is an mlp of k, with first weight W u and first bias W x + b."""
    first, rest = discriminator[0], discriminator[1:]
    runs, points, lines = len(x), x.shape[1], x.shape[1] * len(unit)
    bias = torch.baddbmm(first.bias, first.weight, x.mT)  # (R, out, n)
    weight = first.weight @ unit.mT  # (R, out, m)
    at_once = max(1, chunk // (runs * len(offsets) * max(layer.weight.shape[1] for layer in discriminator)))
    found = x.new_empty(runs, lines, len(offsets))
    for line in torch.arange(lines, device=x.device).split(at_once):
        # Each unit is an affine map of k on each line: (R out, lines, 1).
        starts, ways = (
            t.flatten(0, 1)[..., None] for t in (bias[..., line // len(unit)], weight[..., line % len(unit)])
        )
        hidden = first.activation.forward(starts, ways, offsets.expand(len(starts), 1, -1))  # (R out, lines, K)
        found[:, line] = rest(hidden.reshape(runs, -1, len(line) * len(offsets)).mT).reshape(runs, len(line), -1)
    return found.reshape(runs, points, len(unit), -1)


def peaks(scans: Tensor, offsets: Tensor, tolerance: float = 0.1) -> Tensor:
    """Whether a scan has its maximum at k = 0, to within `tolerance` of the window: (..., K) -> (...) bool.

    The window is the range of the offsets, from -h to h. The scan's highest point must lie at
    |k| <= tolerance h, and above both ends of the window. A scan without structure passes with a
    probability of about `tolerance`, a monotone one never.
    """
    near = offsets.abs() <= tolerance * offsets.abs().max() * (1 + 1e-6)
    top = torch.where(near, scans, -torch.inf).amax(-1)
    outside = torch.where(near, -torch.inf, scans).amax(-1)
    return top > outside


def basin_widths(scans: Tensor, offsets: Tensor, tolerance: float = 0.1) -> Tensor:
    """Width of each scan's peak at k = 0 at half of its prominence, in units of k; 0 where there is none.

    (..., K) -> (...). A peak's prominence is its height above the higher of the two valleys beside
    it, here the lowest points of either side of the window. The offsets must be evenly spaced.
    """
    near = offsets.abs() <= tolerance * offsets.abs().max() * (1 + 1e-6)
    top, place = torch.where(near, scans, -torch.inf).max(-1, keepdim=True)
    index = torch.arange(len(offsets), device=scans.device)
    left, right = index < place, index > place
    valleys = [torch.where(side, scans, torch.inf).amin(-1, keepdim=True) for side in (left, right)]
    half = (top + torch.maximum(*valleys)) / 2
    below = scans <= half
    start = torch.where(below & left, index, 0).amax(-1)
    end = torch.where(below & right, index, len(offsets) - 1).amin(-1)
    width = (end - start - 1).clamp(min=0) * (offsets[1] - offsets[0])
    return torch.where(peaks(scans, offsets, tolerance), width.to(scans.dtype), 0.0)


def has_peak(discriminator: nn.Module, centres: Tensor, radius: float, rings: int = 5, angles: int = 16) -> Tensor:
    """Whether D has a local maximum within `radius` of each point of the plane: (R, n, 2) -> (R, n) bool.

    True where D is higher somewhere in the disc than anywhere on its rim, both sampled: a continuous
    function then has a local maximum inside, whether or not it has a second derivative (with ReLU
    it has none worth the name).
    """
    angle = 2 * torch.pi * torch.arange(angles, device=centres.device) / angles
    circle = torch.stack([angle.cos(), angle.sin()], 1)
    scale = radius * torch.arange(rings + 1, device=centres.device) / rings
    places = centres[:, :, None, None] + scale[:, None, None] * circle  # (R, n, rings + 1, angles, 2)
    scores = scores_at(discriminator, places.flatten(1, 3)).reshape(places.shape[:-1])
    return scores[:, :, :-1].amax((2, 3)) > scores[:, :, -1].amax(2)


def agreement(vectors: Tensor, groups: Tensor, count: int) -> Tensor:
    """Mean resultant length of directions within groups, weighted by group size: (R, n, D), (R, n) -> (R,).

    1 where all vectors of each group point one way, near 0 where they point every way (Mardia & Jupp
    2000, equation 2.3.2). `groups` holds numbers below `count`.
    """
    unit = nn.functional.normalize(vectors, dim=-1)
    member = nn.functional.one_hot(groups, count).to(unit.dtype)  # (R, n, count)
    return (member.mT @ unit).norm(dim=-1).sum(1) / vectors.shape[1]


def turned(now: Tensor, earlier: Tensor) -> Tensor:
    """Share of the places whose gradient has turned by more than a right angle: twice (R, n, D) -> (R,)."""
    return ((now * earlier).sum(-1) < 0).float().mean(1)


def told_apart(discriminator: nn.Module, real: Tensor, fakes: Sequence[Tensor]) -> Tensor:
    """How well the score tells each batch of fakes from real points: (R, m, D), a list of (R, n, D) -> (R, batches).

    The probability that a real point scores higher than a fake, a tie counted half: 1 where the score tells them
    apart, 1/2 where it does not, whatever its threshold (the area under the curve of Hanley & McNeil 1982). With fakes
    kept from earlier in the training, a curve of forgetting (Thanh-Tung & Tran 2020).
    """
    ordered = scores_at(discriminator, real).sort(1).values
    scores = scores_at(discriminator, torch.cat(list(fakes), 1))
    below = sum(torch.searchsorted(ordered, scores, right=right).float() for right in (False, True)) / 2
    return 1 - below.reshape(len(scores), len(fakes), -1).mean(2) / ordered.shape[1]


def ascended(discriminator: nn.Module, x: Tensor, stride: float, strides: int) -> Tensor:
    """Where points end that follow the gradient of the score, in so many strides: (R, n, D) -> (R, n, D).

    Each stride is as long as the others, along grad D / |grad D|; -d loss_G / dx has the same direction, so that fakes
    which were moved themselves would take this way. Points on a flat stay where they are.
    """
    for _ in range(strides):
        x = x + stride * nn.functional.normalize(slopes(discriminator, x), dim=-1)
    return x.detach()
