"""Lists over the tiny pool."""

import tempfile
from pathlib import Path

from assay.pool import load_pool, pool_path
from assay.submission import submission_of, write_submission


def a_list(first: int = 0, count: int = 120, suffix: str = ".npy") -> bytes:
    """Return the file of a list of the tiny pool's examples."""
    uids = load_pool(pool_path("tiny-pool")).uids[first : first + count]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"s{suffix}"
        write_submission(submission_of(uids), path)
        return path.read_bytes()
