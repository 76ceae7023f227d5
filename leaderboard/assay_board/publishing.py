"""A worker's result: believed in nothing, checked against law, lease and outputs, then appended to the ledger.

Whoever holds a lease can say that a run gave these per-item outputs, and nothing else: every metric is
computed from them here, every digest is compared with what this server has.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from assay.canonical import canonical_json
from assay.errors import UserError
from assay.submission.manifest import clean_text
from assay.submission.parquet_size import measure_parquet
from assay.track.load import LoadedScale
from assay_board.audit import Actor, note
from assay_board.context import Board
from assay_board.database import Run
from assay_board.index import follow, follow_alone
from assay_board.problems import ProblemError
from assay_board.queue import held, owned
from assay_board.text import one_line

if TYPE_CHECKING:
    from assay.verify.case import Case

MAX_RECORD_BYTES = 1 << 20
MAX_TRACE_BYTES = 64 << 20
MAX_OUTPUTS_BYTES = 1 << 30
"""Decoded."""
MAX_TEXT = 4000
MAX_DETAIL = 500
FIELDS = {
    "format", "kind", "submission", "track", "seed", "seed_source", "digests", "training", "metrics",
    "software", "device", "clock", "result_digest", "digest",
}  # fmt: skip


@dataclass(frozen=True)
class Result:
    """What a worker hands in.

    Attributes:
        record: JSON.
        outputs: Parquet.
        trace: A `.npy`.
    """

    record: BinaryIO
    outputs: BinaryIO
    trace: BinaryIO


def publish(
    board: Board, actor: Actor, lease_id: str, secret: str, result: Result
) -> tuple[str, int, bool]:
    """Check a result and append its record.

    Returns:
        The record's digest, its index in the ledger, and whether it is new: the same result of a lease that
        has ended well already is acknowledged again.

    Raises:
        ProblemError: L1 for a lease that is not held, W1 to W6 for what does not hold.
    """
    with board.database.write() as session:
        lease = owned(session, actor, lease_id, secret)
        if lease.state != "finished":
            lease = held(session, board.settings, actor, lease_id, secret)
        run, finished = lease.run, lease.state == "finished"
        submission = run.submission
    with _received(board, result) as (folder, record):
        if finished:
            return _acknowledge(board, run, record)
        with board.intake:
            _check(board, run, folder, record)
        with board.database.write() as session:
            follow_alone(session)
            # It may have been lost, withdrawn or finished meanwhile.
            lease = owned(session, actor, lease_id, secret)
            if lease.state == "finished":
                return _acknowledge(board, lease.run, record)
            lease = held(session, board.settings, actor, lease_id, secret)
            # What a record's digests point at is on disk before the record is.
            _keep(board, record, folder)
            entry = board.ledger.append("run", record, lease.run.level)
            follow(session, board.ledger, board.now())
            detail = {"record": record["digest"], "submission": submission.id, "index": entry.index}
            note(session, board.now(), actor, "lease.result", lease_id, **detail)
    return record["digest"], entry.index, True


def _keep(board: Board, record: dict[str, Any], folder: Path) -> None:
    """Keep outputs and trace, so that metrics can be computed again without the model."""
    target = board.result_folder(record["digest"])
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        (folder / "record.json").unlink()
        folder.rename(target)


def _acknowledge(board: Board, run: Run, record: dict[str, Any]) -> tuple[str, int, bool]:
    index = board.ledger.find(record["digest"])
    if record["digest"] != run.record or index is None:
        raise ProblemError(409, "the run has another result already; this one is not kept", "L1")
    return record["digest"], index, False


@contextmanager
def _received(board: Board, result: Result) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Put the parts into a folder of their own, which goes when the block ends."""
    folder = board.settings.folder / "incoming" / secrets.token_hex(8)
    folder.mkdir(parents=True)
    try:
        _store(result.record, folder / "record.json", MAX_RECORD_BYTES)
        _store(result.outputs, folder / "outputs.parquet", board.settings.max_result_bytes)
        _store(result.trace, folder / "trace.npy", MAX_TRACE_BYTES)
        yield folder, _read_record(folder / "record.json")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _store(stream: BinaryIO, path: Path, most: int) -> None:
    stream.seek(0, 2)
    if stream.tell() > most:
        raise ProblemError(
            413, f"{path.name} has {stream.tell():,} bytes; at most {most:,} fit", "W1"
        )
    stream.seek(0)
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
        file.flush()
        os.fsync(file.fileno())


def _read_record(path: Path) -> dict[str, Any]:
    """Read a record that may hold anything."""
    from assay.verify import find_record

    try:
        record, _ = find_record(str(path))
        extra = sorted(set(record) - FIELDS)
        if extra:
            raise ValueError(f"unknown field {extra[0][:60]!r}")
        _check_texts(record)
    except (UserError, ValueError, RecursionError) as error:
        told = str(error).replace(str(path), "the record")
        raise ProblemError(422, one_line(told, MAX_DETAIL), "W1") from None
    return record


def _check_texts(value: Any, depth: int = 0) -> None:
    """Refuse texts that no page or terminal should be given.

    Raises:
        ValueError: For control characters, and what is too long or too deep.
    """
    if depth > 8:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        clean_text(value, MAX_TEXT)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(key)
            _check_texts(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item, depth + 1)


def _check(board: Board, run: Run, folder: Path, record: dict[str, Any]) -> None:
    """Hold a record against its lease and the law, and compute its numbers again."""
    submission = run.submission
    loaded = board.law.scale(submission.track, submission.scale)
    wanted = {
        "W3": (
            (record["seed"], run.seed, "seed"),
            (record.get("seed_source"), _source(run), "seed_source"),
        ),
        "W2": (
            (record["track"]["name"], submission.track, "track"),
            (record["track"]["scale"], submission.scale, "scale"),
            (record["track"]["seal"], submission.seal, "seal"),
            (record["track"]["sealed"], loaded.sealed, "sealed"),
            (record["digests"]["pool"], submission.pool, "pool"),
        ),
        "W4": (
            (record["submission"]["digest"], submission.digest, "submission"),
            (record["submission"]["manifest"], submission.manifest, "manifest"),
        ),
    }
    for rule, pairs in wanted.items():
        for claimed, found, name in pairs:
            # To Python, False is 0 and 1 is 1.0; to a digest they are not.
            if canonical_json(claimed) != canonical_json(found):
                raise ProblemError(
                    422, f"{name} is not the one that the lease is for; start the run anew", rule
                )
    _measure(folder / "outputs.parquet")
    case = _case(board, loaded, folder, record)
    for rule, check in _steps():
        _make(rule, check, case)


def _source(run: Run) -> dict[str, Any]:
    return {"epoch": run.epoch, "index": run.seed_index}


def _measure(outputs: Path) -> None:
    """Refuse a bomb before anything of it is unpacked."""
    try:
        size = measure_parquet(outputs)
    except ValueError as error:
        raise ProblemError(422, f"outputs: {one_line(str(error), MAX_DETAIL)}", "W5") from None
    if size.num_bytes > MAX_OUTPUTS_BYTES:
        raise ProblemError(
            422,
            f"outputs unpack to {size.num_bytes:,} bytes; at most {MAX_OUTPUTS_BYTES:,} fit",
            "W5",
        )


def _case(board: Board, loaded: LoadedScale, folder: Path, record: dict[str, Any]) -> "Case":
    """Return the record as `assay verify` sees it, with what was handed in as its run's folder."""
    from assay.verify.case import Case

    case = Case(record, folder / "record.json", board.list_path(record["submission"]["digest"]))
    # Cached properties: the law and the pool of this server, and no folder of a run on this machine.
    case.__dict__ |= {"loaded": loaded, "pool": board.law.pool(loaded), "folder": folder}
    return case


def _steps() -> list[tuple[str, Callable[["Case"], str]]]:
    """Return the checks of `assay verify` that need neither checkpoint nor plan, with their rules."""
    from assay.verify import digests, outputs

    return [
        ("W1", digests.check_record),
        ("W2", digests.check_track),
        ("W2", digests.check_recipe),
        ("W2", digests.check_suite),
        ("W2", digests.check_pool),
        ("W2", digests.check_seal),
        ("W2", digests.check_inputs),
        ("W4", digests.check_submission),
        ("W6", digests.check_trace),
        ("W5", digests.check_outputs),
        ("W5", outputs.check_complete),
        ("W5", outputs.check_metrics),
    ]


def _make(rule: str, check: Callable[["Case"], str], case: "Case") -> None:
    from assay.verify.report import AbsentError, DiffersError

    try:
        check(case)
    except (AbsentError, DiffersError, UserError, ValueError, TypeError, KeyError) as error:
        told = str(error).replace(str(case.folder) + "/", "")
        raise ProblemError(422, one_line(told, MAX_DETAIL), rule) from None
