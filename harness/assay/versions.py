"""Versions of what computes: part of every run's identity, and of every record."""

import platform
from importlib.metadata import PackageNotFoundError, version

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
