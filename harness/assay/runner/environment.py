"""What a record says about software and machine."""

import platform
import resource
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from assay import __version__

PACKAGES = {
    "text": ("torch", "transformers", "accelerate", "tokenizers", "lm_eval", "numpy", "pyarrow"),
    "clip": (
        *("torch", "torchvision", "open_clip_torch", "timm", "accelerate", "tokenizers", "ftfy"),
        *("pillow", "numpy", "pyarrow"),
    ),
}
"""What computes, by modality."""


def installed(package: str) -> str | None:
    """Return a package's version, or None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def versions(modality: str) -> dict[str, str | None]:
    """Return the versions of everything that computes a run of this modality."""
    return {
        "assay": __version__,
        "python": platform.python_version(),
        **{package: installed(package) for package in PACKAGES[modality]},
    }


def software(modality: str) -> dict[str, Any]:
    """Return versions and, where Assay runs from a clone, its commit."""
    commit, dirty = _git_state()
    return {**versions(modality), "commit": commit, "dirty": dirty}


def _git_state() -> tuple[str | None, bool | None]:
    clone = Path(__file__).parents[3]
    if not (clone / ".git").exists():
        return None, None
    git = ["git", "-C", str(clone)]
    try:
        commit = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        # Untracked files cannot change a result; edited ones can.
        edits = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None, None
    return commit.stdout.strip(), bool(edits.stdout.strip())


def peak_memory_bytes() -> int:
    """Return the peak resident memory of this process or of a training process it waited for."""
    usage = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(who).ru_maxrss for who in usage)
    return peak if sys.platform == "darwin" else peak * 1024
