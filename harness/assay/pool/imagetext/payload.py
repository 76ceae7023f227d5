"""Bytes of images, read from the files that hold them: any number of them, a span at a time."""

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from assay.errors import PoolError
from assay.pool.imagetext.records import Span
from assay.pool.sources import is_url, open_filesystem

OPEN_FILES = 256


class _Handle(Protocol):
    """A file to read from."""

    size: int | None
    """Bytes of it, or None where the server does not say."""

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes, fewer at the file's end."""
        ...


class _LocalFile:
    """A local file. Reads share no position, so threads and forked processes can use it at once."""

    def __init__(self, path: str):
        self._descriptor = -1
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self.size: int | None = os.fstat(self._descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, offset)

    def __del__(self) -> None:
        # Closed with the last reference: another thread may read while the cache lets go of it.
        if self._descriptor >= 0:
            os.close(self._descriptor)


class _RemoteFile:
    """A file at a URL, opened anew in a forked process: connections do not survive the fork."""

    def __init__(self, url: str):
        self._url = url
        self._process = os.getpid()
        self._filesystem, self._path = open_filesystem(url)
        self.size: int | None = self._filesystem.info(self._path).get("size")

    def read(self, offset: int, length: int) -> bytes:
        if self._process != os.getpid():
            self._process = os.getpid()
            self._filesystem, self._path = open_filesystem(self._url)
        data = self._filesystem.cat_file(self._path, start=offset, end=offset + length)
        return bytes(data)  # pyright: ignore[reportArgumentType]


class Payload:
    """Files by number, opened when first wanted and kept open."""

    def __init__(self, describe: Callable[[int], tuple[str, int | None]], advice: str):
        """Open nothing yet.

        Args:
            describe: Returns a file's path or URL, and how many bytes it has, if that is known.
            advice: What to do where a file is gone, the end of a sentence.
        """
        self._describe = describe
        self._advice = advice
        self._handle = lru_cache(maxsize=OPEN_FILES)(self._open)

    def read(self, number: int, offset: int, length: int) -> bytes:
        """Return `length` bytes of a file.

        Raises:
            PoolError: If the file is gone, of another size, or cannot be read.
        """
        handle = self._handle(number)
        try:
            data = handle.read(offset, length)
        except Exception as error:  # every fsspec backend has its own
            raise self._unreadable(number, error) from None
        if len(data) != length:
            path, _ = self._describe(number)
            raise PoolError(
                f"{path} holds {len(data):,} of {length:,} bytes at byte {offset:,}; {self._advice}"
            )
        return data

    def _open(self, number: int) -> _Handle:
        path, expected = self._describe(number)
        try:
            handle = _RemoteFile(path) if is_url(path) else _LocalFile(path)
        except PoolError:
            raise
        except Exception as error:
            raise self._unreadable(number, error) from None
        if expected is not None and handle.size is not None and handle.size != expected:
            raise PoolError(
                f"{path} is of {handle.size:,} bytes, and the pool was built from {expected:,}; "
                f"{self._advice}"
            )
        return handle

    def _unreadable(self, number: int, error: Exception) -> PoolError:
        path, _ = self._describe(number)
        return PoolError(f"cannot read {path} ({type(error).__name__}: {error}); {self._advice}")


def span_bytes(image: bytes | Span) -> bytes:
    """Return an image's bytes, from where they lie if need be.

    Raises:
        PoolError: If that file cannot be read.
    """
    if isinstance(image, bytes):
        return image
    if image.data is not None:
        return image.data
    payload = Payload(lambda _: (image.file, None), "the same command goes on from what is built")
    return payload.read(0, image.offset, image.length)


def file_size(path: str) -> int | None:
    """Return the size of a file at a path or URL; None where the server does not say.

    Raises:
        PoolError: If it is gone.
    """
    try:
        if not is_url(path):
            return Path(path).stat().st_size
        filesystem, inner = open_filesystem(path)
        return filesystem.info(inner).get("size")
    except PoolError:
        raise
    except Exception as error:
        raise PoolError(
            f"cannot read {path} ({type(error).__name__}: {error}); the same command goes on from "
            "what is built"
        ) from None
