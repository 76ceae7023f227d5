"""Text and CSV lists, plain or compressed: streamed under caps, so that no bomb goes off."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import SubmissionError
from assay.pool.uid import UID_DTYPE, uids_from_bytes
from assay.submission.entries import Entries
from assay.submission.ids import parse_ids

COLUMNS = ("uid", "repeats", "stage", "share")
"""What a tabular list may have; `uid` it must."""

MAX_LINE_BYTES = 128
MAX_RATIO = 100  # zstd halves a list of random ids, and brings one of chunk ids to a twentieth
_BLOCK_BYTES = 1 << 20
_UID_LINE_BYTES = 33  # 32 hex digits and a line feed
_NUMBER_RULES = {"repeats": "S3", "stage": "S1", "share": "S4"}

Columns = dict[str, NDArray[Any]]


def read_lines(path: Path, *, is_csv: bool, max_entries: int) -> Entries:
    """Read text (a uid and, if wanted, its repeats on a line) or CSV (a header, then columns).

    Raises:
        SubmissionError: F4 (a cap, or a damaged stream), S1 (no id), S3 or S4 (no number).
    """
    blocks = _blocks(path)
    names: tuple[str, ...] = ()
    line_number = 1
    num_entries = 0
    parts: list[Columns] = []
    for block in blocks:
        if is_csv and line_number == 1:
            header, _, block = block.partition(b"\n")
            names = _csv_columns(path, header)
            line_number = 2
        num_lines = block.count(b"\n")
        num_entries += num_lines
        if num_entries > max_entries:
            raise SubmissionError(
                "F4", f"{path.name} has more than {max_entries:,} lines, the most that fit here"
            )
        if num_lines:
            parts.append(_parse_block(block, names, line_number))
        line_number += num_lines
    return _join(parts, first_row=2 if is_csv else 1)


def _join(parts: list[Columns], first_row: int) -> Entries:
    """Put blocks together; text may give repeats on some lines only."""
    present = {name for part in parts for name in part}
    if "chunks" in present and not all("chunks" in part for part in parts):
        raise SubmissionError("S1", "some ids have a chunk number (uid#k) and some have none")
    if "repeats" in present:
        for part in parts:
            part.setdefault("repeats", np.ones(len(part["uids"]), dtype=np.int64))
    if not parts:
        return Entries(uids=np.empty(0, dtype=UID_DTYPE), first_row=first_row)
    joined: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts]) for name in present
    }
    return Entries(**joined, first_row=first_row)


@contextmanager
def _decoded(path: Path) -> Iterator[Any]:
    """Open a plain or compressed file for reading its decoded bytes."""
    codec = {".zst": "zstd", ".gz": "gzip"}.get(path.suffix.lower())
    if codec is None:
        with path.open("rb") as stream:
            yield stream
        return
    import pyarrow as pa

    # pyarrow's reader takes a stream that was cut short for an error; zstandard's takes it for an end
    with pa.OSFile(str(path)) as raw, pa.CompressedInputStream(raw, codec) as stream:
        yield stream


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield decoded text in blocks of whole lines, each line ended by a line feed."""
    cap = _BLOCK_BYTES + MAX_RATIO * path.stat().st_size
    buffer = bytearray(_BLOCK_BYTES)
    num_decoded = 0
    rest = b""
    with _decoded(path) as stream:
        while block := _read_block(stream, buffer, path):
            num_decoded += len(block)
            if num_decoded > cap:
                raise SubmissionError(
                    "F4", f"{path.name} unpacks to over {MAX_RATIO} times its size; no id list does"
                )
            head, line_feed, tail = block.rpartition(b"\n")
            if line_feed:
                yield _clean(rest + head + line_feed)
                rest = tail
            else:
                rest += block
            if len(rest) > MAX_LINE_BYTES:
                raise SubmissionError(
                    "F4", f"{path.name} has a line of over {MAX_LINE_BYTES} bytes"
                )
    if rest:
        yield _clean(rest + b"\n")


def _clean(block: bytes) -> bytes:
    """Drop what Windows editors add: a byte order mark, carriage returns."""
    return block.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


def _read_block(stream: Any, buffer: bytearray, path: Path) -> bytes:
    try:
        return bytes(buffer[: stream.readinto(buffer)])  # pyarrow's `read` leaks where it fails
    except OSError as error:
        reason = " ".join(str(error).split())
        raise SubmissionError("F4", f"{path.name} is damaged: {reason}; copy it again") from None


def _csv_columns(path: Path, header: bytes) -> tuple[str, ...]:
    names = header.decode("ascii", "replace").replace('"', "").replace(" ", "").split(",")
    if "uid" not in names or not set(names) <= set(COLUMNS) or len(set(names)) != len(names):
        raise SubmissionError(
            "F4",
            f"{path.name}: the first line must be a header: `uid`, and where wanted "
            f"{', '.join(f'`{name}`' for name in COLUMNS if name != 'uid')}; got {','.join(names)[:80]!r}",
            1,
        )
    return tuple(names)


def _parse_block(block: bytes, names: tuple[str, ...], first_line: int) -> Columns:
    """Parse whole lines; `names` are the columns of a CSV file, none for text."""
    if not names and (uids := _bare_uids(block)) is not None:
        return {"uids": uids}
    lines = block.decode("ascii", "replace").split("\n")[:-1]
    for row, line in enumerate(lines):
        if len(line) > MAX_LINE_BYTES:
            raise SubmissionError(
                "F4", f"a line of over {MAX_LINE_BYTES} bytes is no id", first_line + row
            )
    table = _csv_table(lines, names, first_line) if names else _text_table(lines, first_line)
    uids, chunks = parse_ids(table.pop("uid"), first_line)
    parsed: Columns = {"uids": uids}
    if chunks is not None:
        parsed["chunks"] = chunks
    for name, texts in table.items():
        parsed[name] = _numbers(texts, name, first_line)
    return parsed


def _bare_uids(block: bytes) -> NDArray[np.void] | None:
    """Parse a block of nothing but 32-digit lines at once; None where it is something else."""
    num_lines, rest = divmod(len(block), _UID_LINE_BYTES)
    if rest or block[_UID_LINE_BYTES - 1 :: _UID_LINE_BYTES] != b"\n" * num_lines:
        return None
    try:
        raw = bytes.fromhex(block.decode("ascii"))
    except ValueError:
        return None
    return uids_from_bytes(raw) if len(raw) == 16 * num_lines else None


def _text_table(lines: list[str], first_line: int) -> dict[str, list[str]]:
    fields = [line.split() for line in lines]
    for row, field in enumerate(fields):
        if len(field) not in (1, 2):
            raise SubmissionError(
                "S1", f"a line is `uid` or `uid repeats`, got {lines[row][:60]!r}", first_line + row
            )
    table = {"uid": [field[0] for field in fields]}
    if any(len(field) == 2 for field in fields):
        table["repeats"] = [field[1] if len(field) == 2 else "1" for field in fields]
    return table


def _csv_table(lines: list[str], names: tuple[str, ...], first_line: int) -> dict[str, list[str]]:
    fields = [line.replace('"', "").split(",") for line in lines]
    for row, field in enumerate(fields):
        if len(field) != len(names):
            raise SubmissionError(
                "S1",
                f"a line has columns {','.join(names)}, got {lines[row][:60]!r}",
                first_line + row,
            )
    return {name: [field[i].strip() for field in fields] for i, name in enumerate(names)}


def _numbers(texts: list[str], name: str, first_line: int) -> NDArray[Any]:
    """Parse a column of integers, or of fractions for `share`."""
    for row, text in enumerate(texts):
        digits = text.replace(".", "", 1).replace("e-", "", 1) if name == "share" else text
        if not (digits.isdecimal() and len(text) <= 24):
            expected = "a fraction such as 0.25" if name == "share" else "an integer"
            raise SubmissionError(
                _NUMBER_RULES[name], f"{name} is {expected}, got {text[:30]!r}", first_line + row
            )
    if name == "share":
        return np.array(texts, dtype=np.float64)
    return np.array([min(int(text), 2**63 - 1) for text in texts], dtype=np.int64)
