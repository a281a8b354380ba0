"""A new remedy is one file of the reader's and a line in the registry: it trains, resumes and combines with others."""

import runpy
import textwrap

import pytest
import torch
from arms import ADAM, CPU, moons, same
from torch.testing import assert_close

from gancore.errors import StudyError
from gancore.recipes.build import population
from gancore.recipes.changed import changed
from gancore.remedies import REMEDIES
from gancore.training.loop import train

FILE = '''
    """Blurring: the discriminator sees all points through noise that fades (instance noise, Sonderby et al. 2017)."""

    from dataclasses import replace
    from typing import Annotated

    import torch

    from gancore.remedies import Remedy
    from gancore.remedies.remedy import PerRun, per_run
    from gancore.values import number, whole


    class Blurring(Remedy):
        """Points of the plane and noise, uniform on [-width, width] at first and gone after `until` steps."""

        DRAWS = 2

        def __init__(self, width: Annotated[PerRun, number(least=0)], until: Annotated[int, whole(1)] = 100):
            super().__init__()
            self.width, self.until = width, until

        def begin(self, runs, batch):
            self.register_buffer("widths", per_run(self.width, batch.fake))
            self.register_buffer("steps", torch.zeros_like(self.widths))

        def seen(self, batch):
            left = self.widths * (1 - self.steps / self.until).clamp(min=0)  # (R,)
            noise = left[:, None, None] * (2 * batch.chance[self] - 1)
            return replace(batch, real=batch.real + noise, fake=batch.fake + noise)

        def remember(self, batch):
            self.steps.add_(1)
'''
OTHERS = [{"name": "packing", "size": 2}, {"name": "replay", "share": 0.5, "kept": 8}]
BLURRING = {"name": "blurring", "width": 0.3, "until": 50}


@pytest.fixture
def blurring(tmp_path, monkeypatch):
    """The remedy from a file of the reader's, entered in the registry."""
    text = textwrap.dedent(FILE).lstrip()
    assert len(text.splitlines()) <= 40
    (tmp_path / "blurring.py").write_text(text)
    monkeypatch.setitem(REMEDIES, "blurring", runpy.run_path(str(tmp_path / "blurring.py"))["Blurring"])


def runs_of(seeds, *remedies):
    return population(changed(moons(optimiser=ADAM), {"remedies": list(remedies)}), seeds, CPU)


@pytest.mark.parametrize("others", [[], OTHERS], ids=["alone", "with two others"])
def test_it_trains_each_seed_as_if_alone(others, blurring):
    among, one = runs_of([3, 7, 9], BLURRING, *others), runs_of([7], BLURRING, *others)
    plain = runs_of([7], *others)
    for runs in (among, one, plain):
        train(runs, 10)
    for name in ("generator", "discriminator"):
        parts = [runs.game.players[name].state_dict() for runs in (among, one, plain)]
        for key, value in parts[1].items():
            assert_close(parts[0][key][1], value[0], rtol=1e-4, atol=1e-5)
        assert not same(list(parts[1].values()), list(parts[2].values()))


def test_an_interrupted_training_with_all_three_ends_with_the_same_bits(blurring, tmp_path):
    straight, before, after = (runs_of([0, 1], BLURRING, *OTHERS) for _ in range(3))
    train(straight, 90)
    train(before, 70, checkpoint=tmp_path / "checkpoint", every_seconds=0)
    train(after, 90, checkpoint=tmp_path / "checkpoint")
    assert same(after.state(), straight.state())


def test_once_the_noise_has_gone_nothing_is_added(blurring):
    runs = runs_of([0, 1], BLURRING)
    batch = runs._batches(*runs.draw(0))[0]
    (remedy,) = runs.remedies
    assert 0.25 < (remedy.seen(batch).real - batch.real).abs().max() <= 0.3
    train(runs, 50)
    assert torch.equal(remedy.seen(batch).real, batch.real)


def test_its_settings_are_checked_like_any_others(blurring):
    with pytest.raises(StudyError, match="width of the remedy 'blurring' = -1: allowed is a number from 0 up"):
        runs_of([0], BLURRING | {"width": -1})
    with pytest.raises(StudyError, match="'widht' is unknown in the remedy 'blurring': allowed are until, width"):
        runs_of([0], BLURRING | {"widht": 1})
