"""Stored runs: one netCDF file for an arm's recipe and a range of seeds.

A file is named `<arm>-<key>-seeds-<first>-<last>-<digest>.nc`: the key is a hash of the recipe, the
digest one of the file's bytes. Seeds are added by adding files, so a merge of two machines' results
is a copy. Files are written whole or not at all, and every reading checks the digest.
"""

import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gancore.errors import StudyError
from gancore.files import write_whole
from gancore.recipes import DIMENSIONS, observers
from gancore.train import Population, Record

POINT_UNIT = np.float32(1 / 256)  # stored points are whole multiples of it, up to +-127
POINTS = ("snapshots", "portraits")


def key_of(recipe: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits that stand for the recipe."""
    return digest(json.dumps(recipe, sort_keys=True).encode())


def digest(content: bytes) -> str:
    """Twelve hexadecimal digits that a changed byte changes."""
    return hashlib.sha256(content).hexdigest()[:12]


def as_dataset(recipe: Mapping[str, Any], runs: Population, record: Record) -> xr.Dataset:
    """What a training left behind, labelled: a row a seed; a diverged run's values are NaN from then on."""
    clocks = {DIMENSIONS[name][1]: np.asarray(o.at, "int64") for name, o in observers(recipe, runs).items()}
    first = np.stack([losses.numpy() for losses in record.first_losses], 1)  # (R, first steps, players)
    data = {
        "diverged": ("seed", record.diverged.numpy()),
        "first_losses": (("seed", "first_step", "player"), first),
    }
    for name, values in record.observed.items():
        dims = DIMENSIONS.get(name, DIMENSIONS["measures"])
        stacked = np.stack([value.numpy() for value in values], 1)
        stacked[_after(record.diverged.numpy()[: len(stacked)], clocks[dims[1]])] = np.nan
        data[name] = (dims, _rounded(stacked) if name in POINTS else stacked)
    coordinates = {"seed": np.asarray(runs.seeds, "int64"), "player": list(runs.game.players), **clocks}
    if "snapshots" in data:
        coordinates["drawn"] = coordinates["seed"][:1]
    return xr.Dataset(data, coordinates)


def _after(diverged: np.ndarray, clock: np.ndarray) -> np.ndarray:
    """Where a run is past its divergence: (R,), (T,) -> (R, T)."""
    return (diverged[:, None] >= 0) & (clock[None] > diverged[:, None])


def _rounded(points: np.ndarray) -> np.ndarray:
    return np.round(np.clip(points, -127, 127) / POINT_UNIT).astype(np.float32) * POINT_UNIT


class Store:
    """The stored runs of one notebook: a folder of files."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def files(self, arm: str, recipe: Mapping[str, Any]) -> list[Path]:
        """The files that hold runs of this arm and recipe."""
        return sorted(self.folder.glob(f"{arm}-{key_of(recipe)}-seeds-*.nc"))

    def seeds(self, arm: str, recipe: Mapping[str, Any]) -> set[int]:
        """The seeds that are stored."""
        return {int(s) for path in self.files(arm, recipe) for s in self._open(path, recipe).seed.values}

    def load(self, arm: str, recipe: Mapping[str, Any], seeds: Sequence[int]) -> xr.Dataset:
        """The runs of these seeds, in order. Raises StudyError where one is missing or a file is bad."""
        wanted, parts = set(seeds), []
        for path in self.files(arm, recipe):
            part = self._open(path, recipe)
            held = [int(s) for s in part.seed.values if int(s) in wanted]
            wanted -= set(held)
            if held:
                drawn = {"drawn": [s for s in part.drawn.values if s in held]} if "drawn" in part.dims else {}
                parts.append(part.sel(seed=held, **drawn))
        if wanted:
            raise StudyError(f"arm {arm!r} has no stored run for {len(wanted)} of {len(seeds)} seeds in {self.folder}")
        return _joined(parts).sel(seed=list(seeds))

    def add(self, arm: str, recipe: Mapping[str, Any], runs: xr.Dataset, provenance: Mapping[str, Any]) -> Path:
        """Store the runs, whole or not at all. Raises StudyError where the folder does not take them."""
        texts = {"recipe": recipe, "provenance": provenance}
        runs = runs.assign_attrs(arm=arm, **{name: json.dumps(value, sort_keys=True) for name, value in texts.items()})
        content = bytes(runs.to_netcdf(engine="h5netcdf", encoding=_encoding(runs)))
        seeds = f"seeds-{int(runs.seed[0])}-{int(runs.seed[-1])}"
        path = self.folder / f"{arm}-{key_of(recipe)}-{seeds}-{digest(content)}.nc"
        write_whole(path, content)
        return path

    def check_writable(self) -> None:
        """Raises StudyError where a file cannot be made: better before a long training than after."""
        probe = self.folder / f".probe-{os.getpid()}"
        write_whole(probe, b"")
        probe.unlink()

    def _open(self, path: Path, recipe: Mapping[str, Any]) -> xr.Dataset:
        """Read a file and check that it is whole, unaltered, and of this recipe."""
        runs = read(path)
        if json.loads(runs.attrs["recipe"]) != json.loads(json.dumps(recipe)):
            raise StudyError(f"{path} holds runs of another recipe than its name says: delete it or restore it")
        return runs


def read(path: Path) -> xr.Dataset:
    """A stored file's runs. Raises StudyError where the file is truncated or was altered."""
    content = path.read_bytes()
    if digest(content) != path.stem.rsplit("-", 1)[-1]:
        raise StudyError(f"{path} is truncated or was altered (its digest differs): delete it or restore it")
    return xr.load_dataset(io.BytesIO(content), engine="h5netcdf")


def provenance_of(runs: xr.Dataset) -> list[dict[str, Any]]:
    """The provenance of every file that the runs were read from."""
    return json.loads(runs.attrs["provenances"])


def _joined(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    rows = [part.drop_dims("drawn", errors="ignore") for part in parts]
    runs = xr.concat(rows, "seed", data_vars="minimal", coords="minimal", compat="override", join="exact")
    drawn = [part["snapshots"] for part in parts if "snapshots" in part]
    if drawn:
        runs["snapshots"] = xr.concat(drawn, "drawn", join="exact")
    provenances = [json.loads(part.attrs["provenance"]) for part in parts]
    return runs.assign_attrs(provenances=json.dumps(provenances), recipe=parts[0].attrs["recipe"])


def _encoding(runs: xr.Dataset) -> dict[str, dict[str, Any]]:
    packed = {"dtype": "int16", "scale_factor": POINT_UNIT, "_FillValue": np.int16(-32768)}
    numeric = [name for name in runs.data_vars if runs[name].dtype.kind in "iuf"]
    return {
        name: {"zlib": True, "complevel": 9, "shuffle": True} | (packed if name in POINTS else {}) for name in numeric
    }
