"""Arrays inside `.npz` files, read in place: numpy stores them as they are unless asked to compress."""

import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import PoolError
from assay.pool.manifest import EmbeddingEntry
from assay.pool.sources import is_url, open_filesystem

_LOCAL_HEADER = struct.Struct("<26xHH")
"""Lengths of the name and of the extra field in front of a member's bytes."""


def embedding_entries(path: str) -> tuple[EmbeddingEntry, ...]:
    """List the arrays of a file of features.

    Raises:
        PoolError: If it is no `.npz` of such arrays.
    """
    try:
        with _open(path) as stream, zipfile.ZipFile(stream) as archive:
            shapes = {name: _header(archive, name)[0] for name in archive.namelist()}
    except PoolError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from None
    return tuple(
        EmbeddingEntry(name.removesuffix(".npy"), shape[1])
        for name, shape in sorted(shapes.items())
        if len(shape) == 2
    )


def read_array(path: str, name: str, rows: int, width: int) -> NDArray[Any]:
    """Open one array; in a local file, as a memory map.

    Args:
        path: The `.npz` file or URL.
        name: Of the array.
        rows: That it must have.
        width: That it must have.

    Raises:
        PoolError: If it cannot be read, or is of another shape.
    """
    try:
        with _open(path) as stream, zipfile.ZipFile(stream) as archive:
            member = archive.getinfo(f"{name}.npy")
            shape, dtype, header = _header(archive, member.filename)
            if member.compress_type == zipfile.ZIP_STORED and not is_url(path):
                stream.seek(member.header_offset)
                lengths = _LOCAL_HEADER.unpack(stream.read(_LOCAL_HEADER.size))
                start = member.header_offset + _LOCAL_HEADER.size + sum(lengths) + header
                array = np.memmap(path, dtype, "r", start, shape).view(np.ndarray)
            else:
                with archive.open(member) as inner:
                    array = np.lib.format.read_array(inner, allow_pickle=False)
    except PoolError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from None
    if array.shape != (rows, width):
        raise PoolError(
            f"{path}: {name} is of shape {array.shape}, and its metadata file asks for {(rows, width)}; "
            "download that file again"
        )
    return array


def _open(path: str) -> Any:
    if not is_url(path):
        return Path(path).open("rb")
    filesystem, inner = open_filesystem(path)
    return filesystem.open(inner, "rb")


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype, int]:
    """Return shape, dtype and length of an array's header."""
    with archive.open(name) as stream:
        version = np.lib.format.read_magic(stream)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read(stream)
        if fortran or dtype.kind != "f":
            raise ValueError(f"{name} is no array of floats in C order")
        return shape, dtype, stream.tell()


def _unreadable(path: str, error: Exception) -> PoolError:
    return PoolError(
        f"cannot read {path} ({type(error).__name__}: {error}); features are in .npz files beside the "
        "metadata, a 2-D array of floats each"
    )
