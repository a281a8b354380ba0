"""Recipes with other settings at some places, and tables of what differs."""

import copy

import pytest
from arms import ADAM, bigan, moons
from hypothesis import given
from hypothesis import strategies as st

from gancore.errors import StudyError
from gancore.recipes.changed import ABSENT, changed, differences
from gancore.recipes.checks import check
from gancore.study import show
from gancore.study.results import key_of

RING = moons(optimiser=ADAM) | {
    "target": {"name": "ring", "modes": 3, "deviation": 0.1},
    "penalties": [{"name": "r1", "weight": 1.0}, {"name": "r2", "weight": 0.5}],
    "observe": {"measures": {"times": 2, "points": 9}},
}
# Places, and values that may stand there.
VALUES = {
    "batch": st.integers(1, 99),
    "target.modes": st.integers(1, 9),
    "players.generator.optimiser.rate": st.floats(0, 1),
    "players.generator.hidden": st.lists(st.integers(1, 99), min_size=2, max_size=3),
    "players.generator.hidden.1": st.integers(1, 99),
    "players.discriminator.activation": st.sampled_from(["tanh", "relu"]),
    "penalties.1.weight": st.floats(0, 9),
    "penalties.0": st.builds(lambda weight: {"name": "r2", "weight": weight}, st.floats(0, 9)),
    "observe.measures.points": st.integers(1, 99),
    # Optional, and not in the recipe.
    "players.generator.output": st.sampled_from(["tanh", "sigmoid"]),
    "players.discriminator.clip": st.floats(0.1, 1),
    "players.generator.optimiser.until": st.none() | st.integers(1, 99),
    "turns": st.just({"discriminator": 2}),
    "remedies": st.just([{"name": "packing", "size": 2}]),
}
CHANGES = st.fixed_dictionaries({}, optional=VALUES)


def at(recipe, place):
    for part in place.split("."):
        recipe = recipe[int(part) if isinstance(recipe, list) else part]
    return recipe


def holds(recipe, place):
    try:
        at(recipe, place)
    except (KeyError, IndexError):
        return False
    return True


def touches(place, other):
    return place == other or place.startswith(f"{other}.") or other.startswith(f"{place}.")


@given(CHANGES)
def test_a_change_is_where_it_was_put_and_nowhere_else(changes):
    before = copy.deepcopy(RING)
    new = changed(RING, changes)
    assert (before == RING and bool(changes) == (new is not RING)) or new == RING
    for place, value in list(changes.items())[::-1]:
        if sum(touches(place, other) for other in changes) == 1:
            assert at(new, place) == value
    for place in VALUES:
        if not any(touches(place, other) for other in changes):
            assert holds(new, place) == holds(RING, place)
            assert not holds(RING, place) or at(new, place) == at(RING, place)


@given(CHANGES)
def test_differences_are_the_places_that_changed_and_lead_back(changes):
    new = changed(RING, changes)
    header, rows = differences({"ring": RING, "other": new})
    assert header == ["place", "ring", "other"] and (rows == []) == (key_of(new) == key_of(RING))
    for place, *cells in rows:
        assert any(touches(place, other) for other in changes)
        for recipe, cell in zip((RING, new), cells, strict=True):
            assert cell == (str(at(recipe, place)) if holds(recipe, place) else ABSENT)


def test_a_new_recipe_shares_nothing_with_the_old_or_within_itself():
    player = RING["players"]["discriminator"]
    recipe = RING | {"players": {"generator": player, "discriminator": player}}
    new = changed(recipe, {"players.generator.optimiser.rate": 0.5})
    assert new["players"]["discriminator"] == player != new["players"]["generator"]
    new["penalties"][0]["weight"] = 99
    assert RING["penalties"][0]["weight"] == 1


def test_what_is_put_is_copied():
    remedies = [{"name": "packing", "size": 2}]
    new = changed(RING, {"remedies": remedies})
    remedies[0]["size"] = 3
    assert new["remedies"] == [{"name": "packing", "size": 2}]


def test_none_takes_an_optional_setting_away_and_is_put_where_it_is_a_value():
    assert "penalties" not in changed(RING, {"penalties": None})
    with_output = changed(RING, {"players.generator.output": "tanh"})
    assert changed(with_output, {"players.generator.output": None}) == RING
    fresh = changed(moons(), {"target.points": None})
    assert fresh["target"] == {"name": "moons", "points": None} == moons(points=None)["target"]


def test_what_only_fits_together_is_changed_together():
    new = changed(bigan(), {"game": None, "players.encoder": None, "latent": 2})
    check(new)
    assert set(new["players"]) == {"generator", "discriminator"}


IMPOSSIBLE = {
    "'generatr' is not in players: allowed are generator, discriminator": {"players.generatr.output": "tanh"},
    "'2' is not in penalties: allowed are 0, 1": {"penalties.2.weight": 1},
    "'-1' is not in penalties: allowed": {"penalties.-1": {"name": "r1", "weight": 1}},
    "'more' is not in batch: allowed are no places below it": {"batch.more": 1},
    "'remedies' is not in the recipe: allowed are": {"remedies.0.size": 2},
    "'sweep' is not in the recipe": {"sweep": None},
    "'output' is not in players.generator": {"players.generator.output": None},
    "'outptu' is unknown in the generator: allowed are": {"players.generator.outptu": "tanh"},
    "'batchs' is unknown in the recipe: allowed are": {"batchs": 3},
    "'weight' is missing from a penalty": {"penalties.0.weight": None},
    "'batch' is missing from the recipe": {"batch": None},
    "'width' is unknown in the target 'ring'": {"target.width": 2},
    "weight of the penalty 'r1' = -1: allowed": {"penalties.0.weight": -1},
    "unknown output 'tanhh'": {"players.generator.output": "tanhh"},
    "'' is unknown in the recipe": {"": 3},
}


@pytest.mark.parametrize("sentence", IMPOSSIBLE)
def test_a_place_or_value_that_cannot_be_is_named_with_what_is_allowed(sentence):
    with pytest.raises(StudyError, match=sentence):
        changed(RING, IMPOSSIBLE[sentence])


def test_no_data_are_read_for_a_recipe_of_images(monkeypatch):
    monkeypatch.setattr("gancore.data.targets.load", None)
    new = changed(RING, {"target": {"name": "pictures", "images": "mnist"}, "observe": {}})
    assert changed(new, {"target.first": 10})["target"]["first"] == 10


def test_the_table_of_differences_has_the_base_first_and_a_row_a_place():
    base = changed(RING, {})
    arms = {
        "base": base,
        "tanh": changed(base, {"players.generator.output": "tanh"}),
        "packed": changed(base, {"remedies": [{"name": "packing", "size": 2}], "players.generator.hidden": [4]}),
    }
    assert show.differences(arms).data.splitlines() == [
        "| place | base | tanh | packed |",
        "| --- | --- | --- | --- |",
        "| players.generator.hidden | [8, 4] | [8, 4] | [4] |",
        "| players.generator.output | absent | tanh | absent |",
        "| remedies.0.name | absent | absent | packing |",
        "| remedies.0.size | absent | absent | 2 |",
    ]
