"""Printed ids into arrays: `uid`, `uid#k`, or a WARC record id."""

import numpy as np
from numpy.typing import NDArray

from assay.errors import SubmissionError
from assay.pool.uid import uids_from_bytes

_HEX = frozenset("0123456789abcdefABCDEF")


def parse_ids(
    texts: list[str], first_row: int
) -> tuple[NDArray[np.void], NDArray[np.int64] | None]:
    """Parse printed ids.

    Args:
        texts: 32 hex digits; the same followed by `#k` for chunk k of the document; or
            `<urn:uuid:...>`, as WARC-Record-ID has it.
        first_row: Row of the first text, for messages.

    Returns:
        (n,) uids, and (n,) chunk numbers or None where no id has one.

    Raises:
        SubmissionError: S1, naming the row of the first text that is none of these.
    """
    chunks = None
    if any("#" in text for text in texts):
        pairs = [text.partition("#") for text in texts]
        texts = [uid for uid, _, _ in pairs]
        chunks = _parse_chunks([k for _, _, k in pairs], first_row)
    if any(len(text) != 32 for text in texts):
        texts = [_without_urn(text) for text in texts]
    try:
        raw = bytes.fromhex("".join(texts))
    except ValueError:
        raw = b""
    # fromhex skips white space and cannot tell where one id ends, hence both checks
    if len(raw) != 16 * len(texts) or any(len(text) != 32 for text in texts):
        row = next(
            i for i, text in enumerate(texts) if len(text) != 32 or not _HEX.issuperset(text)
        )
        raise SubmissionError(
            "S1", f"a uid has 32 hex digits, got {texts[row][:60]!r}", first_row + row
        )
    return uids_from_bytes(raw), chunks


def _without_urn(text: str) -> str:
    return text.removeprefix("<urn:uuid:").removesuffix(">").replace("-", "")


def _parse_chunks(texts: list[str], first_row: int) -> NDArray[np.int64]:
    for row, text in enumerate(texts):
        if not (text.isdecimal() and len(text) <= 10):
            raise SubmissionError(
                "S1",
                f"a chunk id is uid#k with k = 0, 1, 2, ..., got #{text[:20]!r}; either every id "
                "has a chunk number or none has",
                first_row + row,
            )
    return np.array(texts, dtype=np.int64)
