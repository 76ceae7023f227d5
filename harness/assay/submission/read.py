"""Read a submission from a file that nobody vouches for: bounded memory, no pickle, no archive."""

from pathlib import Path

from assay.errors import SubmissionError
from assay.submission.entries import Entries, assemble
from assay.submission.form import Submission, Unit
from assay.submission.lines import read_lines
from assay.submission.manifest import read_manifest, sidecar_path
from assay.submission.npy import read_npy
from assay.submission.parquet import read_parquet

MAX_ENTRIES = 200_000_000
"""Entries that a file may have where the caller knows no pool to derive a bound from."""

_BYTES_PER_ENTRY = 128  # more than any format needs: the longest CSV line stays below
_SLACK_BYTES = 1 << 16

MAGIC = {
    ".npy": b"\x93NUMPY",
    ".parquet": b"PAR1",
    ".zst": b"\x28\xb5\x2f\xfd",
    ".gz": b"\x1f\x8b",
}
FORMATS = (".npy", ".parquet", ".txt", ".txt.zst", ".txt.gz", ".csv", ".csv.zst", ".csv.gz")


def read_submission(
    path: Path, *, unit: Unit | None = None, max_entries: int = MAX_ENTRIES
) -> Submission:
    """Read an id list of any accepted format into canonical form.

    Args:
        path: `.npy`, `.parquet`, `.txt` or `.csv`, the last two also with `.zst` or `.gz`.
        unit: What chunk ids count; None takes what the manifest beside the file says.
        max_entries: Larger files are refused before they are read.

    Raises:
        SubmissionError: F1 to F4 (the file), S1, S3 or S4 (what it says) or M1 (its manifest).
    """
    if unit is None and sidecar_path(path).exists():
        unit = read_manifest(sidecar_path(path)).unit
    submission, findings = assemble(read_entries(path, max_entries), unit)
    if findings:
        raise SubmissionError(findings[0].rule, findings[0].message, findings[0].row)
    return submission


def read_entries(path: Path, max_entries: int = MAX_ENTRIES) -> Entries:
    """Read the columns of a file, in file order.

    Raises:
        SubmissionError: F1 to F4, or S1 and S3 for an entry that cannot be parsed.
    """
    format_ = format_of(path)
    _check_file(path, format_, max_entries)
    if format_ == ".npy":
        return read_npy(path)
    if format_ == ".parquet":
        return read_parquet(path, max_entries)
    return read_lines(path, is_csv=".csv" in format_, max_entries=max_entries)


def format_of(path: Path) -> str:
    """Return the suffix that says the format, such as `.txt.zst`.

    Raises:
        SubmissionError: F1, if it is not one of `FORMATS`.
    """
    matching = [suffix for suffix in FORMATS if path.name.lower().endswith(suffix)]
    if not matching:
        raise SubmissionError(
            "F1", f"{path.name}: formats are {' '.join(FORMATS)}; rename or convert the list"
        )
    return max(matching, key=len)


def _check_file(path: Path, format_: str, max_entries: int) -> None:
    """Check size and first bytes before anything is read."""
    if not path.is_file():
        raise SubmissionError("F1", f"{path} is not a file; make one with: assay select")
    size = path.stat().st_size
    largest = _SLACK_BYTES + max_entries * _BYTES_PER_ENTRY
    if size > largest:
        raise SubmissionError(
            "F1",
            f"{path.name} has {size:,} bytes; a list of {max_entries:,} ids, the most that "
            f"fit here, has fewer than {largest:,}",
        )
    with path.open("rb") as stream:
        head = stream.read(8)
    expected = MAGIC.get("." + format_.rsplit(".", 1)[1])
    if expected is None:
        looks = next((suffix for suffix, magic in MAGIC.items() if head.startswith(magic)), None)
        if looks:
            raise SubmissionError(
                "F1", f"{path.name} is not text; by its first bytes it is {looks}"
            )
    elif not head:
        raise SubmissionError("F1", f"{path.name} is empty")
    elif not head.startswith(expected):
        raise SubmissionError(
            "F1", f"{path.name} does not start like {format_}; its first bytes are {head.hex()}"
        )
