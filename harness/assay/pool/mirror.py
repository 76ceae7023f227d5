"""A pool's files: in a local folder, or fetched from an fsspec URL when first wanted."""

import hashlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from assay.artifact import atomic_file, write_atomic
from assay.errors import PoolError
from assay.home import assay_home
from assay.pool.manifest import (
    MANIFEST_FILE,
    SHARDS_FOLDER,
    ImageTextManifest,
    Manifest,
    parse_manifest,
)
from assay.pool.registry import resolve
from assay.pool.sources import is_url, open_filesystem


class PoolFiles:
    """Where the files of a pool are.

    Attributes:
        where: Folder or URL, for messages.
        folder: The local folder; of a remote pool, its mirror under `$ASSAY_HOME/cache`.
        manifest: The pool's manifest.
    """

    def __init__(self, where: str | Path):
        """Read the manifest, and nothing else.

        Raises:
            PoolError: If there is no such pool, or its manifest cannot be read.
        """
        self._url = str(where).rstrip("/") if is_url(str(where)) else None
        if self._url is None:
            self.folder = resolve(where)
            data = (self.folder / MANIFEST_FILE).read_bytes()
        else:
            data = _fetch(f"{self._url}/{MANIFEST_FILE}")
            name = hashlib.sha256(data).hexdigest()[:32]
            self.folder = assay_home() / "cache" / "pools" / name
            if not (self.folder / MANIFEST_FILE).is_file():
                write_atomic(self.folder / MANIFEST_FILE, data)
        self.where = self._url or str(self.folder)
        self.manifest: Manifest | ImageTextManifest = parse_manifest(
            data, f"{self.where}/{MANIFEST_FILE}"
        )

    def digests(self) -> dict[str, str]:
        """Return every file but the manifest, by path inside the pool, with its digest."""
        files = dict(self.manifest.files)
        for shard in self.manifest.shards:
            files |= {f"{SHARDS_FOLDER}/{shard.name}/{file}": d for file, d in shard.files.items()}
        return files

    def locate(self, path: str) -> str:
        """Return the local path or URL of a file that lies in place.

        Args:
            path: A URL, a path relative to the pool, or an absolute one on the machine that built it.

        Raises:
            PoolError: If a pool at a URL names a path of this machine, which whoever made the pool has
                no business in.
        """
        if is_url(path):
            return path
        if not PurePosixPath(path).is_absolute():
            return f"{self._url or self.folder}/{path}"
        if self._url is None:
            return path
        raise PoolError(
            f"{self._url} leaves {path} on the machine that built it; copy the pool here, together with "
            "that file, or ask whoever hosts it to build it from URLs"
        )

    def path(self, relative: str, digest: str) -> Path:
        """Return a local path to one of the pool's files, fetching it from a URL if need be.

        Args:
            relative: Path inside the pool.
            digest: What its bytes must hash to, checked when it is fetched.

        Raises:
            PoolError: If it is absent, or is not what the manifest says.
        """
        local = self.folder / relative
        if local.is_file():
            return local
        if self._url is None:
            raise PoolError(
                f"{local} is missing; see what is left with: assay pool verify {self.where}"
            )
        url = f"{self._url}/{relative}"
        with atomic_file(local) as stream:
            got = _copy(url, stream)
            if got != digest:
                raise PoolError(
                    f"{url} has digest {got[:23]}..., the manifest says {digest[:23]}...; try again, "
                    "or ask whoever hosts the pool"
                )
        return local


def _fetch(url: str) -> bytes:
    filesystem, path = open_filesystem(url)
    try:
        return bytes(filesystem.cat_file(path))  # pyright: ignore[reportArgumentType]
    except Exception as error:  # every backend has its own
        raise PoolError(
            f"cannot read {url} ({type(error).__name__}: {error}); a pool's URL is that of the "
            "folder with its pool.json"
        ) from None


def _copy(url: str, stream: BinaryIO) -> str:
    """Copy a remote file and return its digest."""
    filesystem, path = open_filesystem(url)
    hasher = hashlib.sha256()
    try:
        remote: BinaryIO
        with filesystem.open(path, "rb") as remote:  # pyright: ignore[reportAssignmentType]
            while block := remote.read(1 << 20):
                hasher.update(block)
                stream.write(block)
    except Exception as error:
        raise PoolError(f"cannot read {url} ({type(error).__name__}: {error}); try again") from None
    return f"sha256:{hasher.hexdigest()}"
