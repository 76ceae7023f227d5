"""`.npy` lists: DataComp's `u8,u8`, memory-mapped, with the header checked before it is believed."""

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import SubmissionError
from assay.pool.uid import UID_DTYPE
from assay.submission.entries import Entries

CHUNK_DTYPE = np.dtype([("f0", "<u8"), ("f1", "<u8"), ("f2", "<u4")])
"""A uid and the number of a chunk within its document."""

_MAX_HEADER_BYTES = 1024  # numpy writes 128 for these types

_CONVERT = 'save it as DataComp does: np.save(path, np.array(ids, dtype="u8,u8"))'


def read_npy(path: Path) -> Entries:
    """Map a list of uids, or of uids with chunk numbers.

    Raises:
        SubmissionError: F2 (any other type, objects above all) or F3 (a header that is malformed or
            does not agree with the size of the file).
    """
    shape, offset, dtype = _read_header(path)
    if dtype.hasobject:
        raise SubmissionError(
            "F2", f"{path.name} holds pickled objects, which are never loaded; {_CONVERT}"
        )
    if dtype not in (UID_DTYPE, CHUNK_DTYPE):
        raise SubmissionError("F2", f"{path.name} has dtype {dtype}, not <u8,<u8; {_CONVERT}")
    if len(shape) != 1:
        raise SubmissionError("F3", f"{path.name} has shape {shape}; a list has one dimension")
    size = path.stat().st_size
    if shape[0] < 0 or size - offset != shape[0] * dtype.itemsize:
        raise SubmissionError(
            "F3",
            f"{path.name} says {shape[0]:,} ids but has {size - offset:,} bytes of data, not "
            f"{shape[0] * dtype.itemsize:,}; the file is truncated or forged",
        )
    if shape[0] == 0:
        return Entries(uids=np.empty(0, dtype=UID_DTYPE))
    table = np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape)
    if dtype == UID_DTYPE:
        return Entries(uids=np.asarray(table))
    return Entries(uids=_uids_of(table), chunks=table["f2"].astype(np.int64))


def npy_bytes(uids: NDArray[np.void], chunks: NDArray[np.int32] | None) -> bytes:
    """Return the file that `read_npy` reads."""
    table = uids
    if chunks is not None:
        table = np.empty(len(uids), dtype=CHUNK_DTYPE)
        table["f0"], table["f1"], table["f2"] = uids["f0"], uids["f1"], chunks
    stream = io.BytesIO()
    np.lib.format.write_array(stream, table, version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def _uids_of(table: NDArray[np.void]) -> NDArray[np.void]:
    uids = np.empty(len(table), dtype=UID_DTYPE)
    uids["f0"], uids["f1"] = table["f0"], table["f1"]
    return uids


def _read_header(path: Path) -> tuple[tuple[int, ...], int, np.dtype]:
    """Return shape, offset of the data, and dtype, having allocated next to nothing."""
    with path.open("rb") as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy's remarks on old headers; we accept or refuse
        try:
            version = np.lib.format.read_magic(stream)
            if version != (1, 0):  # later versions may claim headers of 4 GB
                raise ValueError(f"format version {version}, not (1, 0)")
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(
                stream, max_header_size=_MAX_HEADER_BYTES
            )
        except Exception as error:  # numpy lets errors of the tokenizer and of recursion through
            reason = " ".join(str(error).split())[:200]
            raise SubmissionError(
                "F3", f"{path.name}: bad .npy header: {reason}; {_CONVERT}"
            ) from None
        del fortran_order  # means nothing in one dimension
        return shape, stream.tell(), dtype
