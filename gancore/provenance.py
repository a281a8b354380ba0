"""Where a stored result comes from."""

import datetime
import hashlib
import importlib.metadata
import platform
import subprocess
from typing import Any

import torch

from gancore.files import ROOT
from gancore.host import device_name, processor

CODE = ("gancore", "notebooks", "data/claims.yml", "requirements.lock")
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "xarray")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def code_digest() -> str:
    """Eight hexadecimal digits that stand for the module's code as it is now."""
    state = hashlib.sha256()
    for path in sorted((ROOT / "gancore").rglob("*.py")):
        state.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return state.hexdigest()[:8]


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that make the numbers."""
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}


def provenance(device: torch.device) -> dict[str, Any]:
    """Commit, whether the code differs from it, versions, device and processor, and the time now."""
    return {
        "commit": _git("rev-parse", "HEAD") or "unknown",
        "dirty": bool(_git("status", "--porcelain", "--", *CODE)),
        "versions": versions(),
        "device": device_name(device),
        "processor": processor(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
