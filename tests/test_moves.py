"""Schedules count steps, and stored runs whose recipe counted updates are moved under the one that counts steps."""

import json

import pytest
from arms import ADAM, CPU, moons, same

from gancore.errors import StudyError
from gancore.recipes.build import population
from gancore.recipes.changed import changed
from gancore.study.moves import move, move_all
from gancore.study.replay import with_double_losses
from gancore.study.results import Store, as_dataset, key_of, read, rewrite
from gancore.training.loop import train

ORIGIN = {"commit": "0" * 40, "dirty": False}
STEPS = 6


def falling(until):
    recipe = moons(points=None, optimiser=ADAM | {"until": STEPS}, steps=STEPS) | {"turns": {"discriminator": 3}}
    return changed(recipe, {"players.discriminator.optimiser.until": until})


def stored(folder, recipe, called):
    """A file of runs of one recipe that says it holds another's."""
    runs = population(recipe, [3, 4], CPU)
    trained = with_double_losses(as_dataset(recipe, runs, train(runs, STEPS)), recipe, ORIGIN)
    return Store(folder).add("arm", called, trained, ORIGIN)


@pytest.mark.parametrize("turns", [1, 3])
def test_every_player_stands_still_once_as_many_steps_are_made_whatever_its_turns(turns):
    recipe = falling(until=STEPS) | {"turns": {"discriminator": turns}}
    runs = population(recipe, [0], CPU)
    states = []
    for step in range(STEPS + 1):
        runs.move(*runs.draw(step))
        states.append([p.detach().clone() for p in runs.game.discriminator.parameters()])
    assert not same(states[-3], states[-2])
    assert same(states[-2], states[-1])


def test_a_file_that_counts_updates_is_found_under_the_recipe_that_counts_steps(tmp_path):
    old = stored(tmp_path, falling(STEPS), called=falling(3 * STEPS))
    before = read(old)
    new = move(old)
    assert not old.exists() and key_of(falling(STEPS)) in new.name
    found = Store(tmp_path).load("arm", falling(STEPS), [3, 4])
    assert found.drop_attrs().identical(before.drop_attrs())
    assert json.loads(found.attrs["provenances"]) == [ORIGIN]


@pytest.mark.parametrize("until", [STEPS, 3 * STEPS])
def test_a_file_that_counts_steps_stays_where_it_is(until, tmp_path):
    path = stored(tmp_path, falling(until), called=falling(until))
    assert move(path) == path and move(path) == path


def test_a_file_that_neither_recipe_gives_is_left_and_named_and_the_others_are_moved(tmp_path, capsys):
    folder = tmp_path / "04"
    good = stored(folder, falling(STEPS), called=falling(3 * STEPS))
    bad = stored(folder, falling(STEPS - 1), called=falling(3 * STEPS - 3))
    runs = read(bad)
    runs["first_losses_double"] = runs.first_losses_double * 1.001
    bad = rewrite(bad, runs)
    with pytest.raises(StudyError, match=f"1 stored files are as they were:\n{bad.name}: its losses are neither"):
        move_all(tmp_path, ["04"])
    assert bad.exists() and not good.exists()
    assert len(capsys.readouterr().out.splitlines()) == 1
