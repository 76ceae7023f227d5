"""Where Assay keeps its state, and where the package's own data folders are."""

import os
from pathlib import Path

import platformdirs


def assay_home() -> Path:
    """Return `$ASSAY_HOME`, or the platform's user data folder. The folder may not exist yet."""
    chosen = os.environ.get("ASSAY_HOME")
    return (
        Path(chosen).expanduser().absolute()
        if chosen
        else Path(platformdirs.user_data_dir("assay"))
    )


def run_folder(key: str) -> Path:
    """Return where the artifacts of the run with this key are."""
    return assay_home() / "runs" / key.removeprefix("sha256:")[:20]


def package_folder(name: str) -> Path:
    """Return `tracks`, `conf` or `baselines`, from the wheel or from the clone.

    A wheel carries the folders inside the package; an editable install reads the clone's, two
    levels above it.
    """
    package = Path(__file__).parent
    inside = package / name
    folder = inside if inside.is_dir() else package.parents[1] / name
    assert folder.is_dir(), f"{folder} is missing: a broken installation"
    return folder
