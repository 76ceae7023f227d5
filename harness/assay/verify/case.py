"""A record together with what this machine has of it; everything is loaded once, when a check asks."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assay.canonical import digest_file
from assay.errors import UserError
from assay.home import run_folder
from assay.pool import AnyPool, pool_path
from assay.pool.manifest import MANIFEST_FILE
from assay.runner.modalities import check_installed
from assay.runner.plan import SUBMISSION_FILE
from assay.runner.scoring import OUTPUTS_FILE
from assay.runner.training import TRACE_FILE
from assay.selection import Selection, select_rows
from assay.submission import Report, Submission, validate_file
from assay.submission.parquet_size import measure_parquet
from assay.track.load import LoadedScale, load, track_roots
from assay.track.pools import open_pool
from assay.verify.report import AbsentError, DiffersError

EPOCH_FILE = "epoch.json"
"""What a server's ledger says of the seed's key, beside a record that was fetched from there."""

MAX_OUTPUTS_BYTES = 1 << 30
"""Decoded."""


class Case:
    """A record under verification.

    Every property raises `AbsentError` where this machine lacks it, and `DiffersError` or an error about
    the input where it is there and unusable.

    Attributes:
        record: As read; nothing in it is believed.
        path: Its file.
        given: An id list to take instead of the one in the run's folder, or None.
        fetched: A folder with what a server has of the run, to take for the run's folder, or None.
    """

    def __init__(
        self,
        record: dict[str, Any],
        path: Path,
        given: Path | None = None,
        fetched: Path | None = None,
    ):
        self.record = record
        self.path = path
        self.given = given
        self.fetched = fetched

    @property
    def digests(self) -> dict[str, str]:
        """The record's digests of everything that it rests on."""
        return self.record["digests"]

    @cached_property
    def loaded(self) -> LoadedScale:
        """The law as this machine has it."""
        track, scale = self.record["track"]["name"], self.record["track"]["scale"]
        if not any((root / track / "scales" / f"{scale}.yaml").is_file() for root in track_roots()):
            raise AbsentError(f"this machine has no track {track}/{scale}; see: assay tracks")
        return load(track, scale)

    @cached_property
    def pool(self) -> AnyPool:
        """The pool that the law names; an embedded one is built."""
        ref = self.loaded.spec.pool
        if ref.size is None and not (pool_path(ref.name) / MANIFEST_FILE).is_file():
            raise AbsentError(f"pool {ref.name!r} is not on this machine; see: assay pools")
        return open_pool(self.loaded)

    @cached_property
    def folder(self) -> Path:
        """The folder of the run, or the one that a later `--fresh` put aside."""
        if self.fetched is not None:
            return self.fetched
        folder = run_folder(self.digests["run"])
        found = [
            f for f in (folder, *sorted(folder.parent.glob(f"{folder.name}.[0-9]*"))) if f.is_dir()
        ]
        if not found:
            raise AbsentError(f"the run's folder {folder} is not on this machine")
        if len(found) == 1:
            return found[0]
        kept = (f for f in found if (f / OUTPUTS_FILE).is_file())
        wanted = self.digests["outputs"]
        return next((f for f in kept if digest_file(f / OUTPUTS_FILE) == wanted), found[0])

    def artifact(self, name: str) -> Path:
        """Return a file or folder of the run."""
        path = self.folder / name
        if not path.exists() and self.fetched is not None:
            raise AbsentError(f"the server has no {name} of this run")
        if not path.exists():
            raise AbsentError(f"{path} is not on this machine")
        return path

    @cached_property
    def report(self) -> Report:
        """What validation says of the submission, with the submission itself."""
        path = self.given or self.artifact(SUBMISSION_FILE)
        unit = self.record["submission"]["unit"]
        return validate_file(path, self.pool, self.loaded.rules, self.loaded.recipe.budget, unit)

    @property
    def submission(self) -> Submission:
        """The submission."""
        if self.report.submission is None:
            raise DiffersError(f"the id list cannot be read: {self.report.findings[0].message}")
        return self.report.submission

    @cached_property
    def selection(self) -> Selection:
        """The submission's rows in the pool."""
        return select_rows(self.submission, self.pool)

    @cached_property
    def trace(self) -> NDArray[np.float32]:
        """Loss of every step, (steps,), from the run's folder."""
        path = self.artifact(TRACE_FILE)
        try:
            # Mapped, so that a header that promises more than the file holds allocates nothing.
            trace = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise DiffersError(f"{path} is no trace of losses: {error}") from None
        if trace.dtype != np.float32 or trace.ndim != 1 or not len(trace):
            raise DiffersError(
                f"{path} holds {trace.dtype} {trace.shape}, not a loss for each step"
            )
        if not np.isfinite(trace).all():
            raise DiffersError(f"{path} holds a loss that is NaN or infinite")
        return np.array(trace)

    @cached_property
    def outputs(self) -> pa.Table:
        """Per-item outputs from the run's folder."""
        path = self.artifact(OUTPUTS_FILE)
        try:
            # Told by its headers, so that a bomb allocates nothing.
            size = measure_parquet(path).num_bytes
            if size > MAX_OUTPUTS_BYTES:
                raise DiffersError(f"{path} unpacks to {size:,} bytes; no suite's outputs do")
            return pq.read_table(path)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise DiffersError(f"{path} cannot be read: {' '.join(str(error).split())}") from None

    def require_models(self) -> None:
        """Refuse where this installation cannot build the record's kind of model."""
        try:
            check_installed(self.loaded.modality)
        except UserError as error:
            raise AbsentError(str(error)) from None
