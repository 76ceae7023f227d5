"""Download CORE's files, pinned: a commit for the place, git's own content id for the bytes."""

import hashlib
from pathlib import Path

from assay.artifact import write_atomic
from assay.console import say
from assay.errors import SuiteError
from assay.suite.core import COMMIT, CORE

MIRROR = f"https://raw.githubusercontent.com/mosaicml/llm-foundry/{COMMIT}/scripts/eval/local_data"


def fetch_core(out: Path, mirror: str = MIRROR) -> list[Path]:
    """Download what is not there yet, comparing every file with its content id.

    Args:
        out: Folder to fill, laid out like the source.
        mirror: Any fsspec URL that holds llm-foundry's `local_data`.

    Returns:
        The files, 21 for the 22 tasks (both HellaSwag tasks share one).

    Raises:
        SuiteError: If a file cannot be read, or is another one than the pinned.
    """
    files = {task.file: task.blob for task in CORE}
    paths: list[Path] = []
    for file, blob in files.items():
        path = out / f"{file}.jsonl"
        if not path.is_file() or git_blob_id(path.read_bytes()) != blob:
            data = _download(f"{mirror.rstrip('/')}/{file}.jsonl")
            if (got := git_blob_id(data)) != blob:
                raise SuiteError(
                    f"{mirror}/{file}.jsonl: expected git blob {blob}, got {got}; use a mirror of commit {COMMIT}"
                )
            write_atomic(path, data)
            say(f"fetched {path} ({len(data):,} bytes)")
        paths.append(path)
    return paths


def git_blob_id(data: bytes) -> str:
    """Return what `git hash-object` says of these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _download(url: str) -> bytes:
    import fsspec

    try:
        with fsspec.open(url, "rb") as stream:
            return stream.read()  # pyright: ignore[reportAttributeAccessIssue]
    except (OSError, ValueError, ImportError) as error:
        raise SuiteError(
            f"{url} cannot be read ({error}); check the network, or name a mirror with --mirror"
        ) from None
