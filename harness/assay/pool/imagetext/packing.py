"""Images that lie in no file of their own, on their way into a webdataset tar inside the pool."""

import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

from assay.artifact import atomic_file
from assay.pool.records import Scalar

_SUFFIXES = {"jpeg": "jpg"}


class Packer:
    """The tar of one shard, held in memory until the shard is whole.

    Attributes:
        size: Bytes so far.
    """

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[bytes] = []
        self._samples = 0

    def add(
        self,
        image: bytes,
        kind: str,
        caption: str,
        uid: bytes,
        columns: Mapping[str, Scalar],
    ) -> tuple[int, int]:
        """Append a sample.

        Args:
            image: Encoded.
            kind: Its format in lower case.
            caption: Its caption.
            uid: Its id.
            columns: Its metadata.

        Returns:
            Offset and length of the image.
        """
        key = f"{self._samples:09d}"
        self._samples += 1
        meta = json.dumps({"uid": uid.hex(), **columns}, sort_keys=True)
        offset = self._append(f"{key}.{_SUFFIXES.get(kind, kind)}", image)
        self._append(f"{key}.txt", caption.encode("utf-8"))
        self._append(f"{key}.json", meta.encode("ascii"))
        return offset, len(image)

    def write(self, path: Path) -> None:
        """Write the tar, whole or absent."""
        with atomic_file(path) as stream:
            stream.writelines(self._pieces)
            stream.write(b"\0" * (2 * tarfile.BLOCKSIZE))

    def _append(self, name: str, data: bytes) -> int:
        info = tarfile.TarInfo(name)  # time, owner and group zero: the same bytes everywhere
        info.size = len(data)
        header = info.tobuf(tarfile.USTAR_FORMAT)
        offset = self.size + len(header)
        padding = b"\0" * (-len(data) % tarfile.BLOCKSIZE)
        self._pieces += [header, data, padding]
        self.size = offset + len(data) + len(padding)
        return offset
