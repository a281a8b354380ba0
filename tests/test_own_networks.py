"""Players of a recipe that the reader's own code builds: as that code says, and only as long as it says so."""

import json
import sys
import textwrap

import pytest
import torch
from arms import ADAM, CPU, bigan, moons
from test_guided import CLASSIFYING, digits_recipe
from torch.testing import assert_close

from gancore.errors import StudyError
from gancore.nets.own import own
from gancore.recipes.build import population
from gancore.recipes.checks import check
from gancore.study.results import key_of
from gancore.training.loop import train

CODE = """
    from typing import Annotated

    from torch import nn

    from gancore.values import whole

    def mlp(role, inputs, outputs, width: Annotated[int, whole(1)] = 8):
        return nn.Sequential(nn.Linear(inputs, width), nn.{activation}(), nn.Linear(width, outputs))

    def loose(role, inputs, outputs, **settings):
        return nn.Linear(inputs, outputs)

    def other(inputs, outputs):
        return nn.Linear(inputs, outputs)

    number = 3
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A function that writes the reader's module, which can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(activation="Tanh", name="mine.py", code=CODE):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(code).replace("{activation}", activation))
        return file

    write()
    yield write
    for name in [name for name in sys.modules if name.split(".")[0] in ("mine", "pack", "broken")]:
        del sys.modules[name]


def recipe_of(players=("generator", "discriminator"), **settings):
    recipe = moons(latent=3)
    return recipe | {
        "players": recipe["players"] | {p: own("mine:mlp", **settings) | {"optimiser": ADAM} for p in players}
    }


def test_a_player_is_what_the_readers_function_builds_for_each_seed(mine):
    recipe = json.loads(json.dumps(recipe_of(width=5)))
    among, one = population(recipe, [3, 7, 9], CPU), population(recipe, [7], CPU)
    assert [tuple(p.shape) for p in one.game.generator.parameters()] == [(1, 5, 3), (1, 5), (1, 2, 5), (1, 2)]
    assert [tuple(p.shape) for p in one.game.discriminator.parameters()] == [(1, 5, 2), (1, 5), (1, 1, 5), (1, 1)]
    for runs in (among, one):
        train(runs, 5)
    for player, network in one.game.players.items():
        for name, value in network.state_dict().items():
            assert_close(among.game.players[player].state_dict()[name][1], value[0], rtol=1e-4, atol=1e-5)


def test_one_player_may_be_the_readers_and_the_other_gancores(mine):
    train(population(recipe_of(players=["generator"]), [0, 1], CPU), 2)


def test_a_discriminator_of_pairs_sees_the_two_side_by_side(mine):
    recipe = bigan()
    recipe["players"]["discriminator"] = own("mine:mlp") | {"optimiser": ADAM}
    runs = population(recipe, [0, 1], CPU)
    train(runs, 2)
    assert next(runs.game.discriminator.parameters()).shape == (2, 8, 2)


@pytest.mark.parametrize("game", CLASSIFYING)
def test_a_discriminator_that_classifies_has_an_output_a_class_and_one_more(mine, game):
    recipe = digits_recipe(game)
    recipe["players"]["discriminator"] = own("mine:mlp") | {"optimiser": ADAM}
    runs = population(recipe, [0, 1], CPU)
    train(runs, 2)
    assert [tuple(p.shape) for p in runs.game.discriminator.parameters()][2] == (2, 11, 8)


def test_its_optimiser_can_be_swept_with_the_same_start_in_every_cell(mine):
    sweep = {"rate": {"sets": ["players.generator.optimiser.rate"], "values": [1e-3, 1e-2]}}
    runs = population(recipe_of() | {"sweep": sweep}, [0, 1], CPU)
    weight = next(runs.game.generator.parameters())
    assert torch.equal(weight[0], weight[1]) and not torch.equal(weight[0], weight[2])


def test_changed_code_is_noticed_found_under_another_key_and_what_runs_is_what_was_digested(mine):
    before = recipe_of()
    check(before)
    mine("ReLU")
    with pytest.raises(StudyError, match="the code of mine:mlp is not that of the recipe, whose digest is"):
        check(before)
    after = recipe_of()
    assert key_of(before) != key_of(after)
    assert "ReLU" in repr(population(after, [0], CPU).game.generator)
    mine("Tanh")
    assert key_of(recipe_of()) == key_of(before)
    assert "Tanh" in repr(population(before, [0], CPU).game.generator)


def test_code_in_a_package_may_import_from_beside_it(mine):
    mine(name="pack/__init__.py", code="")
    mine(name="pack/base.py")
    mine(name="pack/nets.py", code="from .base import mlp")
    assert own("pack.nets:mlp")["network"] == "pack.nets:mlp"


def player(**changes):
    spec = own("mine:mlp") | {"optimiser": ADAM} | changes
    return {key: value for key, value in spec.items() if value is not None}


IMPOSSIBLE = {
    "there is no file of a module nowhere that can be imported from here": {"network": "nowhere:mlp"},
    "there is no file of a module nowhere.deeper": {"network": "nowhere.deeper:mlp"},
    "there is no file of a module sys": {"network": "sys:exit"},
    "allowed is 'module:function', as Python imports them": {"network": "mine:mlp:more"},
    "network '../mine:mlp': allowed is": {"network": "../mine:mlp"},
    "mine:missing names no function of": {"network": "mine:missing"},
    "mine:number names no function of": {"network": "mine:number"},
    r"mine:loose takes .*settings\): allowed are role, inputs, outputs, and settings one by one": {
        "network": "mine:loose"
    },
    r"mine:other takes \(inputs, outputs\): allowed are": {"network": "mine:other"},
    "width of mine:mlp = 0: allowed is a whole number from 1 up": {"width": 0},
    "'widht' is unknown in mine:mlp: allowed are width": {"widht": 3},
    "'digest' is missing from the generator: allowed are": {"digest": None},
    "'optimiser' is missing from the generator: allowed are": {"optimiser": None},
    "clip of the generator = 0: allowed is": {"clip": 0},
    "unknown optimiser": {"optimiser": {"name": "adamw"}},
}


@pytest.mark.parametrize("sentence", IMPOSSIBLE)
def test_what_cannot_be_built_is_refused_in_a_sentence(sentence, mine):
    recipe = recipe_of()
    recipe["players"]["generator"] = player(**IMPOSSIBLE[sentence])
    with pytest.raises(StudyError, match=sentence):
        check(recipe)


def test_a_module_that_fails_on_import_is_named_with_the_reason(mine):
    mine(name="broken.py", code="import nothing_of_this_name")
    with pytest.raises(StudyError, match="broken cannot be imported: ModuleNotFoundError: No module named"):
        own("broken:mlp")
    mine(name="broken.py", code="def mlp(")
    with pytest.raises(StudyError, match="broken cannot be imported: SyntaxError"):
        own("broken:mlp")
