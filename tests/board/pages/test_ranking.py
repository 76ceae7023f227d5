import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.noise import estimate_noise
from assay.stats.ranks import displayed_ranks, rank_intervals
from assay_board.pages.ranking import SEED, measure, rank_entries


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[float]]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=12))
    noise = draw(st.sampled_from([0.0, 0.01, 0.1]))
    loud = draw(st.lists(st.integers(0, 11), max_size=2))
    means = np.round(rng.normal(0, 0.1, len(sizes)), 2)
    return {
        f"s{i}": (means[i] + rng.normal(0, noise * (30 if i in loud else 1), n)).tolist()
        for i, n in enumerate(sizes)
    }


@settings(max_examples=60)
@given(tables(), st.booleans())
def test_ranks_are_those_of_the_library_that_looks_at_every_pair(
    table: dict[str, list[float]], lower: bool
) -> None:
    names = list(table)
    scores = measure(names, list(table.values()))
    found = rank_entries(scores, lower_is_better=lower)
    noise = estimate_noise(table)
    assert set(scores.noise.own) == set(noise.own)
    assert scores.noise.degrees == noise.degrees
    assert (scores.noise.sd or 0) == pytest.approx(noise.sd or 0, abs=1e-12)
    known = all(noise.variance(name) is not None for name in names)
    ranks = displayed_ranks(noise, lower_is_better=lower) if known else None
    assert found.rank.tolist() == ([ranks[n] for n in names] if ranks else [0] * len(names))
    intervals = rank_intervals(noise, lower_is_better=lower, seed=SEED)
    if intervals:
        assert found.low.tolist() == [intervals[n].low for n in names]
        assert found.high.tolist() == [intervals[n].high for n in names]
        assert found.p_best == pytest.approx([intervals[n].p_best for n in names])
    widths = [noise.half_width(n) if ranks else None for n in names]
    expected = [np.nan if width is None else width for width in widths]
    assert scores.half_width == pytest.approx(expected, nan_ok=True, abs=1e-12)


def test_a_table_without_entries_or_without_noise_ranks_nothing() -> None:
    assert len(rank_entries(measure([], []), lower_is_better=True).rank) == 0
    scores = measure(["a", "b"], [[1.0], [2.0]])
    assert rank_entries(scores, lower_is_better=True).rank.tolist() == [0, 0]
    assert np.isnan(scores.half_width).all()
