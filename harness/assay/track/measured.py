"""What measurements leave in a track's folder: beside the law, outside of the bytes that a record's seal covers.

Each file names the seal that it belongs to; its reader leaves it out under another one.
"""

import json
from pathlib import Path
from typing import Any, TypeVar

from assay.artifact import write_atomic
from assay.errors import TrackError
from assay.spec import parse, plain

T = TypeVar("T")


def read_measured(kind: type[T], path: Path, again: str) -> T | None:
    """Parse a file into a frozen dataclass, or return None where there is none.

    Args:
        kind: The dataclass.
        path: The file.
        again: Command that writes it again.

    Raises:
        TrackError: If the file is not as `write_measured` writes it.
    """
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        raise TrackError(f"{path} is not JSON ({error}); write it again: {again}") from None
    return parse(kind, document, str(path))


def write_measured(value: Any, path: Path) -> Path:
    """Write a frozen dataclass as JSON, and return its file."""
    write_atomic(path, (json.dumps(plain(value), indent=1) + "\n").encode())
    return path
