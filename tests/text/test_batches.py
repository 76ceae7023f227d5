from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.order import drawn_order
from assay.selection import SelectedStage, Selection
from assay.submission.locate import TokenSpans
from assay.text.batches import StageStream, WindowPlan

EOS = 0


class ListPool:
    """Documents of distinct tokens: document d has tokens 1000 d + 1, 1000 d + 2, ..."""

    eos_id = EOS

    def __init__(self, lengths: list[int]):
        self.documents = [
            1000 * d + 1 + np.arange(n, dtype=np.uint16) for d, n in enumerate(lengths)
        ]

    def tokens(self, row: int) -> np.ndarray:
        return self.documents[row]


def stage(
    lengths: list[int], repeats: list[int] | None = None, share_ppm: int = 1_000_000
) -> SelectedStage:
    n = len(lengths)
    return SelectedStage(
        share_ppm=share_ppm,
        rows=np.arange(n),
        repeats=np.array(repeats or [1] * n, dtype=np.uint32),
        spans=TokenSpans(np.zeros(n, dtype=np.int32), np.array(lengths, dtype=np.int32)),
    )


def plan(
    lengths: list[int],
    *,
    seed: int = 1,
    steps: int = 4,
    stages: tuple | None = None,
    digest: str = "d",
) -> WindowPlan:
    return WindowPlan(
        ListPool(lengths),  # type: ignore[arg-type]
        Selection(stages or (stage(lengths),), digest, 0),
        seed=seed,
        steps=steps,
        windows_per_step=4,
        context_length=8,
    )


def all_windows(p: WindowPlan, steps: int = 4) -> np.ndarray:
    return np.concatenate([p.windows(step, 0, 4) for step in range(steps)])


LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=12)


@given(LENGTHS, st.integers(0, 100))
@settings(max_examples=50)
def test_an_epoch_holds_every_token_once_and_an_end_after_every_document(
    lengths: list[int], seed: int
) -> None:
    pool = ListPool(lengths)
    stream = StageStream(pool, stage(lengths), f"k{seed}")  # type: ignore[arg-type]
    out = np.empty(stream.epoch_tokens, dtype=np.int64)
    for epoch in (0, 1):
        stream.read(epoch * stream.epoch_tokens, out)
        expected = Counter(int(t) for d in pool.documents for t in d) + Counter({EOS: len(lengths)})
        assert Counter(out.tolist()) == expected
        runs = np.split(out, np.flatnonzero(out == EOS) + 1)[:-1]
        assert sorted(run[:-1].tolist() for run in runs) == sorted(
            d.tolist() for d in pool.documents
        )


@given(LENGTHS, st.integers(0, 300), st.integers(1, 60))
@settings(max_examples=50)
def test_reading_in_pieces_is_reading_at_once(
    lengths: list[int], position: int, count: int
) -> None:
    stream = StageStream(ListPool(lengths), stage(lengths), "k")  # type: ignore[arg-type]
    whole, piece = np.empty(count, dtype=np.int64), np.empty(1, dtype=np.int64)
    stream.read(position, whole)
    for i in range(count):
        stream.read(position + i, piece)
        assert piece[0] == whole[i]


def test_weights_repeat_a_document_within_each_epoch() -> None:
    lengths = [3, 4, 5]
    stream = StageStream(ListPool(lengths), stage(lengths, [1, 3, 2]), "k")  # type: ignore[arg-type]
    out = np.empty(stream.epoch_tokens, dtype=np.int64)
    stream.read(0, out)
    counts = Counter(out.tolist())
    assert (counts[1], counts[1001], counts[2001]) == (1, 3, 2)


def test_a_span_shows_its_tokens_only() -> None:
    spans = SelectedStage(
        share_ppm=1_000_000,
        rows=np.array([0]),
        repeats=np.array([1], dtype=np.uint32),
        spans=TokenSpans(np.array([2], dtype=np.int32), np.array([5], dtype=np.int32)),
    )
    out = np.empty(8, dtype=np.int64)
    StageStream(ListPool([9]), spans, "k").read(0, out)  # type: ignore[arg-type]
    assert out.tolist() == [3, 4, 5, EOS, 3, 4, 5, EOS]


@given(LENGTHS)
@settings(max_examples=25)
def test_windows_depend_on_selection_seed_and_step_alone(lengths: list[int]) -> None:
    windows = all_windows(plan(lengths))
    again = plan(lengths)
    backwards = np.concatenate([again.windows(s, 0, 4) for s in (3, 2, 1, 0)][::-1])
    split = np.concatenate([again.windows(s, i, i + 1) for s in range(4) for i in range(4)])
    assert (windows == backwards).all()
    assert (windows == split).all()


def test_another_seed_or_selection_has_another_order() -> None:
    lengths = [7] * 40
    base = all_windows(plan(lengths))
    assert (all_windows(plan(lengths, seed=2)) != base).any()
    assert (all_windows(plan(lengths, digest="e")) != base).any()


def test_a_window_ends_with_the_first_token_of_the_one_that_follows_it_in_the_stream() -> None:
    windows = all_windows(plan([5, 9, 30], steps=4))
    firsts = set(windows[:, 0].tolist())
    assert sum(int(last) in firsts for last in windows[:, -1]) >= len(windows) - 1


def test_stages_share_the_budget_in_their_order() -> None:
    early = SelectedStage(
        750_000,
        np.array([0]),
        np.ones(1, np.uint32),
        TokenSpans(np.zeros(1, np.int32), np.array([50], np.int32)),
    )
    late = SelectedStage(
        250_000,
        np.array([1]),
        np.ones(1, np.uint32),
        TokenSpans(np.zeros(1, np.int32), np.array([50], np.int32)),
    )
    staged = plan([50, 50], stages=(early, late))
    for step in range(4):
        seen = staged.windows(step, 0, 4)
        assert ((seen > 1000) == (step == 3))[seen != EOS].all()


def test_the_drawn_order_is_the_same_on_every_machine() -> None:
    assert drawn_order(8, "assay", 1).tolist() == EXPECTED
    assert sorted(drawn_order(1000, "x").tolist()) == list(range(1000))


EXPECTED = [4, 6, 1, 3, 5, 0, 7, 2]
