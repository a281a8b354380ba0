"""Anyone's `nn.Module` with a replica axis: R independent networks, one a seed."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.parameter import UninitializedTensorMixin

from gancore.errors import StudyError
from gancore.streams import generator_of


class Stacked(nn.Module):
    """R networks that `make()` gives, one a seed: (R, B, ...) each -> (R, B, ...), where `make()` maps (B, ...).

    Each is initialised by its own constructor, with torch's generator seeded by its seed and the `player`'s name
    alone. Parameters and buffers keep their names and lead with R; second derivatives are those of the networks. Batch
    normalisation works by the statistics of each run's batch, with `track_running_stats=False`: a discriminator that
    has it is shown real and fake points apart. Raises StudyError for what would make a run hang on more than its seed:
    a constructor that draws elsewhere or gives one module twice, dropout, running averages.

    A step takes two to three times as long as with gancore's own layers, since `torch.func.vmap` runs over the
    module's; 64 small networks on one core take a sixth of the time that they take one after another, and one alone
    four times.
    """

    def __init__(self, make: Callable[[], nn.Module], seeds: Sequence[int], player: str):
        super().__init__()
        made = {seed: _made(make, seed, player) for seed in dict.fromkeys(seeds)}
        _refuse(make, made, player)
        states = [_state(made[seed]) for seed in seeds]
        # The first network holds what belongs to all of them; weights that it uses twice stay one.
        self.network = made[seeds[0]]
        for name, value in _state(self.network).items():
            value.data = torch.stack([state[name].detach() for state in states])
        self.looks_across = any(
            isinstance(part, _BatchNorm) or getattr(part, "looks_across", False) for part in self.network.modules()
        )

    def forward(self, *x: Tensor) -> Tensor:
        buffers = dict(self.network.named_buffers())
        versions = [buffer._version for buffer in buffers.values()]

        def alone(state: dict[str, Tensor], *x: Tensor) -> Tensor:
            return functional_call(self.network, state, x)

        try:
            y = vmap(alone)(_state(self.network), *x)
        except RuntimeError as error:
            why = str(error).splitlines()[0]
            if "vmap" not in why and "Batching rule" not in why:
                raise
            raise StudyError(f"{_name(self.network)} cannot be computed for all runs at once: {why}") from error
        for (name, buffer), version in zip(buffers.items(), versions, strict=True):
            if buffer._version != version:
                raise StudyError(
                    f"{_name(self.network)} changes its buffer {name} whenever it is called, by observers too: allowed "
                    "is a network that only training changes"
                )
        return y


def _made(make: Callable[[], nn.Module], seed: int, player: str) -> nn.Module:
    """The network of a seed's player; torch's own generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(generator_of(seed, f"weights of the {player}").integers(2**63)))
        module = make()
    if not isinstance(module, nn.Module):
        raise StudyError(f"the {player} is {module!r}: allowed is a function that gives an nn.Module")
    return module


def _refuse(make: Callable[[], nn.Module], made: dict[int, nn.Module], player: str) -> None:
    """Raises StudyError for networks that would make a run hang on more than its seed."""
    seed, first = next(iter(made.items()))
    again = _made(make, seed, player)
    if len({id(module) for module in [*made.values(), again]}) <= len(made):
        raise StudyError(
            f"the {player} is one {_name(first)} for several seeds: allowed is a function that makes another"
        )
    for part in first.modules():
        if isinstance(part, _DropoutNd) and part.p > 0 and part.training:
            raise StudyError(
                f"the {player} has {_name(part)}, which draws from no run's seed: allowed is none, or p = 0"
            )
        if isinstance(part, _BatchNorm) and part.track_running_stats and part.training:
            raise StudyError(
                f"the {player} has {_name(part)} with running averages, which observers would change: allowed is "
                "track_running_stats=False, or eval()"
            )
    same = zip(first.state_dict().items(), again.state_dict().values(), strict=True)
    for (name, value), other in same:
        if isinstance(value, UninitializedTensorMixin):
            raise StudyError(f"{name} of the {player} has no shape yet: allowed are layers that say how many they see")
        if not torch.equal(value, other):
            raise StudyError(
                f"{name} of the {player} starts otherwise each time it is made with the same seed: allowed are initial "
                "weights that torch's generator alone draws"
            )


def _state(module: nn.Module) -> dict[str, Tensor]:
    """All that a network holds, by name."""
    return dict((*module.named_parameters(), *module.named_buffers()))


def _name(module: nn.Module) -> str:
    return type(module).__name__
