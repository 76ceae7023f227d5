"""What this machine keeps of lists and runs, as pages show it and an export carries it."""

from pathlib import Path

from assay.pool import AnyPool
from assay_board.pages.snapshot import Table
from assay_board.settings import READ_AT_ONCE, BoardSettings


class Evidence:
    """Files that scores rest on. What is not here is None."""

    def __init__(self, settings: BoardSettings):
        self._settings = settings

    def list_path(self, digest: str) -> Path | None:
        """Return where the list of a submission is, if it was handed in here."""
        return _there(self._settings.list_path(digest))

    def outputs_path(self, record: str) -> Path | None:
        """Return where the per-item outputs of a run are, if they were brought here."""
        return _there(self._settings.result_folder(record) / "outputs.parquet")

    def trace_path(self, record: str) -> Path | None:
        """Return where the losses of a run are, if they were brought here."""
        return _there(self._settings.result_folder(record) / "trace.npy")


def readable_pool(pool: AnyPool | None, table: Table) -> AnyPool | None:
    """Return a pool if it is the one that a board was measured on, and quickly read."""
    if pool is None or pool.root != table.digests["pool"] or pool.n > READ_AT_ONCE:
        return None
    return pool


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None
