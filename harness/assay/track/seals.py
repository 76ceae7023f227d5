"""`SEALS.json`: the digests that a track's files must have, `{"track/scale@version": digest}`.

The digest of a scale's expected scores stands beside its own, under `track/scale@version expected`.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from assay.artifact import write_atomic
from assay.errors import TrackError
from assay.home import package_folder

SEALS_FILE = "SEALS.json"


def read_seals(folder: Path) -> dict[str, str]:
    """Return the seals that apply to a track's folder.

    Raises:
        TrackError: If the file is not a JSON object.
    """
    path = _seals_path(folder)
    if not path.is_file():
        return {}
    try:
        seals = json.loads(path.read_bytes())
    except ValueError as error:
        raise TrackError(
            f"{path} is not JSON ({error}); restore it, or fork the track again"
        ) from None
    if not isinstance(seals, dict):
        raise TrackError(f"{path} is no JSON object; restore it, or fork the track again")
    return seals


def add_seals(folder: Path, seals: Mapping[str, str]) -> None:
    """Record digests beside those that are there; of the same name, the new one stays.

    Raises:
        TrackError: If the file is not a JSON object.
    """
    text = json.dumps(read_seals(folder) | dict(seals), indent=2, sort_keys=True) + "\n"
    write_atomic(_seals_path(folder), text.encode("utf-8"))


def _seals_path(folder: Path) -> Path:
    """The package's tracks share one file; a private track carries its own."""
    own = package_folder("tracks")
    return own / SEALS_FILE if folder.parent == own else folder / SEALS_FILE
