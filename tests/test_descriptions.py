"""What is said of a quantity, against what is observed and what is stored."""

import json

import netCDF4
import numpy as np
import pytest
import torch
from arms import CPU
from test_diverged import OBSERVED, ONCE

from gancore.files import ROOT
from gancore.metrics import MEASURES
from gancore.observers import KINDS, described, observers, quantities_of
from gancore.recipes.build import population
from gancore.study.results import as_dataset, read
from gancore.training.loop import train

ALL = [(kind, name, quantity) for kind in KINDS for name, quantity in quantities_of(kind).items()]
STORED = sorted((ROOT / "data" / "results").glob("[0-9][0-9]/*.nc"))[::4]  # every notebook's, and every kind


@pytest.mark.parametrize("name", sorted({name for _, name, _ in ALL}))
def test_what_several_kinds_observe_is_on_one_clock_and_described_alike(name):
    found = [(KINDS[kind].clock, quantity) for kind, its, quantity in ALL if its == name]
    found += [("step", family.quantities[name]) for family in MEASURES.values() if name in family.quantities]
    assert all(one == described()[name] for one in found)
    assert described()[name][1].better in ("higher", "lower", None) and described()[name][1].says


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_observed_lies_in_its_range_and_is_stored_with_its_description(kind):
    recipe = OBSERVED[kind](ONCE)
    runs = population(recipe, [3, 4], CPU)
    record = train(runs, 2, list(observers(recipe["observe"], 2, runs).values()))
    stored = as_dataset(recipe, runs, record)
    for name in record.observed.keys() & stored.data_vars.keys():
        values, quantity = torch.stack(record.observed[name]), quantities_of(kind)[name]
        values = values[values.isfinite()]
        assert (values >= quantity.least - 1e-5).all() and (values <= quantity.most + 1e-5).all(), name
        assert stored[name].attrs == quantity.as_attributes()
        assert stored[name].dims == ("drawn" if quantity.of_first else "seed", KINDS[kind].clock, *quantity.dimensions)
    assert stored.losses.attrs["long_name"] and stored.losses.dims == ("seed", "loss_step", "player")


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_stored_files_have_the_dimensions_and_the_grain_that_are_described(path):
    stored = read(path)
    swept = json.loads(stored.attrs["recipe"]).get("sweep", {})
    with netCDF4.Dataset(path) as file:
        scales = {name: getattr(file[name], "scale_factor", None) for name in stored.data_vars}
    for name in set(stored.data_vars) - {"diverged", "first_losses", "first_losses_double", "losses"}:
        clock, quantity = described()[name]
        dims = [dim for dim in stored[name].dims if dim not in swept]
        assert dims == ["drawn" if quantity.of_first else "seed", clock, *quantity.dimensions], name
        expected = None if quantity.grain is None else np.float32(quantity.grain)
        assert scales[name] == expected, name


def test_the_stored_files_tried_have_nearly_all_that_is_ever_stored():
    names = set()
    for path in STORED:
        with netCDF4.Dataset(path) as file:
            names |= set(file.variables)
    assert len(names & described().keys()) > 0.75 * len(described())
