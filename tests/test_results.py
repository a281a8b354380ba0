import resource
import shutil

import numpy as np
import pytest
import torch
import xarray as xr
from arms import CPU, moons

from gancore.errors import StudyError
from gancore.observers import observers
from gancore.parameters import Share, read_share
from gancore.recipes import build as recipes
from gancore.study.results import Store, as_dataset, key_of, read
from gancore.study.work import Piece, pieces, train_piece
from gancore.training.loop import train

OBSERVE = {
    "measures": {"times": 2, "points": 50},
    "snapshots": {"times": 3, "points": 20},
    "portraits": {"at": [10, 30], "points": 10},
}
RECIPE = moons(steps=30, observe=OBSERVE)


def trained(seeds, recipe=RECIPE):
    runs = recipes.population(recipe, seeds, CPU)
    record = train(runs, recipe["steps"], list(observers(recipe["observe"], recipe["steps"], runs).values()))
    return as_dataset(recipe, runs, record)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


@pytest.fixture(scope="module")
def two_runs():
    return trained(range(2))


def test_what_is_stored_is_what_is_read(store, two_runs):
    store.add("z2", RECIPE, two_runs, {"commit": "abc"})
    xr.testing.assert_equal(store.load("z2", RECIPE, [0, 1]).drop_vars("player"), two_runs.drop_vars("player"))


def test_points_are_stored_to_half_a_unit(two_runs):
    runs = recipes.population(RECIPE, range(2), CPU)
    observed = train(runs, 30, list(observers(RECIPE["observe"], RECIPE["steps"], runs).values())).observed
    exact = torch.stack(observed["portraits"], 1).numpy()
    assert np.abs(exact - two_runs.portraits.values).max() <= 1 / 512


def test_two_stored_runs_grow_to_five_by_training_three(store, tmp_path):
    train_piece(Piece("z2", RECIPE, range(2)), store, CPU, tmp_path)
    before = {path: path.read_bytes() for path in store.files("z2", RECIPE)}
    train_piece(Piece("z2", RECIPE, range(5)), store, CPU, tmp_path)
    added = set(store.files("z2", RECIPE)) - set(before)
    assert [list(read(path).seed.values) for path in added] == [[2, 3, 4]]
    assert all(path.read_bytes() == content for path, content in before.items())
    assert list(store.load("z2", RECIPE, range(5)).seed.values) == list(range(5))


def test_results_of_two_machines_merge_by_copying_their_files(tmp_path):
    here, there = Store(tmp_path / "here"), Store(tmp_path / "there")
    here.add("z2", RECIPE, trained([0, 1]), {"commit": "a"})
    there.add("z2", RECIPE, trained([1, 2]), {"commit": "b"})
    for path in there.folder.iterdir():
        shutil.copy(path, here.folder)
    merged = here.load("z2", RECIPE, [2, 0, 1])
    assert list(merged.seed.values) == [2, 0, 1]
    assert merged.energy_distance.notnull().all()


@pytest.mark.parametrize("damage", ["truncated", "altered"])
def test_a_damaged_file_is_named_and_never_half_read(store, two_runs, damage):
    path = store.add("z2", RECIPE, two_runs, {})
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    with pytest.raises(StudyError, match=path.name):
        store.load("z2", RECIPE, [0])


def test_a_file_of_another_recipe_is_refused(store, two_runs):
    other = moons(latent=4, steps=30, observe=OBSERVE)
    path = store.add("z2", RECIPE, two_runs, {})
    path.rename(path.with_name(path.name.replace(key_of(RECIPE), key_of(other))))
    with pytest.raises(StudyError, match="another recipe"):
        store.load("z2", other, [0])


def test_every_change_of_a_recipe_changes_its_key():
    variants = [RECIPE, RECIPE | {"latent": 3}, RECIPE | {"steps": 31}, RECIPE | {"batch": 16}]
    assert len({key_of(recipe) for recipe in variants}) == len(variants)
    assert key_of(dict(reversed(RECIPE.items()))) == key_of(RECIPE)


def test_a_missing_run_is_counted(store, two_runs):
    store.add("z2", RECIPE, two_runs, {})
    with pytest.raises(StudyError, match="no stored run for 2 of 3 seeds"):
        store.load("z2", RECIPE, [1, 2, 3])


def test_a_full_disk_leaves_nothing_behind(tmp_path, two_runs):
    """The largest file that the process may write is limited, which fails as a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(StudyError, match="cannot be written"):
            Store(tmp_path).add("z2", RECIPE, two_runs, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_a_results_folder_that_takes_no_files_is_noticed_before_training(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(StudyError, match="cannot be written"):
        Store(blocked / "results").check_writable()


def test_values_after_a_divergence_are_missing_and_those_before_are_not(two_runs):
    runs = recipes.population(RECIPE, range(2), CPU)
    record = train(runs, 30, list(observers(RECIPE["observe"], RECIPE["steps"], runs).values()))
    record.diverged = torch.tensor([-1, 20])
    stored = as_dataset(RECIPE, runs, record)
    assert stored.energy_distance.isnull().values.tolist() == [[False] * 3, [False, False, True]]
    assert stored.portraits.isnull().all(["place", "axis"]).values.tolist() == [[False, False], [False, True]]


def test_shares_divide_the_work_without_overlap_or_gap():
    arms = {name: RECIPE for name in "abcde"}
    for count in (1, 2, 3, 7):
        dealt = [p for i in range(1, count + 1) for p in pieces(arms, range(100), Share(i, count))]
        runs = sorted((p.arm, seed) for p in dealt for seed in p.seeds)
        assert runs == [(arm, seed) for arm in arms for seed in range(100)]


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", ""])
def test_an_impossible_share_is_refused(text):
    with pytest.raises(StudyError, match="unknown share"):
        read_share(text)
