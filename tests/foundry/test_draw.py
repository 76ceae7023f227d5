from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from assay.foundry.draw import Draw


def test_the_stream_is_pinned() -> None:
    draw = Draw("pinned", 7)
    assert [draw.below(1 << 32) for _ in range(3)] == [235315768, 3594883915, 2460351308]


def test_names_and_indices_are_independent_streams() -> None:
    streams = {
        tuple(Draw(name, index).below(1 << 32) for _ in range(1))
        for name in ("a", "b")
        for index in range(50)
    }
    assert len(streams) == 100


def test_a_stream_goes_on_past_its_first_block() -> None:
    draw = Draw("long")
    words = [draw.below(1 << 32) for _ in range(1000)]
    assert len(set(words)) == 1000


@given(st.integers(1, 1 << 32), st.integers(0, 1000))
def test_a_draw_below_a_bound_is_below_it(bound: int, index: int) -> None:
    draw = Draw("bound", index)
    assert all(0 <= draw.below(bound) < bound for _ in range(5))


@given(st.lists(st.integers()), st.integers(0, 1000))
def test_a_shuffle_keeps_what_it_shuffles(items: list[int], index: int) -> None:
    shuffled = list(items)
    Draw("shuffle", index).shuffle(shuffled)
    assert Counter(shuffled) == Counter(items)


def test_weights_are_kept_to() -> None:
    draw = Draw("weights")
    counts = Counter(draw.weighted((1, 1, 10)) for _ in range(10_000))
    assert counts[1] == 0, "a weight of nothing is never drawn"
    assert abs(counts[0] - 1000) < 150
    assert counts[0] + counts[2] == 10_000


def test_a_sample_has_no_position_twice() -> None:
    assert sorted(Draw("sample").sample(range(20), 20)) == list(range(20))


def test_fractions_lie_in_the_unit_interval_and_fill_it() -> None:
    draw = Draw("fraction")
    values = [draw.fraction() for _ in range(5000)]
    assert 0 <= min(values) < 0.01
    assert 0.99 < max(values) < 1
    assert abs(sum(values) / 5000 - 0.5) < 0.02


def test_raw_bytes_do_not_disturb_later_streams_of_the_same_name() -> None:
    left, right = Draw("raw"), Draw("raw")
    assert left.raw(10) == right.raw(10)
    assert left.raw(10) == right.raw(10)
    assert left.below(1 << 32) == right.below(1 << 32)
