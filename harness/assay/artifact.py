"""Files that are either whole or absent: write to a temporary name, fsync, rename."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import filelock


def _fsync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _temporary_beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for binary writing; the file appears, whole, only when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_beside(path)
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        _fsync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a part."""
    with atomic_file(path) as stream:
        stream.write(data)


def create_durable(path: Path, data: bytes, draft: Path, mode: int = 0o644) -> None:
    """Write `data` to `path`, which is never overwritten; when this returns, it survives a power cut.

    Args:
        path: The file; folders above it are made.
        data: What it holds.
        draft: Where it is written first, on the same file system; one that a killed process left is replaced.
        mode: Permissions, before the umask.

    Raises:
        FileExistsError: If `path` exists.
    """
    for folder in reversed((path.parent, *path.parent.parents)):
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            _fsync_folder(folder.parent)
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    # Not a rename: that would replace an entry which another process made meanwhile.
    os.link(draft, path)
    draft.unlink()
    _fsync_folder(path.parent)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `path` only when the block ends well.

    The caller fsyncs what it writes (`atomic_file` and `write_atomic` do).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_beside(path)
    temporary.mkdir()
    try:
        yield temporary
        _fsync_folder(temporary)
        temporary.rename(path)
        _fsync_folder(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def only_one(lock: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold `lock` against other processes; the system frees it when this one is killed.

    Args:
        lock: A file that stays; its folder must exist.
        on_wait: Called once if another process holds it, before waiting.
    """
    held = filelock.FileLock(lock)
    try:
        held.acquire(timeout=0)
    except filelock.Timeout:
        on_wait()
        held.acquire()
    try:
        yield
    finally:
        held.release()
