"""What every test shares: the devices, one thread, and hypothesis without a clock."""

import pytest
import torch
from hypothesis import settings

settings.register_profile("study", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("study")

torch.set_num_threads(1)

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


@pytest.fixture(autouse=True)
def keep_subnormals() -> None:
    """Undo what an earlier training set for the whole process: hypothesis refuses to draw floats without them."""
    torch.set_flush_denormal(False)


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=needs_cuda)])
def device(request: pytest.FixtureRequest) -> torch.device:
    return torch.device(request.param)
