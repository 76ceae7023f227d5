"""What verifying a pool finds."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from assay.pool.base import StoredPool
from assay.pool.manifest import ROWS_FILE, UIDS_FILE
from assay.pool.uid import find


class BadFileError(Exception):
    """The first thing that is wrong.

    Attributes:
        file: The bad file, relative to the pool or absolute.
        count: Examples that are not as the manifest says, where they were counted.
    """

    def __init__(self, file: str, finding: str, count: int = 0):
        super().__init__(finding)
        self.file = file
        self.count = count


def require(condition: bool | np.bool_, file: str, finding: str) -> None:
    """Demand something of a file.

    Raises:
        BadFileError: If it is not so.
    """
    if not condition:
        raise BadFileError(file, finding)


def require_length(pool: StoredPool, file: str, length: int) -> None:
    """Demand an entry for every row.

    Raises:
        BadFileError: If it is not so.
    """
    require(length == pool.n, file, f"{length} entries, manifest {pool.n}")


def check_alignment(
    pool: StoredPool,
    rows: NDArray[np.int64],
    uids: NDArray[np.void],
    arrays: Mapping[str, tuple[NDArray, NDArray]],
) -> None:
    """Compare a shard's examples with the rows that lead to them.

    Args:
        pool: The pool.
        rows: (k,) rows of the shard's examples, -1 for a repeated one.
        uids: (k,) their ids.
        arrays: File -> its array, aligned to rows; and what the shard says, aligned to the shard.

    Raises:
        BadFileError: If they differ.
    """
    repeated = uids[rows < 0]
    if len(repeated):
        known = (find(pool.uids, repeated) >= 0).all()
        require(known, ROWS_FILE, "leaves out an example that repeats no other's id")
    kept = np.flatnonzero(rows >= 0)
    for file, (aligned, stored) in {UIDS_FILE: (pool.uids, uids), **arrays}.items():
        same = (aligned[rows[kept]] == stored[kept]).all()
        require(same, file, "does not agree with the examples that its rows lead to")
