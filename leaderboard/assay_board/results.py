"""A run's result that somebody hands in: believed in nothing, held against the law, computed again.

Whoever hands in a result can say that a run gave these per-item outputs, and nothing else: every metric is
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
from assay_board.context import Board
from assay_board.database import Submission
from assay_board.plausible import check_plausible
from assay_board.problems import ProblemError
from assay_board.text import one_line

if TYPE_CHECKING:
    from assay.verify.case import Case

MAX_RECORD_BYTES = 1 << 20
MAX_TRACE_BYTES = 64 << 20
MAX_OUTPUTS_BYTES = 1 << 30
"""Decoded."""
MAX_TEXT = 4000
MAX_DETAIL = 500
OUTPUTS, TRACE = "outputs.parquet", "trace.npy"
FIELDS = {
    "format", "kind", "submission", "track", "seed", "seed_source", "digests", "training", "metrics",
    "software", "device", "clock", "result_digest", "digest",
}  # fmt: skip


@dataclass(frozen=True)
class Result:
    """What is handed in.

    Attributes:
        record: JSON.
        outputs: Parquet; None where nothing is kept but the record.
        trace: A `.npy`; there where `outputs` is.
    """

    record: BinaryIO
    outputs: BinaryIO | None = None
    trace: BinaryIO | None = None


@contextmanager
def received(board: Board, result: Result) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Put the parts into a folder of their own, which goes when the block ends; yield it and the record.

    Raises:
        ProblemError: W1, if a part is too large, or the record is none.
    """
    folder = board.settings.folder / "incoming" / secrets.token_hex(8)
    folder.mkdir(parents=True)
    try:
        _store(result.record, folder / "record.json", MAX_RECORD_BYTES)
        if result.outputs is not None:
            _store(result.outputs, folder / OUTPUTS, board.settings.max_result_bytes)
        if result.trace is not None:
            _store(result.trace, folder / TRACE, MAX_TRACE_BYTES)
        yield folder, _read_record(folder / "record.json")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep(board: Board, record: dict[str, Any], folder: Path) -> None:
    """Keep outputs and trace, so that metrics can be computed again without the model."""
    target = board.result_folder(record["digest"])
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        (folder / "record.json").unlink()
        folder.rename(target)


def check_same(rule: str, claimed: Any, found: Any, what: str) -> None:
    """Refuse a record that says something else than the server has.

    Raises:
        ProblemError: With that rule.
    """
    # To Python, False is 0 and 1 is 1.0; to a digest they are not.
    if canonical_json(claimed) != canonical_json(found):
        raise ProblemError(422, what, rule)


def check_result(
    board: Board, submission: Submission, folder: Path, record: dict[str, Any]
) -> "Case":
    """Hold a record against its submission and the law, and compute its numbers again from its outputs.

    Without outputs its numbers are only looked at: they could be those of a run.

    Returns:
        The record as `assay verify` sees it, for further checks.

    Raises:
        ProblemError: W1, W2 or W4 to W6 for what does not hold.
    """
    loaded = board.law.scale(submission.track, submission.scale)
    track, claimed = record["track"], record["submission"]
    for rule, said, found, name in (
        ("W2", track["name"], submission.track, "track"),
        ("W2", track["scale"], submission.scale, "scale"),
        ("W2", track["seal"], submission.seal, "seal"),
        ("W2", track["sealed"], loaded.sealed, "sealed"),
        ("W2", record["digests"]["pool"], submission.pool, "pool"),
        ("W4", claimed["digest"], submission.digest, "submission"),
        ("W4", _declared(claimed["manifest"], submission),
         _declared(submission.manifest, submission), "manifest"),
    ):  # fmt: skip
        check_same(
            rule, said, found, f"{name} is not the one of this submission; start the run anew"
        )
    has_outputs = (folder / OUTPUTS).is_file()
    if has_outputs:
        _measure(folder / OUTPUTS)
    case = _case(board, loaded, folder, record)
    for rule, check in _steps(has_outputs):
        make_check(rule, check, case)
    return case


def make_check(rule: str, check: Callable[["Case"], Any], case: "Case") -> None:
    """Make a check of `assay verify`.

    Raises:
        ProblemError: With that rule, if it fails or cannot be made here.
    """
    from assay.verify.report import AbsentError, DiffersError

    try:
        check(case)
    except (
        AbsentError, DiffersError, UserError, ValueError, TypeError, KeyError, ArithmeticError,
    ) as error:  # fmt: skip
        told = str(error).replace(str(case.folder) + "/", "")
        raise ProblemError(422, one_line(told, MAX_DETAIL), rule) from None


def _declared(manifest: dict[str, Any], submission: Submission) -> dict[str, Any]:
    """Return a manifest with the two fields that follow from the list, where nobody wrote them down."""
    known = {"unit": submission.unit, "digest": submission.digest}
    return manifest | {name: manifest.get(name) or value for name, value in known.items()}


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


def _steps(has_outputs: bool) -> list[tuple[str, Callable[["Case"], Any]]]:
    """Return the checks of `assay verify` that need neither checkpoint nor plan, with their rules."""
    from assay.verify import digests, outputs

    law = [
        ("W1", digests.check_record),
        ("W2", digests.check_track),
        ("W2", digests.check_recipe),
        ("W2", digests.check_suite),
        ("W2", digests.check_pool),
        ("W2", digests.check_seal),
        ("W2", digests.check_inputs),
        ("W4", digests.check_submission),
    ]
    numbers = [
        ("W6", digests.check_trace),
        ("W5", digests.check_outputs),
        ("W5", outputs.check_complete),
        ("W5", outputs.check_metrics),
    ]
    # What is computed again is right, whatever it is; the rest of a record only has to make sense.
    return [*law, *(numbers if has_outputs else []), ("W1", check_plausible)]
