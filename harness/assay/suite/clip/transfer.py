"""Files from folders and fsspec URLs: small ones into memory, large ones to disk, digests compared."""

import hashlib
from pathlib import Path
from typing import BinaryIO, cast

from assay.artifact import atomic_file
from assay.errors import SuiteError

MAX_SMALL_BYTES = 4 << 20
"""Of lists of names and the like."""
_BLOCK_BYTES = 1 << 20


def read_small(location: str) -> bytes | None:
    """Return a small file's bytes, or None where there is no such file.

    Args:
        location: Path or fsspec URL.

    Raises:
        SuiteError: If it cannot be read or is large.
    """
    import fsspec

    try:
        with fsspec.open(location, "rb") as stream:
            data = cast(BinaryIO, stream).read(MAX_SMALL_BYTES + 1)
    except FileNotFoundError:
        return None
    except Exception as error:  # every file system has errors of its own
        raise SuiteError(f"{location} cannot be read ({_reason(error)}); check the place") from None
    if len(data) > MAX_SMALL_BYTES:
        raise SuiteError(f"{location}: over {MAX_SMALL_BYTES:,} bytes is no list; check the place")
    return data


def copy_file(location: str, target: Path, digest: str | None = None) -> str:
    """Copy a file; it appears whole, or not at all where its digest is another.

    Args:
        location: Path or fsspec URL.
        target: Where to.
        digest: What it must be, or None where nobody knows yet.

    Returns:
        The digest.

    Raises:
        SuiteError: If it cannot be read, or is another file.
    """
    import fsspec

    hasher = hashlib.sha256()
    try:
        with fsspec.open(location, "rb") as source, atomic_file(target) as stream:
            while block := cast(BinaryIO, source).read(_BLOCK_BYTES):
                hasher.update(block)
                stream.write(block)
            got = f"sha256:{hasher.hexdigest()}"
            if digest is not None and got != digest:
                raise SuiteError(f"{location}: expected {digest}, got {got}; use another mirror")
    except SuiteError:
        raise
    except Exception as error:  # every file system has errors of its own
        raise SuiteError(
            f"{location} cannot be read ({_reason(error)}); check the network, or name a mirror with --mirror"
        ) from None
    return got


def _reason(error: Exception) -> str:
    """Return what went wrong on one line, without naming the place again."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return " ".join(str(error).split()) or type(error).__name__
