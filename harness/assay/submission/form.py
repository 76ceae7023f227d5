"""A submission: which examples, how often, in which order of stages. One canonical form, one digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assay.canonical import digest_bytes, digest_json

Form = Literal["ids", "weighted", "staged"]
Unit = Literal["document", "words128", "tokens512", "tokens1024"]

UNITS: tuple[Unit, ...] = ("document", "words128", "tokens512", "tokens1024")
PPM = 1_000_000
"""Shares of the budget are whole parts per million, so that they add up exactly."""


@dataclass(frozen=True)
class Finding:
    """What validation has to say about a submission.

    Attributes:
        rule: Stable rule id, `F1` to `F4`, `S1` to `S4` or `M1`.
        message: One line: what is wrong, what was got, what to do.
        row: Row in the file as handed in, or None. In `.npy` and Parquet the first entry is row 0;
            in text and CSV it is the line number, the first line being 1, as editors show it.
        severity: An `error` refuses the submission, a `note` only informs.
    """

    rule: str
    message: str
    row: int | None = None
    severity: Literal["error", "note"] = "error"

    def plain(self) -> dict[str, Any]:
        """Return the finding as `--json` shows it."""
        return {
            "rule": self.rule,
            "message": self.message,
            "row": self.row,
            "severity": self.severity,
        }


@dataclass(frozen=True, eq=False)
class Stage:
    """One selection with its share of the budget.

    Attributes:
        share_ppm: Share of the token budget, in parts per million.
        uids: (n,) `UID_DTYPE`, sorted (by chunk within a document), no entry twice.
        repeats: (n,) times that one pass shows the entry, at least 1.
        chunks: (n,) number of the chunk within its document, or None for whole documents.
        file_rows: (n,) row of each entry in the file as handed in; None where entry i is row i.
    """

    share_ppm: int
    uids: NDArray[np.void]
    repeats: NDArray[np.uint32]
    chunks: NDArray[np.int32] | None = None
    file_rows: NDArray[np.int64] | None = None

    @cached_property
    def weighted(self) -> bool:
        """Whether one pass shows some entry more than once."""
        return bool((self.repeats > 1).any())

    def file_row(self, entry: int) -> int:
        """Return the row of an entry in the file as handed in."""
        return int(entry if self.file_rows is None else self.file_rows[entry])

    def _plain(self) -> dict[str, Any]:
        return {
            "share_ppm": self.share_ppm,
            "uids": digest_bytes(self.uids.tobytes()),
            "chunks": None if self.chunks is None else digest_bytes(self.chunks.tobytes()),
            "repeats": digest_bytes(self.repeats.tobytes()) if self.weighted else None,
        }


@dataclass(frozen=True, eq=False)
class Submission:
    """A list of examples in canonical form: equal content has an equal digest, whatever the file.

    Attributes:
        unit: What an entry names: whole documents, or frozen chunks of them.
        stages: In order of training; shares add up to `PPM`.
    """

    unit: Unit
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        assert self.stages
        assert sum(stage.share_ppm for stage in self.stages) == PPM

    @property
    def form(self) -> Form:
        """`staged` with several stages, else `weighted` where an entry repeats, else `ids`."""
        if len(self.stages) > 1:
            return "staged"
        return "weighted" if any(stage.weighted for stage in self.stages) else "ids"

    @property
    def n(self) -> int:
        """Entries over all stages, each counted as often as one pass shows it."""
        return sum(int(stage.repeats.sum(dtype=np.int64)) for stage in self.stages)

    @cached_property
    def digest(self) -> str:
        """`sha256:...` of the canonical form."""
        stages = [stage._plain() for stage in self.stages]
        return digest_json({"format": 1, "unit": self.unit, "stages": stages})


def shares_in_ppm(shares: Sequence[float]) -> tuple[int, ...]:
    """Turn fractions that add up to one into parts per million that do so exactly.

    Largest remainders are rounded up first, the earlier stage first among equals.

    Raises:
        ValueError: If a share is not positive (at least one part per million), or the sum is more
            than 1e-4 away from 1.
    """
    values = np.asarray(shares, dtype=np.float64)
    if not np.isfinite(values).all() or (values <= 0).any():
        raise ValueError(f"shares are positive fractions, got {list(shares)}")
    total = float(values.sum())
    if abs(total - 1) > 1e-4:
        raise ValueError(f"shares add up to {total:.6g}, not 1")
    exact = values / total * PPM
    ppm = np.floor(exact).astype(np.int64)
    missing = PPM - int(ppm.sum())
    ppm[np.argsort(ppm - exact, kind="stable")[:missing]] += 1
    if (ppm < 1).any():
        raise ValueError("a share is below one part per million; leave that stage out")
    return tuple(int(part) for part in ppm)
