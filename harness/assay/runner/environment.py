"""What a record says about software and machine."""

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from assay.versions import versions


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
