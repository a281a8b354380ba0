"""Recipes changed in one place, at every depth: refused in a sentence that names the fault, or meant as they stand."""

import copy
import json

import netCDF4
import pytest
from arms import ADAM, CPU, bigan, encoder_alone, moons
from PIL import Image
from test_guided import CLASSIFYING, SECTIONED, digits_recipe

from gancore.errors import StudyError
from gancore.files import ROOT
from gancore.observers import observers
from gancore.recipes.build import population
from gancore.recipes.checks import check
from gancore.training.loop import train


def stored_recipes():
    """Stored recipes that together say all that any says, by arm, on the images that are always at hand."""
    chosen, said = {}, set()
    for path in sorted((ROOT / "data" / "results").glob("[0-9][0-9]/*.nc")):
        with netCDF4.Dataset(path) as file:  # a thousandth of the time that its runs would take
            recipe = json.loads(file.recipe.replace('"mnist"', '"digits"'))
        says = {(place, names_in(at(recipe, place))) for place in places(recipe)}
        if says - said:
            chosen[path.name.split("-seeds")[0]], said = recipe, said | says
    return chosen


def names_in(value):
    """A text as it is: what is chosen by it has settings of its own."""
    return value if isinstance(value, str) else None


def small_recipes():
    """A recipe of each game, small enough to be trained for two steps."""
    ring = moons(latent=3, steps=2, optimiser=ADAM) | {
        "target": {"name": "ring", "modes": 3, "deviation": 0.1},
        "penalties": [{"name": "r1", "weight": 0.5, "every": 2, "start": 1, "stop": 2}],
        "turns": {"discriminator": 2},
        "sweep": {"weight": {"sets": ["penalties.0.weight"], "values": [0.1, 1]}},
        "observe": {
            "measures": {"times": 2, "points": 9},
            "shares": {"at": [0, 2], "points": 8, "reach": 0.5},
            "field": {"at": [0, 2], "half_width": 1.5, "places": 3, "points": 4, "radii": [0.1, 0.3]},
            "basins": {"times": 2, "directions": 2, "reach": 1.0, "places": 5},
        },
    }
    ring["players"]["discriminator"]["clip"] = 0.5
    pairs = bigan(
        steps=2,
        reconstruction=0.5,
        penalties=[{"name": "pairwise", "weight": 0.5}],
        observe={
            "inversions": {"times": 1, "points": 5},
            "plane": {"at": [2], "places": 4, "reach": 1.5, "points": 3},
        },
    )
    alone = encoder_alone(steps=2, observe={"sorting": {"times": 1, "points": 6}})
    guided = digits_recipe("guided", SECTIONED) | {
        "steps": 2,
        "observe": {"pulls": {"times": 1}, "sections": {"at": [2], "points": 20}, "plates": {"at": [2], "pictures": 2}},
    }
    classifying = {
        game: digits_recipe(
            game,
            penalties=[{"name": "r1", "weight": 0.5, "every": 2}],
            sweep={"weight": {"sets": ["classification.generator"], "values": [0, 2]}},
            observe={"sections": {"at": [2], "points": 20}, "scores": {"at": [2], "pictures": 2}},
        )
        | {"steps": 2}
        for game in CLASSIFYING
    }
    energy, kernel, compared = (moons(steps=2, optimiser=ADAM) for _ in range(3))
    energy["players"]["discriminator"]["code"] = 2
    kernel["players"]["discriminator"]["outputs"] = 2
    compared["players"]["discriminator"] |= {"network": "minibatch", "kernels": 2, "kernel_dimensions": 2}
    compared["objective"] = {"name": "f_gan", "divergence": "pearson"}
    del energy["objective"], kernel["objective"]
    return {
        **{"ring": ring, "pairs": pairs, "alone": alone, "guided": guided, "minibatch": compared, **classifying},
        "energy": energy | {"game": "ebgan", "margin": 1.0, "sweep": {"m": {"sets": ["margin"], "values": [1, 2]}}},
        "kernel": kernel | {"game": "mmd_gan", "kernel": {"name": "gaussian", "widths": [1, 2]}},
        "targets": moons(steps=2) | {"objective": {"name": "least_squares", "a": -1, "b": 1, "c": 0}},
    }


def dictionaries(value, path=()):
    """The places of all dictionaries in a recipe whose keys mean something: an axis may be called anything."""
    if isinstance(value, dict):
        if path != ("sweep",):
            yield path
        for key, part in value.items():
            yield from dictionaries(part, (*path, key))
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from dictionaries(part, (*path, index))


def places(value, path=()):
    """The places of everything in a recipe, dictionaries and lists and what is in them."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*path, key))


def at(recipe, path):
    for key in path:
        recipe = recipe[key]
    return recipe


def misspelt(recipe):
    """The recipe with one key misspelt, and the misspelling; then with one that it does not have."""
    for path in dictionaries(recipe):
        for key in at(recipe, path):
            changed = copy.deepcopy(recipe)
            holder = at(changed, path)
            holder[f"{key}x"] = holder.pop(key)
            yield changed, f"{key}x"
        changed = copy.deepcopy(recipe)
        at(changed, path)["evrey"] = 8
        yield changed, "evrey"


RECIPES = stored_recipes() | small_recipes()


@pytest.mark.parametrize("name", RECIPES)
def test_a_misspelt_key_is_named_with_those_that_are_allowed_at_every_depth(name):
    check(RECIPES[name])
    for recipe, word in misspelt(RECIPES[name]):
        with pytest.raises(StudyError, match=r"(?s)allowed (are|is|for)") as refused:
            check(recipe)
        assert word in str(refused.value), (word, str(refused.value))


WRONG = [None, True, "a", "", -1, 1.5, 10**6, float("nan"), float("inf"), [], {}, ["a"], [None], {"name": "a"}, [[1]]]


@pytest.mark.parametrize("name", small_recipes())
def test_a_value_of_another_kind_is_refused_in_a_sentence_or_trains(name):
    recipe = small_recipes()[name]
    for path in [path for path in places(recipe) if path]:
        for value in WRONG:
            changed = copy.deepcopy(recipe)
            at(changed, path[:-1])[path[-1]] = value
            try:
                check(changed)
            except StudyError as refused:
                assert "\n" not in str(refused)
                continue
            if value == 10**6 or changed == recipe:
                continue  # what is large is only slow
            trained(changed, path, value)


def trained(recipe, path, value):
    """What was not refused must train and be observed; what the target lacks may be said when observers are made."""
    try:
        runs = population(recipe, [0], CPU)
        watching = list(observers(recipe["observe"], recipe["steps"], runs).values())
    except StudyError:
        return
    try:
        train(runs, recipe["steps"], watching)
    except Exception as error:
        raise AssertionError(f"{path} = {value!r} was accepted") from error


@pytest.mark.parametrize("name", RECIPES)
def test_numbers_of_another_kind_are_never_accepted_in_silence(name):
    for path in [path for path in places(RECIPES[name]) if path and path[0] != "sweep"]:
        value = at(RECIPES[name], path)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        for wrong in (True, "1", -3, float("nan"), [value], {}):
            changed = copy.deepcopy(RECIPES[name])
            at(changed, path[:-1])[path[-1]] = wrong
            if path[-1] in ("bias", "a", "b", "c", "low") and wrong == -3:
                continue  # a bias may lie below 0, and so may latents and what scores are to be
            with pytest.raises(StudyError, match="allowed"):
                check(changed)


SENTENCES = {
    "'width' is unknown in the target 'ring': allowed are deviation, modes, radius": {
        "target": {"name": "ring", "modes": 6, "deviation": 0.1, "width": 2}
    },
    "modes of the target 'ring' = 0: allowed is a whole number from 1 up": {
        "target": {"name": "ring", "modes": 0, "deviation": 0.1}
    },
    "deviation of the target 'ring' = 0: allowed is a number above 0": {
        "target": {"name": "ring", "modes": 6, "deviation": 0}
    },
    "'evrey' is unknown in the penalty 'r1': allowed are every, falls, start, stop, weight": {
        "penalties": [{"name": "r1", "weight": 1.0, "evrey": 8}]
    },
    "every of the penalty 'r1' = 0: allowed is a whole number from 1 up": {
        "penalties": [{"name": "r1", "weight": 1.0, "every": 0}]
    },
    "weight of the penalty 'r1' = -1: allowed is a number from 0": {"penalties": [{"name": "r1", "weight": -1}]},
    "'pionts' is unknown in measures: allowed are at, points, times": {
        "observe": {"measures": {"times": 1, "pionts": 5}}
    },
    "measures is observed when? allowed is either 'times' or 'at'": {"observe": {"measures": {"points": 5}}},
    "times of measures = 0: allowed is a whole number from 1 to 200": {
        "observe": {"measures": {"times": 0, "points": 5}}
    },
    "times of measures = 201: allowed is": {"observe": {"measures": {"times": 201, "points": 5}}},
    "at of measures = [0, 201]: allowed is a list of 1 or more, each a whole number from 0 to 200": {
        "observe": {"measures": {"at": [0, 201], "points": 5}}
    },
    "the sweep sets 'penalties.0.weight' twice": {
        "penalties": [{"name": "r1", "weight": 1}],
        "sweep": {name: {"sets": ["penalties.0.weight"], "values": [1, 2]} for name in ("a", "b")},
    },
    "weight of the penalty 'r1' = -2: allowed is": {
        "penalties": [{"name": "r1", "weight": 1}],
        "sweep": {"weight": {"sets": ["penalties.0.weight"], "values": [1, -2]}},
    },
    "the sweep's axis 'seed': allowed is a name that": {
        "penalties": [{"name": "r1", "weight": 1}],
        "sweep": {"seed": {"sets": ["penalties.0.weight"], "values": [1, 2]}},
    },
    "the sweep's axis 'coverage': allowed is a name that": {
        "penalties": [{"name": "r1", "weight": 1}],
        "sweep": {"coverage": {"sets": ["penalties.0.weight"], "values": [1, 2]}},
    },
    "which of measures = ['recal']: allowed is a list of 1 or more, each the name of a measure such as": {
        "observe": {"measures": {"times": 1, "points": 9, "which": ["recal"]}}
    },
    "which of measures = []: allowed is": {"observe": {"measures": {"times": 1, "points": 9, "which": []}}},
    "which of measures = [3]: allowed is": {"observe": {"measures": {"times": 1, "points": 9, "which": [3]}}},
    "a recipe is made of numbers, texts": {"target": {"name": "folder", "path": ROOT}},
    "the target 'labelled_pictures' in the game 'gan': allowed are": {
        "target": {"name": "labelled_pictures", "images": "digits"}
    },
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_cannot_be_meant_is_named_with_what_is_allowed(sentence):
    with pytest.raises(StudyError) as refused:
        check(moons() | SENTENCES[sentence])
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(("player", "word"), [("generator", "rate"), ("discriminator", "momentum")])
def test_a_setting_of_an_optimiser_is_named_with_the_player(player, word):
    recipe = moons()
    recipe["players"][player] = recipe["players"][player] | {"optimiser": {"name": "sgd", "rate": 1e-3, word: -2}}
    with pytest.raises(StudyError, match=f"{word} of the {player}'s optimiser 'sgd' = -2: allowed is a number"):
        check(recipe)


LACKING = {
    "held out are observed": lambda: moons(observe={"scores": {"times": 1, "pictures": 2}}),
    "has no known modes: allowed are Gaussians": lambda: moons(observe={"shares": {"times": 1, "points": 5}}),
    "images are observed": lambda: (
        moons(observe={"quality": {"times": 1, "points": 5}})
        | {"target": {"name": "ring", "modes": 2, "deviation": 0.1}}
    ),
    "the encoder is observed, and the game has none": lambda: encoder_alone(
        latent={"name": "uniform", "dimensions": 1}, observe={"inversions": {"times": 1, "points": 5}}
    ),
    "the game's discriminator judges pairs": lambda: bigan(
        target={"name": "ring", "modes": 2, "deviation": 0.1},
        observe={"arrows": {"times": 1, "half_width": 1, "places": 3}},
    ),
    "'arc_coverage' cannot be measured of Ring": lambda: (
        moons(observe={"measures": {"times": 1, "points": 9, "which": ["recall", "arc_coverage"]}})
        | {"target": {"name": "ring", "modes": 2, "deviation": 0.1}}
    ),
    "judges several at once": lambda: (
        moons(observe={"arrows": {"times": 1, "half_width": 1, "places": 3}})
        | {"remedies": [{"name": "packing", "size": 2}]}
    ),
    "discriminator judges several at once": lambda: bigan(
        observe={"plane": {"times": 1, "places": 4, "reach": 1.5, "points": 3}},
        remedies=[{"name": "packing", "size": 2}],
    ),
    "terms are observed": lambda: moons(observe={"pulls": {"times": 1}}),
    "has 1 dimensions: what is observed needs 2": lambda: bigan(
        observe={"basins": {"times": 1, "directions": 2, "reach": 1, "places": 5}}
    ),
}


@pytest.mark.parametrize("sentence", LACKING)
def test_an_observation_of_what_is_not_there_is_refused_before_the_training(sentence):
    recipe = LACKING[sentence]()
    with pytest.raises(StudyError, match=sentence):
        observers(recipe["observe"], recipe["steps"], population(recipe, [0], CPU))


@pytest.mark.parametrize("kind", ["quality", "shares", "neighbours", "measures"])
def test_a_folder_has_no_classes_to_observe(kind, tmp_path):
    for number in range(12):
        Image.new("L", (8, 8), 20 * number).save(tmp_path / f"{number}.png")
    target = {"name": "folder", "path": str(tmp_path), "side": 8}
    recipe = moons(observe={kind: {"times": 1, "points": 40}}) | {"target": target}
    with pytest.raises(StudyError, match=r"has none|allowed (are|is)"):
        observers(recipe["observe"], recipe["steps"], population(recipe, [0], CPU))
