"""Where an unfinished training stands, on disk."""

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gancore.errors import StudyError
from gancore.files import write_whole
from gancore.training.population import Population

if TYPE_CHECKING:
    from gancore.training.loop import Record

DIGEST = 32  # bytes of SHA-256, which stand before the state
REMEDY = "restore it, or move it away to train from the start"


def save_checkpoint(path: Path, population: Population, record: "Record") -> None:
    """Write the state to `path`, whole or not at all."""
    state = {"seeds": list(population.seeds), "tensors": population.state(), "record": vars(record)}
    content = io.BytesIO()
    torch.save(state, content)
    body = content.getvalue()
    write_whole(path, hashlib.sha256(body).digest() + body)


@torch.no_grad()
def load_checkpoint(path: Path, population: Population, record: "Record") -> None:
    """Put the state at `path` into `population` and `record`; both must be freshly made."""
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[DIGEST:]).digest() != content[:DIGEST]:
            raise ValueError("cut short or altered")
        state = torch.load(io.BytesIO(content[DIGEST:]), map_location="cpu", weights_only=True)
    except Exception as error:
        raise StudyError(f"the checkpoint {path} is unreadable: {REMEDY}") from error
    if state["seeds"] != list(population.seeds):
        raise StudyError(f"the checkpoint {path} belongs to other seeds: {REMEDY}")
    for tensor, value in zip(population.state(), state["tensors"], strict=True):
        tensor.copy_(value)
    vars(record).update(state["record"])
