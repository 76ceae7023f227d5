"""A pool of image-text pairs, opened: captions memory-mapped, images read where they lie."""

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.errors import PoolError
from assay.pool.base import StoredPool
from assay.pool.imagetext.embeddings import read_array
from assay.pool.imagetext.index import (
    CAPTIONS_FILE,
    LOCATIONS_FILE,
    METADATA_ROWS_FILE,
    PAYLOAD_FILE,
)
from assay.pool.imagetext.payload import Payload
from assay.pool.imagetext.records import MEASURED
from assay.pool.imagetext.shard import PAIRS_FILE
from assay.pool.manifest import ImageTextManifest
from assay.pool.mirror import PoolFiles

if TYPE_CHECKING:
    import pyarrow as pa

CAPTIONS_AT_ONCE = 65_536
IMAGES_AT_ONCE = 64
OPEN_SIDECARS = 32


class ImageTextPool(StoredPool):
    """The frozen candidates, images with captions. Every array and column is aligned to `uids`.

    Attributes:
        manifest: What `pool.json` says.
    """

    kind = "image-text"
    table_file = PAIRS_FILE
    own_columns = MEASURED
    manifest: ImageTextManifest

    def __init__(self, files: PoolFiles):
        """Use `ImageTextPool.open`."""
        if files.manifest.kind != "image-text":
            raise PoolError(
                f"{files.where} is a pool of text, and image-text pairs are wanted here; list pools "
                "with: assay pools"
            )
        super().__init__(files, files.manifest)
        self._payload = Payload(
            self._describe,
            f"put that file back, or see what else is wrong with: assay pool verify {self.where}",
        )
        self._features = lru_cache(maxsize=OPEN_SIDECARS)(self._open_features)

    @classmethod
    def open(cls, where: str | Path) -> "ImageTextPool":
        """Open a pool by name, folder or fsspec URL, in milliseconds whatever its size.

        Raises:
            PoolError: If there is none, it is unfinished, or of another kind.
        """
        return cls(PoolFiles(where))

    @property
    def embedding_names(self) -> tuple[str, ...]:
        """Return the arrays that `embedding` reads."""
        return tuple(entry.name for entry in self.manifest.embeddings)

    @property
    def num_payload_files(self) -> int:
        """Return the number of files that images lie in."""
        return len(self._payload_files[0])

    @cached_property
    def locations(self) -> NDArray[np.void]:
        """The (n,) places of the images: `file`, `offset`, `length`."""
        return self._array(LOCATIONS_FILE)

    @cached_property
    def metadata_rows(self) -> NDArray[np.void]:
        """The (n,) rows of the metadata, `file` and `row`; there are none without `embedding_names`."""
        return self._array(METADATA_ROWS_FILE)

    def caption(self, row: int) -> str:
        """Return one caption."""
        return self._captions[int(row)].as_py()

    def captions(self, rows: ArrayLike | None = None) -> Iterator[str]:
        """Yield captions in row order, or in the order of `rows`."""
        import pyarrow as pa

        wanted = np.arange(self.n) if rows is None else np.asarray(rows, dtype=np.int64)
        for start in range(0, len(wanted), CAPTIONS_AT_ONCE):
            part = pa.array(wanted[start : start + CAPTIONS_AT_ONCE])
            yield from self._captions.take(part).to_pylist()

    def image_bytes(self, row: int) -> bytes:
        """Read one encoded image, in place.

        Raises:
            PoolError: If the file that holds it is gone or has changed its size.
        """
        file, offset, length = self.locations[row].item()
        return self._payload.read(file, offset, length)

    def embedding(self, name: str, rows: ArrayLike | None = None) -> NDArray[np.float16]:
        """Return precomputed features of all rows, or of the given ones in their order.

        Args:
            name: One of `embedding_names`.
            rows: (k,) rows.

        Returns:
            (k, width), read where they lie.

        Raises:
            PoolError: If there are none of that name, or their file cannot be read.
        """
        width = {entry.name: entry.width for entry in self.manifest.embeddings}.get(name)
        if width is None:
            known = ", ".join(self.embedding_names) or "none"
            raise PoolError(
                f"pool {self.name} has no embedding {name!r} but {known}; features are .npz files beside "
                "the Parquet files of: assay pool build ... --metadata"
            )
        places = (
            self.metadata_rows
            if rows is None
            else self.metadata_rows[np.asarray(rows, dtype=np.int64)]
        )
        found = np.empty((len(places), width), dtype=np.float16)
        for file in np.unique(places["file"]):
            mine = np.flatnonzero(places["file"] == file)
            found[mine] = self._features(int(file), name, width)[places["row"][mine]]
        return found

    def scan(
        self, columns: Sequence[str] = ("text",)
    ) -> Iterator[tuple[NDArray[np.int64], "pa.RecordBatch"]]:
        """Yield everything in storage order, up to a thousand pairs at a time: the fast path.

        Args:
            columns: `text`, `uid`, `image` (encoded bytes) or metadata columns.

        Yields:
            Rows, (k,), -1 for a repeated pair that no row refers to; and a batch of k pairs.
        """
        if "image" not in columns:
            yield from super().scan(columns)
            return
        others = [name for name in columns if name != "image"]
        for rows, batch in super().scan((*others, *("file", "offset", "length"))):
            for start in range(0, batch.num_rows, IMAGES_AT_ONCE):
                part = batch.slice(start, IMAGES_AT_ONCE)
                whole = part.append_column("image", self._read_images(part))
                yield rows[start : start + IMAGES_AT_ONCE], whole.select(list(columns))

    def stored_image(self, file: str, offset: int, length: int) -> bytes:
        """Read one encoded image from where a shard says that it lies.

        Raises:
            PoolError: As `image_bytes`.
        """
        return self._payload.read(self.file_number(file), offset, length)

    def file_number(self, file: str) -> int:
        """Return the number that `locations` have for a file that shards name.

        Raises:
            PoolError: If no row leads there.
        """
        number = self._numbers.get(file)
        if number is None:
            raise PoolError(
                f"pool {self.name} knows no file {file}; see what is wrong with: assay pool verify "
                f"{self.where}"
            )
        return number

    def _read_images(self, batch: "pa.RecordBatch") -> "pa.Array":
        import pyarrow as pa

        places = zip(
            *(batch[name].to_pylist() for name in ("file", "offset", "length")), strict=True
        )
        return pa.array([self.stored_image(*place) for place in places], pa.large_binary())

    @cached_property
    def _captions(self) -> "pa.LargeStringArray":
        return self._table(CAPTIONS_FILE)["text"]

    @cached_property
    def _payload_files(self) -> tuple["pa.Array", "pa.Array"]:
        table = self._table(PAYLOAD_FILE)
        return table["path"], table["size"]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Numbers of the files in `payload.arrow`; only storage order needs them."""
        return {path: number for number, path in enumerate(self._payload_files[0].to_pylist())}

    def _describe(self, number: int) -> tuple[str, int | None]:
        paths, sizes = self._payload_files
        return self._files.locate(paths[number].as_py()), sizes[number].as_py()

    def _open_features(self, file: int, name: str, width: int) -> NDArray[np.floating]:
        sidecar = self.manifest.sidecars[file]
        if not sidecar.path:
            raise PoolError(
                f"metadata file {file + 1} of pool {self.name} has no .npz beside it; download it, and "
                "build the pool again"
            )
        return read_array(self._files.locate(sidecar.path), name, sidecar.rows, width)

    def _table(self, file: str) -> "pa.RecordBatch":
        """Map an Arrow file of one batch."""
        import pyarrow as pa

        path = self.file(file, self.manifest.files[file])
        try:
            reader = pa.ipc.open_file(pa.memory_map(str(path)))
            if reader.num_record_batches:
                return reader.get_batch(0)
            return pa.RecordBatch.from_pylist([], schema=reader.schema)
        except pa.ArrowException as error:
            raise PoolError(
                f"{path} is damaged ({error}); see what else is with: assay pool verify {self.path}"
            ) from None
