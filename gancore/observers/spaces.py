"""A latent space to which an encoder leads: whether digits lie together in it, and whether one can calculate in it."""

import math
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gancore.data.images import CLASSES
from gancore.judges.classifier import in_batches
from gancore.metrics.described import GREY, POINT, Quantity, share
from gancore.metrics.modes import modes_of
from gancore.observers.classes import extractor_of
from gancore.observers.kinds import Kind
from gancore.observers.needs import having, known_target, players_of
from gancore.training.loop import Earlier, Measure
from gancore.training.population import Population
from gancore.values import Count, whole

NEIGHBOURS = 10
Mapped = Annotated[int, whole(31)]  # t-SNE takes some 30 points for a neighbourhood


def purity(x: Tensor, labels: Tensor) -> float:
    """The mean share of a point's NEIGHBOURS nearest others that have its label: (n, D), (n,).

    NaN where the points have no finite distances.
    """
    from sklearn.neighbors import NearestNeighbors  # waited for by who measures, not by who draws

    if not _apart(x):
        return math.nan
    near = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(x.cpu().numpy()).kneighbors(return_distance=False)
    return (labels[torch.from_numpy(near)] == labels[:, None]).double().mean().item()


def flattened(x: Tensor) -> Tensor:
    """The points laid out in the plane by t-SNE (van der Maaten & Hinton 2008): (n, D) -> (n, 2).

    NaN where the points have no finite distances. In double precision and with the exact gradient: the usual
    approximation turns other rounding into another map.
    """
    from sklearn.manifold import TSNE

    if not _apart(x):
        return x.new_full((len(x), 2), torch.nan)
    return torch.from_numpy(TSNE(init="pca", method="exact", random_state=0).fit_transform(x.cpu().double().numpy()))


def _apart(x: Tensor) -> bool:
    return bool(x.square().sum().isfinite())


def neighbours(runs: Population, *, points: Mapped) -> Measure:
    """Whether the first `points` held-out images lie beside others of their class, in three spaces.

    `purity` (R, spaces), see the function of that name: pixels, the features of the classifier that judges, and
    the run's codes E(x). And `maps` (1, spaces, points, 2) by t-SNE, the codes being the first run's, with the
    points' `labels` (1, points).
    """
    target, device = having(known_target(runs), "held_out_labels"), runs.device
    x, labels = target.held_out()[:points], target.held_out_labels()[:points]
    fixed = [x, in_batches(extractor_of(target.images).features, x)]
    fixed_purity, fixed_maps = (
        [function(space) for space in fixed] for function in (lambda s: purity(s, labels), flattened)
    )
    (encoder,) = players_of(runs, "encoder")
    shown = x.to(device).expand(len(runs.seeds), -1, -1)

    @torch.no_grad()
    def measure(earlier: Earlier) -> dict[str, Tensor]:
        codes = encoder(shown).cpu()
        return {
            "purity": torch.tensor([[*fixed_purity, purity(code, labels)] for code in codes]),
            "maps": torch.stack([*fixed_maps, flattened(codes[0])])[None],
            "labels": labels[None].float(),
        }

    return measure


def arithmetic(runs: Population, *, points: Count, averaged: Count = 1) -> Measure:
    """Sums of codes: a held-out image's, less the mean code of its class, plus that of another class.

    In the place of the image's own code stands the mean of `averaged` codes, its own and the nearest of its class
    (Radford et al. 2016, section 6.3.2, average three). `landed` (R,): of G(a - b + c) for `points` images and every
    other class, the part that shows class c; `diagonal` (R,): of the same with the class's own mean added again, the
    part that shows it; `sums` (1, classes^2, D): the first run's, a row for the first image of each class, a column for
    each class c.
    """
    target, device = having(known_target(runs), "held_out_labels"), runs.device
    modes = modes_of(target)
    everything, labels = target.held_out().to(device), target.held_out_labels().to(device)
    member = one_hot(labels, modes.count).float()
    firsts = torch.stack([(labels == label).nonzero()[0, 0] for label in range(modes.count)])
    rows, wanted = torch.arange(min(points, len(labels)), device=device), torch.arange(modes.count, device=device)
    own = wanted == labels[rows][:, None]  # (rows, classes)
    generator, encoder = players_of(runs, "generator", "encoder")

    @torch.no_grad()
    def measure(earlier: Earlier) -> dict[str, Tensor]:
        codes = encoder(everything.expand(len(runs.seeds), -1, -1))  # (R, n, d)
        means = member.T @ codes / member.sum(0)[:, None]  # (R, classes, d)

        def moved(rows: Tensor) -> Tensor:
            """Every image as every class: (rows,) -> (R, rows, classes, D)."""
            style = mean_of_nearest(codes, labels, rows, averaged) - means[:, labels[rows]]
            z = style.unsqueeze(2) + means.unsqueeze(1)
            return generator(z.flatten(1, 2)).unflatten(1, (len(rows), modes.count))

        right = modes.name(moved(rows).flatten(1, 2)).unflatten(1, own.shape) == wanted
        found = {"landed": ~own, "diagonal": own}
        shares = {name: (right & which).float().sum((1, 2)) / which.sum() for name, which in found.items()}
        return shares | {"sums": moved(firsts)[:1].flatten(1, 2)}

    return measure


def mean_of_nearest(codes: Tensor, labels: Tensor, rows: Tensor, count: int) -> Tensor:
    """The mean of `count` codes, each row's own and the nearest of its label: (R, n, d), (n,), (rows,) -> (R, rows, d).

    Of all of its label where these are fewer.
    """
    alike = labels[rows][:, None] == labels  # (rows, n)
    distance = torch.cdist(codes[:, rows], codes).where(alike, torch.inf)
    nearest = distance.topk(min(count, int(alike.sum(1).min())), largest=False).indices  # (R, rows, count)
    picked = codes.gather(1, nearest.flatten(1)[..., None].expand(-1, -1, codes.shape[2]))
    return picked.unflatten(1, nearest.shape[1:]).mean(2)


KINDS = {
    "neighbours": Kind(
        neighbours,
        "page",
        {
            "purity": share("neighbours of the same class", "higher", ("space",)),
            "maps": Quantity("images in the plane", ("space", "held_out", "axis"), grain=POINT, of_first=True),
            "labels": Quantity("classes of the images", ("held_out",), least=0, most=CLASSES - 1, of_first=True),
        },
    ),
    "arithmetic": Kind(
        arithmetic,
        "page",
        {
            "landed": share("sums of codes that show their class", "higher"),
            "diagonal": share("sums within a class that show it", "higher"),
            "sums": Quantity("G of sums of codes", ("sum", "pixel"), grain=GREY, of_first=True),
        },
    ),
}
