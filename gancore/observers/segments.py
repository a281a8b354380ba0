"""What hidden units do with the latents, and how D slopes between points and their reconstructions."""

import torch
from torch import Tensor

from gancore.errors import StudyError
from gancore.metrics.described import POINT, Quantity, share
from gancore.nets.layers import Linear
from gancore.observers.kinds import Kind
from gancore.observers.needs import known_latents, known_target, players_of
from gancore.observers.points import evaluated
from gancore.penalties import between, slope_at
from gancore.training.loop import Earlier, Measure
from gancore.training.population import Population
from gancore.values import Count, Several


def segments(runs: Population, *, points: Count, places: Several) -> Measure:
    """Codes and reconstructions of `points` real points, and D's slopes on the way to them.

    The points x are those that each run is judged on. `code` (R, points, d): E(x); `again` (R, points, D): x_hat,
    G(E(x)); `slope` (R, points, places, D): grad_x D(x', E(x)) at `places` points x' that divide the segment evenly,
    from x_hat to x.
    """
    x = evaluated(known_target(runs), runs, points)
    along = torch.linspace(0, 1, places, device=runs.device)
    generator, encoder, discriminator = players_of(runs, "generator", "encoder", "discriminator")

    def measure(earlier: Earlier) -> dict[str, Tensor]:
        with torch.no_grad():
            z = encoder(x)
            again = generator(z)
        slopes = [
            slope_at(lambda there: discriminator(there, z), between(x, again, part.expand(x.shape[:2])[..., None]))
            for part in along
        ]
        return {"code": z, "again": again, "slope": torch.stack(slopes, 2)}

    return measure


def units(runs: Population, *, points: Several) -> Measure:
    """Shares of the generator's hidden units, of all its layers, on `points` latents, (R,) each.

    `bending`: those whose output is above 0 for some latents and not for others, so that their kink lies among
    them; `silent`: those whose output is above 0 for none, which are dead if they are ReLUs. Raises StudyError for
    a generator without gancore's Linear layers.
    """
    z, (generator,) = (evaluated(known_latents(runs), runs, points), players_of(runs, "generator"))
    network = getattr(generator, "network", generator)
    hidden = [module for module in network.modules() if isinstance(module, Linear)][:-1]
    if not hidden:
        raise StudyError("hidden units are observed, and the generator has no hidden layer of gancore's")

    @torch.no_grad()
    def measure(earlier: Earlier) -> dict[str, Tensor]:
        shown: list[Tensor] = []
        hooks = [layer.register_forward_hook(lambda _, x, y: shown.append(y > 0)) for layer in hidden]
        try:
            generator(z)
        finally:
            for hook in hooks:
                hook.remove()
        active = torch.cat(shown, 2)  # (R, points, units of all layers)
        some, every = active.any(1), active.all(1)
        return {"bending": (some & ~every).float().mean(1), "silent": (~some).float().mean(1)}

    return measure


KINDS = {
    "segments": Kind(
        segments,
        "moment",
        {
            "code": Quantity("E(x) of real points", ("end", "latent"), grain=POINT),
            "again": Quantity("G(E(x)) of real points", ("end", "axis"), grain=POINT),
            "slope": Quantity("slope of D between points and reconstructions", ("end", "along", "axis")),
        },
    ),
    "units": Kind(
        units,
        "step",
        {
            "bending": share("hidden units that bend among the latents", "higher"),
            "silent": share("hidden units that no latent makes active", "lower"),
        },
    ),
}
