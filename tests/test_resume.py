"""A training killed at any moment goes on from its checkpoint and ends with the same bits."""

import multiprocessing
import random
import signal
import time
from pathlib import Path

import pytest
import torch
from arms import ADAM, CPU, moons, runs_of, same

from gancore import StudyError
from gancore.observers import observers
from gancore.recipes.build import assembled
from gancore.streams import BLOCK
from gancore.training.checkpoints import load_checkpoint
from gancore.training.loop import Record, train

KILLS, STEPS, TIMES = 10, 1300, 37
STOPS = TIMES + STEPS // BLOCK  # each ends with a checkpoint
RATES = [5e-4, 1e-3, 1e30, 5e-4]  # the third run diverges
RECIPE = moons(
    optimiser={"name": "sgd", "rate": RATES, "momentum": 0.5},
    steps=STEPS,
    observe={"measures": {"times": TIMES, "points": 30}, "portraits": {"at": [0, 333, STEPS], "points": 10}},
)


def train_arm(checkpoint: Path | None):
    """Train the arm from its checkpoint, or from the start; returns the runs and their record."""
    runs = assembled(RECIPE, range(len(RATES)), CPU)
    watching = list(observers(RECIPE["observe"], RECIPE["steps"], runs).values())
    return runs, train(runs, STEPS, watching, checkpoint=checkpoint, every_seconds=0.0)


def written(checkpoint: Path) -> int:
    return checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0


def kill_once_it_has_gone_on(context, checkpoint: Path, delay: float) -> None:
    """Start the training, wait for its first new checkpoint, and end it `delay` seconds later by SIGKILL."""
    before, training = written(checkpoint), context.Process(target=train_arm, args=(checkpoint,))
    training.start()
    while training.is_alive() and written(checkpoint) == before:
        time.sleep(0.001)
    time.sleep(delay)
    training.kill()
    training.join()
    assert training.exitcode == -signal.SIGKILL, "the training ended before it was killed"


def step_of(checkpoint: Path) -> int:
    record = Record(0, torch.zeros(len(RATES)))
    load_checkpoint(checkpoint, assembled(RECIPE, range(len(RATES)), CPU), record)
    return record.step


def assert_same_ending(found, expected) -> None:
    (runs, record), (never_killed, its_record) = found, expected
    assert same(runs.state(), never_killed.state())
    assert same(record.first_losses, its_record.first_losses) and same(record.losses, its_record.losses)
    assert torch.equal(record.diverged, its_record.diverged) and record.step == its_record.step
    assert record.observed.keys() == its_record.observed.keys()
    assert all(same(record.observed[name], its_record.observed[name]) for name in record.observed)


@pytest.mark.slow
def test_a_training_killed_many_times_ends_with_the_same_bits(tmp_path):
    context = multiprocessing.get_context("forkserver")  # imports once, for all the trainings
    context.set_forkserver_preload(["pytest", "gancore.study.work"])
    expected = train_arm(None)
    assert expected[1].diverged.tolist()[2] >= 0
    moment, checkpoint, steps = random.Random(0), tmp_path / "arm.checkpoint", []
    for _ in range(KILLS):
        kill_once_it_has_gone_on(context, checkpoint, moment.uniform(0, 2) * expected[1].seconds / STOPS)
        steps.append(step_of(checkpoint))
    assert steps == sorted(set(steps)) and steps[0] > 0 and steps[-1] < STEPS
    assert_same_ending(train_arm(checkpoint), expected)


@pytest.mark.parametrize(
    "optimiser", [{"name": "sgd", "rate": 5e-4}, {"name": "sgd", "rate": 5e-4, "momentum": 0.9}, ADAM]
)
@pytest.mark.parametrize("stop", [1, 10, BLOCK, 100])
def test_a_longer_training_goes_on_from_a_shorter_ones_checkpoint(stop, optimiser, device, tmp_path):
    checkpoint, steps = tmp_path / "arm.checkpoint", BLOCK + 60
    train(runs_of(range(3), device, optimiser=optimiser), stop, checkpoint=checkpoint, every_seconds=0.0)
    resumed, whole = (runs_of(range(3), device, optimiser=optimiser) for _ in range(2))
    found, expected = train(resumed, steps, checkpoint=checkpoint), train(whole, steps)
    assert_same_ending((resumed, found), (whole, expected))


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    path = tmp_path / "folder" / "arm.checkpoint"
    train(runs_of(range(3)), 10, checkpoint=path, every_seconds=0.0)
    return path


def test_a_checkpoint_of_other_seeds_is_refused_in_a_sentence(checkpoint):
    with pytest.raises(StudyError, match="belongs to other seeds: restore it, or move it away to train from the start"):
        train(runs_of(range(1, 4)), 20, checkpoint=checkpoint)


FAULTS = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "without its end": lambda content: content[:-1],
    "of something else": lambda content: b"not a checkpoint",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_torn_checkpoint_is_named_in_a_sentence(fault, checkpoint):
    checkpoint.write_bytes(fault(checkpoint.read_bytes()))
    with pytest.raises(StudyError, match=r"arm\.checkpoint is unreadable: restore it, or move it away"):
        train(runs_of(range(3)), 20, checkpoint=checkpoint)


def test_a_checkpoint_with_one_flipped_bit_is_named_in_a_sentence(checkpoint):
    content, place = checkpoint.read_bytes(), random.Random(0)
    for _ in range(50):
        altered = bytearray(content)
        altered[place.randrange(len(content))] ^= 1 << place.randrange(8)
        checkpoint.write_bytes(altered)
        with pytest.raises(StudyError, match=r"arm\.checkpoint is unreadable"):
            train(runs_of(range(3)), 20, checkpoint=checkpoint)


def test_writing_a_checkpoint_leaves_nothing_else_behind(checkpoint):
    assert [path.name for path in checkpoint.parent.iterdir()] == ["arm.checkpoint"]


def test_a_checkpoint_that_cannot_be_written_is_named_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StudyError, match=r"arm\.checkpoint cannot be written"):
        train(runs_of([0]), 10, checkpoint=tmp_path / "file" / "arm.checkpoint", every_seconds=0.0)
