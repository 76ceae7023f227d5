from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.pool.sort import ENTRY, first_of_each, sorted_blocks

# Ids that share long prefixes, differ in one half only, repeat, or lie anywhere.
HALVES = st.one_of(st.integers(0, 3), st.integers(2**64 - 3, 2**64 - 1), st.integers(0, 2**64 - 1))
UIDS = st.lists(st.tuples(HALVES, HALVES), max_size=60)


def write_entries(path: Path, uids: list[tuple[int, int]]) -> None:
    entries = np.zeros(len(uids), dtype=ENTRY)
    for i, (high, low) in enumerate(uids):
        entries[i] = (high, low, i, i + 1, i + 2)
    entries.tofile(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(uids=UIDS, limit=st.integers(1, 8))
def test_sorting_in_little_memory_is_stable_sorting(
    tmp_path: Path, uids: list[tuple[int, int]], limit: int
) -> None:
    write_entries(tmp_path / "entries", uids)
    blocks = list(sorted_blocks(tmp_path / "entries", limit))
    assert all(len(block) <= limit for block in blocks)
    found = [(int(e["f0"]), int(e["f1"]), int(e["position"])) for block in blocks for e in block]
    assert found == sorted((high, low, i) for i, (high, low) in enumerate(uids))
    assert [path.name for path in tmp_path.iterdir()] == ["entries"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(uids=UIDS, limit=st.integers(1, 8))
def test_the_first_of_each_id_is_marked_across_blocks(
    tmp_path: Path, uids: list[tuple[int, int]], limit: int
) -> None:
    write_entries(tmp_path / "entries", uids)
    marked = first_of_each(sorted_blocks(tmp_path / "entries", limit))
    kept = {int(e["position"]) for block, fresh in marked for e in block[fresh]}
    assert kept == {uids.index(uid) for uid in uids}


@pytest.mark.parametrize("shift", [0, 1, 56, 57, 63, 64, 65, 120])
def test_ids_that_differ_in_few_bits_are_split_there(tmp_path: Path, shift: int) -> None:
    values = [(1 << 127 | bits << shift) & (2**128 - 1) for bits in range(200)][::-1]
    write_entries(tmp_path / "entries", [(v >> 64, v & (2**64 - 1)) for v in values])
    blocks = list(sorted_blocks(tmp_path / "entries", 3))
    found = [int(e["f0"]) << 64 | int(e["f1"]) for block in blocks for e in block]
    assert found == sorted(values)
