"""A generator and an encoder as each other's inverse, and what a discriminator of pairs sees of them."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gancore.data.images import TrafficScene
from gancore.errors import StudyError
from gancore.metrics.described import GREY, POINT, Quantity, share
from gancore.metrics.two_sample import KS, kolmogorov_smirnov
from gancore.observers.kinds import Kind
from gancore.observers.needs import having, in_dimensions, known_latents, known_target, players_of
from gancore.observers.points import evaluated, evaluation_points
from gancore.streams import generator_of
from gancore.training.loop import Earlier, Measure
from gancore.training.population import Population
from gancore.values import Count, Positive, Several


def inversions(runs: Population, *, points: Several) -> Measure:
    """How well generator and encoder invert each other on `points` points of each side, all (R,).

    `x_error`: median |x - G(E(x))| over the median distance of two real points, and `z_error` likewise
    on the latents: 0 where they invert each other, about 1 where they have nothing to do with each
    other. `ks`: Kolmogorov-Smirnov distance of the codes E(x) to the latents' distribution, the worst of all
    dimensions.
    """
    latents = having(known_latents(runs), "levelled")
    real, z = (evaluated(source, runs, points) for source in (known_target(runs), latents))
    generator, encoder = players_of(runs, "generator", "encoder")

    @torch.no_grad()
    def measure(earlier: Earlier) -> dict[str, Tensor]:
        code = encoder(real)
        return {
            "x_error": _relative_error(real, generator(code)),
            "z_error": _relative_error(z, encoder(generator(z))),
            "ks": kolmogorov_smirnov(latents.levelled(code)),
        }

    return measure


def _relative_error(x: Tensor, found: Tensor) -> Tensor:
    """Median distance of a point to what was found for it, in units of that to another point: (R, n, D) -> (R,)."""
    error, apart = ((x - other).norm(dim=2).median(1).values for other in (found, x.roll(1, 1)))
    return error / apart


def sorting(runs: Population, *, points: Several) -> Measure:
    """Whether a one-dimensional code keeps the modes of `points` real points apart: `neighbours_alike` (R,).

    The share of the points, in the order of their codes, whose successor belongs to the same mode; 1
    less the number of changes that even a perfect order has, divided by the number of points.
    """
    source = having(known_latents(runs), "nearest")
    x, (encoder,) = evaluated(source, runs, points), players_of(runs, "generator")
    _, mode = source.nearest(x)

    @torch.no_grad()
    def measure(earlier: Earlier) -> dict[str, Tensor]:
        in_order = mode.gather(1, encoder(x)[..., 0].argsort(1))
        return {"neighbours_alike": (in_order[:, 1:] == in_order[:, :-1]).float().mean(1)}

    return measure


def plane(runs: Population, *, places: Count, reach: Positive, points: Count) -> Measure:
    """Points and latents of one dimension each: the discriminator over the plane of pairs, and both players in it.

    On `places` values of x across [-`reach`, `reach`] and of z across the latents' `span`: the probability
    `surface` (R, places of x, places of z) of being an encoder's pair, G over the places of z as
    `curve` (R, places), and the codes of the first `points` real points that seed 0 is judged on, `codes` (R, points).
    """
    device, target = runs.device, in_dimensions(known_target(runs), 1)
    latents = in_dimensions(known_latents(runs), 1)
    low, high = having(latents, "span").span
    x, z = torch.linspace(-reach, reach, places), torch.linspace(low, high, places)
    pairs = torch.cartesian_prod(x, z).to(device).expand(len(runs.seeds), -1, -1)
    real = evaluation_points(target, 0, points).to(device).expand(len(runs.seeds), -1, -1)
    along = z[:, None].to(device).expand(len(runs.seeds), -1, -1)
    generator, encoder, discriminator = players_of(runs, "generator", "encoder", "discriminator")

    @torch.no_grad()
    def measure(earlier: Earlier) -> dict[str, Tensor]:
        scores = discriminator(pairs[..., :1], pairs[..., 1:])[..., 0]
        return {
            "surface": scores.sigmoid().unflatten(1, (places, places)),
            "curve": generator(along)[..., 0],
            "codes": encoder(real)[..., 0],
        }

    return measure


def reconstructions(runs: Population, *, pictures: Count, between: Count) -> Measure:
    """Reconstructions of the first `pictures` held-out images, and as many interpolations between their codes.

    `originals` (1, pictures, D), their `reconstructions` (R, pictures, D), and `interpolations`
    (R, pictures / 2 x between, D): from every other image to the next one in `between` even steps, both
    ends included.
    """
    held_out = having(known_target(runs), "held_out").held_out()
    if pictures % 2 or pictures > len(held_out):
        raise StudyError(f"{pictures} held-out pictures: allowed is an even number up to all {len(held_out)}")
    x = held_out[:pictures].to(runs.device).expand(len(runs.seeds), -1, -1)
    part = torch.linspace(0, 1, between, device=x.device)[:, None]
    generator, encoder = players_of(runs, "generator", "encoder")

    @torch.no_grad()
    def measure(earlier: Earlier) -> dict[str, Tensor]:
        code = encoder(x)
        a, b = (code[:, start::2, None] for start in (0, 1))  # (R, pairs, 1, d)
        between = ((1 - part) * a + part * b).flatten(1, 2)
        return {"originals": x[:1], "reconstructions": generator(code), "interpolations": generator(between)}

    return measure


def vehicles(runs: Population, *, frames: Count) -> Measure:
    """What G(E(x)) keeps of traffic frames that have one vehicle each, `frames` of them a lane: (R, lanes) each.

    `vehicles_kept`: share of them in which the vehicle is recognised again, in its lane; `traces_kept`: in
    which there is at least a trace of it. Raises StudyError where the target is no traffic scene.
    """
    scene = known_target(runs)
    if not isinstance(scene, TrafficScene):
        raise StudyError(f"vehicles are observed and the target is {scene}: allowed is a traffic scene")
    lane = torch.arange(len(scene.lanes)).repeat_interleave(frames)
    present = one_hot(lane, len(scene.lanes)).bool()  # (frames, lanes)
    x = torch.from_numpy(scene.frames(present.numpy(), generator_of(0, "vehicles"))).to(runs.device)
    generator, encoder = players_of(runs, "generator", "encoder")

    def in_its_lane(seen: Tensor) -> Tensor:
        own = seen[:, torch.arange(len(lane)), lane]
        return own.unflatten(1, (len(scene.lanes), frames)).float().mean(2)

    @torch.no_grad()
    def measure(earlier: Earlier) -> dict[str, Tensor]:
        again = generator(encoder(x.expand(len(runs.seeds), -1, -1)))
        return {"vehicles_kept": in_its_lane(scene.recognise(again)), "traces_kept": in_its_lane(scene.trace(again))}

    return measure


UNIT = {"least": 0, "most": 1, "grain": POINT}
KINDS = {
    "inversions": Kind(
        inversions,
        "step",
        {
            "x_error": Quantity("error of G(E(x)), in distances of two points", least=0, better="lower"),
            "z_error": Quantity("error of E(G(z)), in distances of two latents", least=0, better="lower"),
            "ks": KS,
        },
    ),
    "sorting": Kind(sorting, "step", {"neighbours_alike": share("successors of the same mode", better="higher")}),
    "plane": Kind(
        plane,
        "moment",
        {
            "surface": Quantity("probability of being an encoder's pair", ("x_place", "z_place"), **UNIT),
            "curve": Quantity("G over the latents", ("z_place",), grain=POINT),
            "codes": Quantity("codes of real points", ("coded",), grain=POINT),
        },
    ),
    "reconstructions": Kind(
        reconstructions,
        "page",
        {
            "originals": Quantity(
                "held-out images", ("original", "pixel"), least=-1, most=1, grain=GREY, of_first=True
            ),
            "reconstructions": Quantity("G(E(x)) of held-out images", ("original", "pixel"), grain=GREY),
            "interpolations": Quantity("images between two codes", ("between", "pixel"), grain=GREY),
        },
    ),
    "vehicles": Kind(
        vehicles,
        "step",
        {
            "vehicles_kept": share("frames whose vehicle is recognised again", "higher", ("lane",)),
            "traces_kept": share("frames with a trace of their vehicle", "higher", ("lane",)),
        },
    ),
}
