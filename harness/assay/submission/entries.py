"""From what a file says, entry by entry, to the canonical form."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.errors import SubmissionError
from assay.pool.uid import UID_DTYPE, uids_to_hex
from assay.submission.form import PPM, UNITS, Finding, Stage, Submission, Unit, shares_in_ppm

MAX_STAGES = 1000
MAX_REPORTED = 10
"""How many offending rows of one kind are listed; the message has the full count."""

_WEIGHTS_HINT = "to repeat an example, list it once with a `repeats` column (Parquet, CSV or text)"


@dataclass(frozen=True)
class Entries:
    """Columns of a file, all (n,) and in file order; None where the file has no such column.

    Attributes:
        uids: `UID_DTYPE`.
        chunks: Number of a chunk within its document.
        repeats: Times that one pass shows the entry.
        stage: Stage number.
        share: Share of the budget of the entry's stage.
        first_row: What the file's format calls its first entry (see `Finding.row`).
    """

    uids: NDArray[np.void]
    chunks: NDArray[np.int64] | None = None
    repeats: NDArray[np.int64] | None = None
    stage: NDArray[np.int64] | None = None
    share: NDArray[np.float64] | None = None
    first_row: int = 0


def assemble(entries: Entries, unit: Unit | None) -> tuple[Submission, list[Finding]]:
    """Bring entries into canonical form.

    Args:
        entries: What the file says.
        unit: What chunk numbers count; None where nobody said, which is fine for documents.

    Returns:
        The submission, with repeated entries removed, and an `S3` finding for each of the first
        `MAX_REPORTED` of them.

    Raises:
        SubmissionError: S1 (empty, unit unknown, stages malformed), S3 (repeats that are no positive
            integers) or S4 (shares that do not add up).
    """
    if not len(entries.uids):
        raise SubmissionError("S1", "the list is empty; a submission names at least one example")
    chosen_unit = _check_unit(entries, unit)
    _check_range(entries, entries.chunks, 0, 2**31 - 1, "S1", "chunk numbers")
    _check_range(entries, entries.repeats, 1, 2**32 - 1, "S3", "repeats")
    shares = _stage_shares(entries)
    order = _canonical_order(entries)
    findings: list[Finding] = []
    repeated = _repeated_entries(entries, order)
    if repeated.any():
        twice = np.arange(len(entries.uids)) if order is None else order
        findings = _duplicate_findings(entries, np.sort(twice[repeated]))
        order = twice[~repeated]
    stages = _split(entries, order, shares)
    return Submission(unit=chosen_unit, stages=stages), findings


def submission_of(
    uids: NDArray[np.void],
    *,
    repeats: NDArray[np.integer] | None = None,
    chunks: NDArray[np.integer] | None = None,
    unit: Unit = "document",
) -> Submission:
    """Make a one-stage submission from arrays, in any order.

    Args:
        uids: (n,) `UID_DTYPE`, such as `pool.uids[rows]`.
        repeats: (n,) how often one pass shows each; None for once.
        chunks: (n,) chunk numbers, where `unit` is a chunk.
        unit: What an entry names.

    Raises:
        SubmissionError: S1 or S3, as for a file.
    """
    entries = Entries(
        uids=np.asarray(uids),
        repeats=None if repeats is None else np.asarray(repeats, dtype=np.int64),
        chunks=None if chunks is None else np.asarray(chunks, dtype=np.int64),
    )
    submission, findings = assemble(entries, unit)
    if findings:
        raise SubmissionError(findings[0].rule, findings[0].message, findings[0].row)
    return submission


def staged(given: Sequence[tuple[float, Submission | NDArray[np.void]]]) -> Submission:
    """Put ids, or one-stage submissions, one after another, each with its share of the budget.

    Raises:
        SubmissionError: S1 (a part is itself staged, or units differ) or S4 (shares do not add up).
    """
    parts = [
        (share, part if isinstance(part, Submission) else submission_of(part))
        for share, part in given
    ]
    units = {part.unit for _, part in parts}
    if len(units) != 1 or any(len(part.stages) != 1 for _, part in parts):
        raise SubmissionError("S1", "stages are one-stage submissions that share one unit")
    shares = _ppm([share for share, _ in parts])
    stages = tuple(
        Stage(ppm, part.stages[0].uids, part.stages[0].repeats, part.stages[0].chunks)
        for ppm, (_, part) in zip(shares, parts, strict=True)
    )
    return Submission(unit=parts[0][1].unit, stages=stages)


def _check_unit(entries: Entries, unit: Unit | None) -> Unit:
    if unit is not None and unit not in UNITS:
        raise SubmissionError("S1", f"unit {unit!r} is unknown; units are {', '.join(UNITS)}")
    chosen: Unit = unit or "document"
    if entries.chunks is None and chosen != "document":
        raise SubmissionError(
            "S1", f"unit {unit} needs chunk ids such as <32 hex>#0; these are document ids"
        )
    if entries.chunks is not None and chosen == "document":
        raise SubmissionError(
            "S1",
            "these are chunk ids (uid#k) and nothing says chunks of what; add "
            f"--unit {'|'.join(UNITS[1:])}",
        )
    return chosen


def _check_range(
    entries: Entries, values: NDArray[np.int64] | None, low: int, high: int, rule: str, what: str
) -> None:
    if values is None:
        return
    wrong = np.flatnonzero((values < low) | (values > high))
    if len(wrong):
        row = int(wrong[0])
        raise SubmissionError(
            rule,
            f"{what} are integers from {low} to {high}, got {int(values[row])} "
            f"({len(wrong)} such entries)",
            row + entries.first_row,
        )


def _ppm(shares: Sequence[float]) -> tuple[int, ...]:
    try:
        return shares_in_ppm(shares)
    except ValueError as error:
        raise SubmissionError("S4", str(error)) from None


def _stage_shares(entries: Entries) -> tuple[int, ...]:
    """Return the share of every stage in parts per million."""
    if entries.stage is None and entries.share is None:
        return (PPM,)
    if entries.stage is None or entries.share is None:
        raise SubmissionError("S1", "columns `stage` and `share` come together; add the other one")
    _check_range(entries, entries.stage, 0, MAX_STAGES - 1, "S1", "stages")
    present, first, of_entry = np.unique(entries.stage, return_index=True, return_inverse=True)
    if not np.array_equal(present, np.arange(len(present))):
        raise SubmissionError(
            "S1", f"stages are numbered 0, 1, 2, ..., got {present[:10].tolist()}"
        )
    shares = entries.share[first]
    wrong = np.flatnonzero(entries.share != shares[of_entry])
    if len(wrong):
        row = int(wrong[0])
        raise SubmissionError(
            "S4",
            f"stage {entries.stage[row]} has shares {shares[of_entry[row]]} and {entries.share[row]}; "
            "give all its rows the same",
            row + entries.first_row,
        )
    return _ppm(shares.tolist())


def _canonical_order(entries: Entries) -> NDArray[np.int64] | None:
    """Return the permutation that sorts by stage, uid and chunk; None where that is the file's order."""
    high, low = entries.uids["f0"], entries.uids["f1"]
    if entries.stage is None and entries.chunks is None:
        above = (high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] >= low[:-1]))
        if above.all():
            return None
    keys = [key for key in (entries.chunks, low, high, entries.stage) if key is not None]
    return np.lexsort(keys).astype(np.int64)


def _repeated_entries(entries: Entries, order: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    """Mark, in canonical order, every entry that equals the one before it."""
    repeated = np.zeros(len(entries.uids), dtype=bool)
    keys = (entries.uids["f0"], entries.uids["f1"], entries.chunks, entries.stage)
    equal = np.ones(len(entries.uids) - 1, dtype=bool)
    for key in keys:
        if key is not None:
            column = key if order is None else key[order]
            equal &= column[1:] == column[:-1]
    repeated[1:] = equal
    return repeated


def _duplicate_findings(entries: Entries, repeated: NDArray[np.int64]) -> list[Finding]:
    shown = repeated[:MAX_REPORTED]
    return [
        Finding(
            "S3",
            f"id {uid} was listed before ({len(repeated)} such rows); {_WEIGHTS_HINT}",
            int(row) + entries.first_row,
        )
        for row, uid in zip(shown, uids_to_hex(entries.uids[shown]), strict=True)
    ]


def _split(
    entries: Entries, order: NDArray[np.int64] | None, shares: tuple[int, ...]
) -> tuple[Stage, ...]:
    """Cut the ordered columns into stages."""

    def ordered(column: NDArray | None) -> NDArray | None:
        return column if column is None or order is None else column[order]

    uids = entries.uids if order is None else entries.uids[order]
    repeats, chunks, stage = map(ordered, (entries.repeats, entries.chunks, entries.stage))
    file_rows = order
    if order is None and entries.first_row:
        file_rows = np.arange(len(uids))
    if file_rows is not None:
        file_rows = file_rows + entries.first_row
    bounds = [0, len(uids)]
    if stage is not None:
        bounds = np.searchsorted(stage, np.arange(len(shares) + 1)).tolist()
    return tuple(
        Stage(
            share_ppm=share,
            uids=np.ascontiguousarray(uids[start:stop], dtype=UID_DTYPE),
            repeats=_as_u4(repeats, start, stop),
            chunks=None if chunks is None else chunks[start:stop].astype(np.int32),
            file_rows=None if file_rows is None else file_rows[start:stop],
        )
        for share, start, stop in zip(shares, bounds[:-1], bounds[1:], strict=True)
    )


def _as_u4(repeats: NDArray[np.int64] | None, start: int, stop: int) -> NDArray[np.uint32]:
    if repeats is None:
        return np.ones(stop - start, dtype=np.uint32)
    return repeats[start:stop].astype(np.uint32)
