"""What a selection is made of, counted in plain Python."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from assay.audit.composition import breakdowns, epochs, lengths
from assay.audit.language import scripts_of
from assay.audit.scan import Selected
from assay.pool import Pool
from assay.selection import select_rows
from assay.submission import staged


@pytest.fixture
def pool(tiny_home: Path) -> Pool:
    return Pool.open("tiny-pool")


def select(pool: Pool, *stages: tuple[float, slice]) -> Selected:
    submission = staged([(share, pool.uids[rows]) for share, rows in stages])
    return Selected.of(select_rows(submission, pool), pool)


def test_shares_are_those_of_plain_counting(pool: Pool) -> None:
    chosen = select(pool, (1.0, slice(0, 90)))
    found = breakdowns(pool, chosen)
    assert {"source", "host", "year"} <= set(found)
    hosts = Counter(pool.column("host", np.arange(90)).to_pylist())
    everything = Counter(pool.column("host").to_pylist())
    listed = {one.value: one for one in found["host"].top}
    for value, one in listed.items():
        assert one.selected == hosts[value]
        assert one.share == pytest.approx(hosts[value] / 90)
        assert one.pool_share == pytest.approx(everything[value] / pool.n)
    assert sum(one.selected for one in found["host"].top) + found["host"].other == 90
    gaps = [abs(hosts[v] / 90 - everything[v] / pool.n) for v in everything]
    assert found["host"].distance == pytest.approx(sum(gaps) / 2)
    years = Counter(value[:4] for value in pool.column("timestamp", np.arange(90)).to_pylist())
    assert {one.value: one.selected for one in found["year"].top} == dict(years)


def test_epochs_count_different_examples_once(pool: Pool) -> None:
    chosen = select(pool, (0.5, slice(0, 60)), (0.5, slice(40, 100)))
    assert len(chosen) == 100
    found = epochs(pool, chosen, "tokens", 1_000_000)
    assert found.unique == int(pool.n_tokens[:100].sum())
    assert found.shown == int(pool.n_tokens[:60].sum() + pool.n_tokens[40:100].sum())
    assert found.effective == pytest.approx(1_000_000 / found.unique)
    (length,) = lengths(pool, chosen)
    assert length.selected[3] == np.median(pool.n_tokens[:100])


def test_scripts_are_counted_by_letter() -> None:
    assert scripts_of(["abc 1, d_e"]) == {"Latin": 5}
    assert scripts_of(["\u00e9t\u00e9 \u043c\u0438\u0440", "\u6771\u4eac \u0bb5"]) == {
        "Latin": 3, "Cyrillic": 3, "Han": 2, "other": 1,
    }  # fmt: skip
