"""A selection: a submission turned into rows and token spans of one pool. Nothing is copied."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.canonical import digest_bytes, digest_json
from assay.errors import SubmissionError
from assay.pool import Pool
from assay.submission import Submission
from assay.submission.locate import locate


@dataclass(frozen=True, eq=False)
class SelectedStage:
    """What one stage trains on: (n,) arrays, in the pool's order.

    Attributes:
        share_ppm: Share of the budget, in parts per million.
        rows: Row in the pool.
        token_start: First token of the span within its document.
        token_stop: One after its last token, always more than `token_start`.
        repeats: Times that one pass shows the span.
    """

    share_ppm: int
    rows: NDArray[np.int64]
    token_start: NDArray[np.int32]
    token_stop: NDArray[np.int32]
    repeats: NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Selection:
    """What a run trains on.

    Attributes:
        stages: In order of training.
        digest: `sha256:...` over the pool's root and all arrays; it keys the order of the data.
        num_dropped: Entries left out because their document has no tokens.
    """

    stages: tuple[SelectedStage, ...]
    digest: str
    num_dropped: int


def select_rows(submission: Submission, pool: Pool) -> Selection:
    """Resolve a submission against a pool.

    Raises:
        SubmissionError: S2 (an id that the pool does not have) or S4 (a stage without tokens).
    """
    stages: list[SelectedStage] = []
    num_dropped = 0
    for stage in submission.stages:
        located = locate(stage, submission.unit, pool)
        if (located.rows < 0).any():
            row = stage.file_row(int(np.argmax(located.rows < 0)))
            raise SubmissionError(
                "S2", f"an id is not in pool {pool.name}; list them with: assay validate", row
            )
        used = located.num_tokens > 0
        if not used.any():
            raise SubmissionError("S4", "a stage has no tokens; there is nothing to train on")
        num_dropped += int((~used).sum())
        stages.append(
            SelectedStage(
                share_ppm=stage.share_ppm,
                rows=located.rows[used],
                token_start=located.token_start[used],
                token_stop=located.token_stop[used],
                repeats=stage.repeats[used],
            )
        )
    return Selection(tuple(stages), _digest(pool.root, stages), num_dropped)


def _digest(pool_root: str, stages: list[SelectedStage]) -> str:
    plain = [
        {
            "share_ppm": stage.share_ppm,
            "spans": digest_bytes(
                stage.rows.astype("<i8").tobytes(),
                stage.token_start.astype("<i4").tobytes(),
                stage.token_stop.astype("<i4").tobytes(),
                stage.repeats.astype("<u4").tobytes(),
            ),
        }
        for stage in stages
    ]
    return digest_json({"pool": pool_root, "stages": plain})
