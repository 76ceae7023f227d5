"""What SRC words stand for where pairs are wanted: tars, tables, folders of images.

A folder with tars in it is read as these alone: img2dataset leaves Parquet files without images
beside them. A folder with images in it, and no tars, is one source.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from assay.errors import PoolError
from assay.pool.imagetext.folder import FolderSource
from assay.pool.imagetext.records import (
    CAPTION_FIELDS,
    IMAGE_FIELDS,
    Pair,
    PairFields,
    read_pair,
)
from assay.pool.imagetext.samples import IMAGE_KINDS, TAR_SUFFIXES, TarSource
from assay.pool.readers import SourceFile, suffix_of
from assay.pool.records import Problem
from assay.pool.sources import Source, combine, match, named, open_filesystem
from assay.pool.tables import Item, Table, is_scalar

if TYPE_CHECKING:
    import pyarrow as pa
    from fsspec import AbstractFileSystem

IMAGE_SUFFIXES = tuple(f".{k}" for kind in IMAGE_KINDS for k in (kind, kind.upper()))
TABLE_SUFFIXES = (".parquet", ".arrow")
COMPRESSED_SUFFIXES = (".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz")
SUFFIXES = (*TAR_SUFFIXES, *TABLE_SUFFIXES, *COMPRESSED_SUFFIXES, *IMAGE_SUFFIXES)

BATCH_ROWS = 16
"""Of a table, decoded at a time; each may hold a large image."""

Found = tuple["AbstractFileSystem", str]


def as_pair_sources(sources: Sequence[Any], fields: PairFields) -> list[Source]:
    """Return sources as they are, and words or paths expanded.

    Raises:
        PoolError: If a word matches nothing of use, or two sources share a name.
    """
    return combine(sources, lambda words: expand(words, fields))


def expand(words: Sequence[str], fields: PairFields) -> list[Source]:
    """Turn SRC words into sources, in the order given; files of a folder or glob by name.

    Raises:
        PoolError: If a word matches nothing, or a file is of no known kind.
    """
    files: list[Found] = []
    folders: dict[str, tuple[Found, list[str]]] = {}
    for word in words:
        found = match(word, SUFFIXES)
        tars = [one for one in found if one[1].endswith(TAR_SUFFIXES)]
        images = [path for _, path in found if path.endswith(IMAGE_SUFFIXES)]
        if tars or not images:
            files += tars or found
        else:
            folder = _folder(word)
            folders[folder[0].unstrip_protocol(folder[1])] = folder, images
    return [
        *(_file(name, where, fields) for name, where in named(files)),
        *(
            FolderSource(name, *where, images, fields)
            for (name, where), (_, images) in zip(
                named(folder for folder, _ in folders.values()), folders.values(), strict=True
            )
        ),
    ]


def _folder(word: str) -> Found:
    filesystem, path = open_filesystem(word)
    if not filesystem.isdir(path):
        raise PoolError(
            f"{word} is an image; give the folder that holds the images and their captions"
        )
    return filesystem, path.rstrip("/")


def _file(name: str, where: Found, fields: PairFields) -> Source:
    filesystem, path = where
    if path.endswith(COMPRESSED_SUFFIXES):
        raise PoolError(
            f"{path} is compressed, and images are read where they lie; unpack it first, such as "
            f"with: gunzip {path}"
        )
    kind = f".{suffix_of(path)}"
    if kind in TAR_SUFFIXES:
        local = "file" in filesystem.protocol
        place = path if local else filesystem.unstrip_protocol(path)
        return TarSource(name, filesystem, path, place, fields)
    if kind not in TABLE_SUFFIXES:
        raise PoolError(
            f"{path} is of no known kind; pools of pairs are built from webdataset tars, Parquet and "
            "Arrow files with images in them, and folders of images"
        )
    return TableSource(name, filesystem, path, fields)


class TableSource(SourceFile):
    """A Parquet or Arrow file with a column of images. Its attributes are those of `SourceFile`."""

    def __init__(self, name: str, filesystem: "AbstractFileSystem", path: str, fields: PairFields):
        """Look at the file, without opening it.

        Raises:
            PoolError: If it is absent.
        """
        super().__init__(name, filesystem, path)
        self._fields = fields
        self._image = ""

    def records(self, start: int) -> Iterator[Item]:
        """Yield rows from `start` on; their images are bytes, which a pool has to pack.

        Raises:
            PoolError: If the file cannot be opened, lacks images, or stops being readable.
        """
        self.done = 0
        raw = self._open()
        with raw:
            yield from self._rows(raw, self._table, start)
        self.done = self.size

    def _table(self, raw: BinaryIO) -> Table:
        return Table(raw, suffix_of(self._path), self._choose, self._read, BATCH_ROWS)

    def _choose(self, schema: "pa.Schema") -> list[str]:
        """Return the columns that can hold captions, ids, metadata, and the one with images."""
        names = (self._fields.image,) if self._fields.image else IMAGE_FIELDS
        images = [
            name for name in names if name in schema.names and _is_image(schema.field(name).type)
        ]
        if not images:
            raise PoolError(
                f"there is no column of image bytes among {', '.join(schema.names)}; name it: "
                "--image-field NAME"
            )
        self._image = images[0]
        others = [f.name for f in schema if is_scalar(f.type) or _is_nested(f.type)]
        captions = (self._fields.caption,) if self._fields.caption else CAPTION_FIELDS
        if not set(captions) & set(others):
            raise PoolError(
                f"there is no column {' or '.join(captions)} but {', '.join(schema.names)}; name the "
                "one with the captions: --caption-field NAME"
            )
        return [*(name for name in others if name != self._image), self._image]

    def _read(self, row: dict[str, Any]) -> Pair | Problem:
        image = row.pop(self._image)
        if isinstance(image, dict):
            image = image.get("bytes")
        if not isinstance(image, bytes):
            return Problem("missing_image", f"{self._image!r} holds no bytes")
        return read_pair(row, None, image, self._fields)


def _is_image(kind: "pa.DataType") -> bool:
    """Tell bytes, or the struct of bytes and path that `datasets` writes."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _is_nested(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return (
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or (pa.types.is_struct(kind) and not _is_image(kind))
    )
