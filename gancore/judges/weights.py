"""Weights of trained classifiers in files: written whole or not at all, and checked by a digest when read."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import safetensors
import safetensors.torch
from torch import Tensor, nn

from gancore.errors import StudyError
from gancore.files import write_whole

Network = TypeVar("Network", bound=nn.Module)


def save_weights(path: Path, network: nn.Module, origin: Mapping[str, Any]) -> None:
    """Write weights and provenance to `path`, whole or not at all."""
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    text = json.dumps(origin, sort_keys=True)
    metadata = {"provenance": text, "digest": _digest(text, tensors)}
    write_whole(path, safetensors.torch.save(tensors, metadata))


def load_weights(path: Path, network: Network, command: str) -> Network:
    """The network with the weights of the file, ready to judge.

    Raises StudyError, which names the `command` that trains it again, where the file is missing, damaged or
    another network's.
    """
    try:
        network.load_state_dict(_read(path, command)[0])
    except RuntimeError as error:
        raise StudyError(f"{path} holds another network than the code's: restore it or run `{command}`") from error
    return network.eval()


def provenance_of_weights(path: Path, command: str) -> dict[str, Any]:
    """Where a file's weights come from. Raises StudyError where the file is missing or damaged."""
    return json.loads(_read(path, command)[1])


def _read(path: Path, command: str) -> tuple[dict[str, Tensor], str]:
    """The file's tensors and the text of its provenance, checked against the digest."""
    if not path.is_file():
        raise StudyError(f"the classifier's weights are not in {path}: restore the file or run `{command}`")
    try:
        with safetensors.safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            text, digest = file.metadata()["provenance"], file.metadata()["digest"]
        if _digest(text, tensors) != digest:
            raise ValueError("the digest differs")
    except Exception as error:
        raise StudyError(f"{path} is truncated or was altered: restore it or run `{command}`") from error
    return tensors, text


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    state = hashlib.sha256(text.encode())
    for name, value in sorted(tensors.items()):
        state.update(name.encode() + value.numpy().tobytes())
    return state.hexdigest()
