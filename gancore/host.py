"""The machine that trains: which device, and the settings that small batched products need."""

import ctypes
import platform

import torch

from gancore.errors import StudyError
from gancore.parameters import known_device

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
LARGEST_INT = 2**31 - 1


def pick_device(name: str) -> torch.device:
    """The torch device called `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises StudyError for another name, and for a CUDA device that this machine lacks.
    """
    if known_device(name) == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise StudyError(
            f"device {name!r} asked for, but torch finds {found} CUDA devices here: use device=auto or cpu"
        )
    return device


def settle(device: torch.device) -> None:
    """Make this process fit for populations of small networks; every training starts with it.

    One thread, since small batched products do not scale over threads. Subnormal numbers count as
    zero, since saturated units make many and each costs a hundred cycles. On Linux with glibc,
    freed temporaries stay mapped, since page faults otherwise cost as much as the arithmetic.
    """
    if device.type == "cuda":
        torch.cuda.set_device(device)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, LARGEST_INT)


def processor() -> str:
    """The processor's model name, as the operating system gives it."""
    try:
        with open("/proc/cpuinfo") as lines:
            names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        return names[0] if names else platform.processor() or platform.machine()
    except OSError:
        return platform.processor() or platform.machine()


def device_name(device: torch.device) -> str:
    """What a reader calls the device: the processor's or the GPU's model."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
