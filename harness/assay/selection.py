"""A selection: a submission turned into rows of one pool, in text with spans of tokens. Nothing is copied."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.canonical import digest_bytes, digest_json
from assay.errors import SubmissionError
from assay.pool import AnyPool
from assay.submission import Submission
from assay.submission.locate import TokenSpans, locate


@dataclass(frozen=True, eq=False)
class SelectedStage:
    """What one stage trains on: (n,) arrays, in the pool's order.

    Attributes:
        share_ppm: Share of the budget, in parts per million.
        rows: Row in the pool.
        repeats: Times that one pass shows the example.
        spans: In a text pool, the tokens shown of each document, at least one.
    """

    share_ppm: int
    rows: NDArray[np.int64]
    repeats: NDArray[np.uint32]
    spans: TokenSpans | None


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

    def last_steps(self, steps: int) -> list[int]:
        """Return, for each stage, one after its last step in a run of so many."""
        shares = np.cumsum([stage.share_ppm for stage in self.stages])
        assert shares[-1] == 1_000_000, "stage shares fill the budget"
        return [int(steps * share // 1_000_000) for share in shares]


def select_rows(submission: Submission, pool: AnyPool) -> Selection:
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
        used = located.shown > 0
        if not used.any():
            raise SubmissionError(
                "S4", "a stage has no tokens or samples; there is nothing to train on"
            )
        num_dropped += int((~used).sum())
        stages.append(
            SelectedStage(
                share_ppm=stage.share_ppm,
                rows=located.rows[used],
                repeats=stage.repeats[used],
                spans=located.spans and located.spans.take(used),
            )
        )
    return Selection(tuple(stages), _digest(pool.root, stages), num_dropped)


def _digest(pool_root: str, stages: list[SelectedStage]) -> str:
    plain = [
        {
            "share_ppm": stage.share_ppm,
            "spans": digest_bytes(
                stage.rows.astype("<i8").tobytes(),
                *(stage.spans.to_bytes() if stage.spans else ()),
                stage.repeats.astype("<u4").tobytes(),
            ),
        }
        for stage in stages
    ]
    return digest_json({"pool": pool_root, "stages": plain})
