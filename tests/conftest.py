"""What every test shares: the devices, one thread, folders of its own, and hypothesis without a clock."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

settings.register_profile("study", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("study")

torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that tests start, since tests run side by side

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


@pytest.fixture(autouse=True)
def keep_subnormals() -> None:
    """Undo what an earlier training set for the whole process: hypothesis refuses to draw floats without them."""
    torch.set_flush_denormal(False)


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own for what notebooks build; their progress is not shown."""
    monkeypatch.setenv("GANCORE_BUILD", str(tmp_path / "build"))
    monkeypatch.setenv("GANCORE_PROGRESS", "")
    return tmp_path / "build"


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=needs_cuda)])
def device(request: pytest.FixtureRequest) -> torch.device:
    return torch.device(request.param)
