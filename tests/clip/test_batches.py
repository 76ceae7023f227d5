"""Which pairs a run sees: exactly its budget, in an order that nothing but the plan decides."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.clip.batches import PairPlan
from assay.selection import SelectedStage, Selection


def stage(rows: list[int], repeats: list[int] | None = None, share: int = 1_000_000):
    return SelectedStage(
        share_ppm=share,
        rows=np.array(rows, dtype=np.int64),
        repeats=np.array(repeats or [1] * len(rows), dtype=np.uint32),
        spans=None,
    )


def plan(*stages: SelectedStage, seed: int = 3, steps: int = 6, batch_size: int = 4) -> PairPlan:
    selection = Selection(stages, "sha256:abc", 0)
    return PairPlan(selection, seed=seed, steps=steps, batch_size=batch_size)


def all_rows(of: PairPlan) -> list[int]:
    return np.concatenate([of.rows(step) for step in range(of.steps)]).tolist()


@given(n=st.integers(1, 30), steps=st.integers(1, 9), batch=st.integers(1, 8), data=st.data())
@settings(max_examples=60)
def test_every_epoch_shows_each_pair_as_often_as_it_is_listed(n, steps, batch, data):
    repeats = data.draw(st.lists(st.integers(1, 3), min_size=n, max_size=n))
    seen = all_rows(plan(stage(list(range(n)), repeats), steps=steps, batch_size=batch))
    assert len(seen) == steps * batch
    epoch = sum(repeats)
    listed = Counter(dict(enumerate(repeats)))
    for start in range(0, len(seen), epoch):
        shown = Counter(seen[start : start + epoch])
        whole = start + epoch <= len(seen)
        assert shown == listed if whole else not shown - listed


def test_a_step_can_be_asked_for_alone_and_in_any_order():
    of = plan(stage(list(range(7))))
    forward = [of.rows(step).tolist() for step in range(6)]
    again = plan(stage(list(range(7))))
    assert [again.rows(step).tolist() for step in reversed(range(6))] == forward[::-1]
    assert of.words(4).tolist() == again.words(4).tolist() != of.words(5).tolist()


def test_seeds_and_selections_draw_other_orders():
    rows = list(range(50))
    one, other = all_rows(plan(stage(rows))), all_rows(plan(stage(rows), seed=4))
    assert one != other
    assert sorted(one[:24]) != one[:24]


def test_stages_follow_each_other_at_their_shares():
    early, late = stage([0, 1], share=500_000), stage([7, 8, 9], share=500_000)
    seen = all_rows(plan(early, late))
    assert set(seen[:12]) == {0, 1}
    assert set(seen[12:]) == {7, 8, 9}
