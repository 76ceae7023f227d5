"""What is installed, which devices there are, what would fail, and the fix."""

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from assay.errors import UserError
from assay.home import assay_home, package_folder
from assay.versions import installed

NEEDED = (
    "torch",
    "transformers",
    "lm_eval",
    "accelerate",
    "hydra-core",
    "tokenizers",
    "pyarrow",
    "pillow",
    "datasets",
    "scipy",
)
OPTIONAL = {
    "wandb": ("logging=wandb", "pip install -c constraints.txt -e '.[wandb]'"),
    "open_clip_torch": ("image-text models", "pip install -c constraints.txt -e '.[clip]'"),
    "s3fs": ("s3:// sources and pools", "pip install -c constraints.txt -e '.[s3]'"),
}
LEAST_FREE_BYTES = 2 << 30


@dataclass(frozen=True)
class Check:
    """One line of the report.

    Attributes:
        name: What was looked at.
        ok: False means that something would fail; None means that something optional is absent.
        detail: What was found.
        fix: The command or step that mends it; empty where nothing is wrong.
    """

    name: str
    ok: bool | None
    detail: str
    fix: str = ""


def examine() -> list[Check]:
    """Look at everything; nothing is changed."""
    return [
        *(_package(name) for name in NEEDED),
        *(_extra(name, *what) for name, what in OPTIONAL.items()),
        _torchvision(),
        *_devices(),
        _home(),
        _disk(),
        _seals(),
    ]


def _package(name: str) -> Check:
    found = installed(name)
    if found:
        return Check(name, True, found)
    return Check(name, False, "not installed", "pip install -c constraints.txt -e .")


def _extra(name: str, use: str, fix: str) -> Check:
    found = installed(name)
    return (
        Check(name, True, found)
        if found
        else Check(name, None, f"not installed; only {use} needs it", fix)
    )


def _torchvision() -> Check:
    from assay.torchvision_ops import operators_load

    if importlib.util.find_spec("torchvision") is None:
        return Check("torchvision", None, "not installed; only image-text models need it")
    if operators_load():
        return Check("torchvision", True, f"{installed('torchvision')}, built for this torch")
    return Check(
        "torchvision",
        True,
        f"{installed('torchvision')}, another build than torch's: its two operators are declared, not loaded",
    )


def _devices() -> list[Check]:
    import torch

    checks = [
        Check("cpu", True, f"{os.cpu_count()} cores, torch uses {torch.get_num_threads()} threads")
    ]
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        checks.append(Check("cuda", True, f"{torch.version.cuda}: {', '.join(names)}"))
    elif torch.version.cuda:
        checks.append(
            Check(
                "cuda",
                None,
                "torch has CUDA but sees no device",
                "check the driver with: nvidia-smi",
            )
        )
    else:
        checks.append(
            Check(
                "cuda",
                None,
                "torch is a CPU build; scales above micro want a GPU",
                "pip install torch (a CUDA build)",
            )
        )
    return checks


def _home() -> Check:
    home = assay_home()
    above = _existing(home)
    if above.is_dir() and os.access(above, os.W_OK):
        return Check("ASSAY_HOME", True, str(home))
    return Check(
        "ASSAY_HOME", False, f"{home} cannot be written", "export ASSAY_HOME=/a/folder/you/own"
    )


def _disk() -> Check:
    free = shutil.disk_usage(_existing(assay_home())).free
    detail = f"{free / 1e9:.1f} GB free"
    if free >= LEAST_FREE_BYTES:
        return Check("disk", True, detail)
    return Check("disk", False, detail, "free some space or set ASSAY_HOME to another disk")


def _existing(path: Path) -> Path:
    """Return the path, or the nearest of its parents that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _seals() -> Check:
    from assay.reproduce.expected import sealed_expected
    from assay.track.load import list_scales, load

    own = package_folder("tracks")
    scales = [load(*pair) for pair in list_scales() if (own / pair[0]).is_dir()]
    broken = [f"{loaded.track}/{loaded.scale}" for loaded in scales if not loaded.sealed]
    for loaded in scales:
        try:
            sealed_expected(loaded)
        except UserError:
            broken.append(f"the expected scores of {loaded.track}/{loaded.scale}")
    if not broken:
        return Check("seals", True, "every packaged track matches tracks/SEALS.json")
    return Check(
        "seals",
        False,
        f"changed since sealing: {', '.join(broken)}",
        "git checkout tracks, or bump the version and: make seal",
    )
