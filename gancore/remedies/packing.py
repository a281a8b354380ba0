"""PacGAN: several points are judged together (Lin et al. 2018)."""

from dataclasses import dataclass, fields, replace
from typing import Annotated, Any

from torch import Tensor

from gancore.errors import StudyError
from gancore.games.gan import Batch
from gancore.remedies.remedy import Learners, Remedy
from gancore.values import whole


def packed(x: Tensor, size: int) -> Tensor:
    """Every `size` points of a batch as one: (R, B, D) -> (R, B / size, size D)."""
    return x.unflatten(1, (-1, size)).flatten(2)


@dataclass(frozen=True)
class Packed:
    """A target or latents as packs of them are seen: so many times the dimensions, or the channels of an image."""

    source: Any
    size: int

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.source, name)
        if name == "image":
            return self.size * value[0], value[1]
        return self.size * value if name in ("dimensions", "classes") else value


class Packing(Remedy):
    """The discriminator gives one score to `size` points of the same kind (Lin et al. 2018, section 2.2)."""

    def __init__(self, size: Annotated[int, whole(1)]):
        super().__init__()
        self.size = size

    def judged(self, source: Any) -> Any:
        return Packed(source, self.size)

    def begin(self, runs: Learners, batch: Batch) -> None:
        """Raises StudyError where the points of a batch do not make whole packs."""
        points = batch.real.shape[1]
        if points % self.size:
            raise StudyError(f"packs of {self.size} out of {points} points: allowed are sizes that divide it")

    def seen(self, batch: Batch) -> Batch:
        parts = {field.name: getattr(batch, field.name) for field in fields(batch)}
        packs = {name: packed(x, self.size) for name, x in parts.items() if isinstance(x, Tensor)}
        return replace(batch, **packs | {"epsilon": batch.epsilon[:, :: self.size]})
