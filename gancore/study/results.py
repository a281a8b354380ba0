"""Stored runs: one netCDF file for an arm's recipe and a range of seeds.

A file is named `<arm>-<key>-seeds-<first>-<last>-<digest>.nc`: the key is a hash of the recipe, the
digest one of the file's bytes. Seeds are added by adding files, so a merge of two machines' results
is a copy. Files are written whole or not at all, and every reading checks the digest. What a file holds of its first
steps is trained again and compared: `gancore.study.replay`.
"""

import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5netcdf
import netCDF4
import numpy as np
import xarray as xr
from xarray.backends import H5NetCDFStore

from gancore.errors import StudyError
from gancore.files import write_whole
from gancore.metrics.described import Quantity
from gancore.observers import KINDS, described, moments
from gancore.recipes.sweeps import axes
from gancore.training.loop import LOSS_CLOCK, Record, loss_steps
from gancore.training.population import Population

LOSS = Quantity("what a player minimised at that step, before its turn", ("player",))


def key_of(recipe: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits that stand for the recipe."""
    return digest(json.dumps(recipe, sort_keys=True).encode())


def digest(content: bytes) -> str:
    """Twelve hexadecimal digits that a changed byte changes."""
    return hashlib.sha256(content).hexdigest()[:12]


def as_dataset(recipe: Mapping[str, Any], runs: Population, record: Record) -> xr.Dataset:
    """What a training left behind, labelled: a row a seed; a diverged run's values are NaN from then on.

    The runs of a sweep have its axes after the seed.
    """
    swept = axes(recipe)
    clocks = {KINDS[kind].clock: moments(recipe["steps"], spec) for kind, spec in recipe["observe"].items()}
    clocks = {clock: np.asarray(steps, "int64") for clock, steps in clocks.items()}
    first, losses = (np.stack([x.numpy() for x in kept], 1) for kept in (record.first_losses, record.losses))
    data = {
        "diverged": by_cell(("seed",), record.diverged.numpy(), swept),
        "first_losses": by_cell(("seed", "first_step", "player"), first, swept),  # (R, first steps, players)
        "losses": (*by_cell(("seed", LOSS_CLOCK, "player"), losses, swept), LOSS.as_attributes()),
    }
    known = described()
    for name in [name for name in record.observed if not name.startswith("_")]:
        clock, quantity = known[name]
        values = _rounded(_until_diverged(record, name, clocks[clock]), quantity.grain)
        dims = ("drawn" if quantity.of_first else "seed", clock, *quantity.dimensions)
        data[name] = (*by_cell(dims, values, swept), quantity.as_attributes())
    clocks[LOSS_CLOCK] = np.asarray(loss_steps(record.step), "int64")
    seeds = np.asarray(list(dict.fromkeys(runs.seeds)), "int64")
    coordinates = {"seed": seeds, "player": list(runs.game.players), **swept, **clocks}
    if any("drawn" in dims for dims, *_ in data.values()):
        coordinates["drawn"] = seeds[:1]
    return xr.Dataset(data, coordinates)


def by_cell(dims: tuple[str, ...], values: np.ndarray, swept: Mapping[str, Sequence[float]]) -> tuple:
    """Dimensions and values with the axes of a sweep after the seed: (R, ...) -> (seeds, *axes, ...)."""
    if dims[0] != "seed":
        return dims, values
    shape = [len(axis) for axis in swept.values()]
    return ("seed", *swept, *dims[1:]), values.reshape(-1, *shape, *values.shape[1:])


def _until_diverged(record: Record, name: str, clock: np.ndarray) -> np.ndarray:
    """What was observed at the steps of a clock (T,), NaN where a run is past its divergence: (R, T, ...)."""
    values = np.stack([value.numpy() for value in record.observed[name]], 1)
    diverged = record.diverged.numpy()[: len(values), None]
    values[(diverged >= 0) & (clock > diverged)] = np.nan
    return values


def _rounded(values: np.ndarray, grain: float | None) -> np.ndarray:
    if grain is None:
        return values
    unit = np.float32(grain)
    return np.round(np.clip(values, -127, 127) / unit).astype(np.float32) * unit


class Store:
    """The stored runs of one notebook: a folder of files."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def files(self, arm: str, recipe: Mapping[str, Any]) -> list[Path]:
        """The files that hold runs of this arm and recipe."""
        return sorted(self.folder.glob(f"{arm}-{key_of(recipe)}-seeds-*.nc"))

    def seeds(self, arm: str, recipe: Mapping[str, Any]) -> set[int]:
        """The seeds that are stored."""
        found: set[int] = set()
        for path in self.files(arm, recipe):
            with netCDF4.Dataset(path.name, memory=_whole(path)) as file:  # many times faster than `read`
                _check_recipe(path, file.recipe, recipe)
                found |= set(file["seed"][:].tolist())
        return found

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
        content = _content(runs)
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
        _check_recipe(path, runs.attrs["recipe"], recipe)
        return runs


def read(path: Path) -> xr.Dataset:
    """A stored file's runs. Raises StudyError where the file is truncated or was altered."""
    return xr.load_dataset(_whole(path), engine="netcdf4")


def _whole(path: Path) -> bytes:
    content = path.read_bytes()
    if digest(content) != path.stem.rsplit("-", 1)[-1]:
        raise StudyError(
            f"{path} is truncated or was altered (its digest differs): restore it, or move it away to train it again"
        )
    return content


def _check_recipe(path: Path, stored: str, recipe: Mapping[str, Any]) -> None:
    if json.loads(stored) != json.loads(json.dumps(recipe)):
        raise StudyError(
            f"{path} holds runs of another recipe than its name says: restore it, or move it away to train it again"
        )


def rewrite(path: Path, runs: xr.Dataset) -> Path:
    """Put the runs in the place of a stored file, named by their own digest; the old one goes once the new is whole."""
    content = _content(runs)
    new = path.with_stem(f"{path.stem.rsplit('-', 1)[0]}-{digest(content)}")
    write_whole(new, content)
    if new != path:
        path.unlink()
    return new


def change_all(results: Path, notebooks: Sequence[str], change: Callable[[Path], Path]) -> None:
    """Change every stored file of these notebooks, by a function that gives the file as it then is; print new names.

    Raises StudyError in the end where `change` did for some of them, with what it said of each.
    """
    faults = []
    for path in [path for number in notebooks for path in sorted(results.glob(f"{number}*/*.nc"))]:
        try:
            if (new := change(path)) != path:
                print(new.name, flush=True)
        except StudyError as error:
            faults.append(str(error))
    if faults:
        raise StudyError("\n".join([f"{len(faults)} stored files are as they were:", *faults]))


def provenance_of(runs: xr.Dataset) -> list[dict[str, Any]]:
    """The provenance of every file that the runs were read from, by `read` or by `Store.load`."""
    if "provenances" in runs.attrs:
        return json.loads(runs.attrs["provenances"])
    return [json.loads(runs.attrs["provenance"])]


def _joined(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    rows = [part.drop_dims("drawn", errors="ignore") for part in parts]
    runs = xr.concat(rows, "seed", data_vars="minimal", coords="minimal", compat="override", join="exact")
    for name in [name for name, values in parts[0].items() if "drawn" in values.dims]:
        runs[name] = xr.concat([part[name] for part in parts], "drawn", join="exact")
    provenances = [json.loads(part.attrs["provenance"]) for part in parts]
    return runs.assign_attrs(provenances=json.dumps(provenances), recipe=parts[0].attrs["recipe"])


def _content(runs: xr.Dataset) -> bytes:
    # The netCDF library, several times as fast, would write the time of day into the file. HDF5's format of today saves
    # two fifths of a file, which in its oldest is padding.
    content = io.BytesIO()
    store = H5NetCDFStore(h5netcdf.File(content, "w", libver="latest"), mode="w")
    runs.drop_encoding().dump_to_store(store, encoding=_encoding(runs))
    store.close()
    return content.getvalue()


def _encoding(runs: xr.Dataset) -> dict[str, dict[str, Any]]:
    numeric = [name for name in runs.data_vars if runs[name].dtype.kind in "iuf"]
    grains = {name: quantity.grain for name, (_, quantity) in described().items()}
    return {name: {"zlib": True, "complevel": 9, "shuffle": True} | _packing(grains.get(name)) for name in numeric}


def _packing(grain: float | None) -> dict[str, Any]:
    if grain is None:
        return {}
    return {"dtype": "int16", "scale_factor": np.float32(grain), "_FillValue": np.int16(-32768)}
