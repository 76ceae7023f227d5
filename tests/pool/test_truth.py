from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from assay.pool import build_pool
from assay.pool.manifest import truth_path
from assay.pool.records import Record


class Known:
    name = "known"
    fingerprint = "1"
    size = 40
    done = 0
    unit = "docs"

    def records(self, start: int) -> Iterator[tuple[int, Record]]:
        for i in range(start, self.size):
            # The first shards know neither a defect nor an item, so types must come from later ones.
            known = i >= 20
            truth = {
                "quality": i / self.size,
                "defects": ("noise", "copy") if known else (),
                "leaked_item": "task:3" if known else None,
            }
            uid = (7919 * i % 256).to_bytes(1, "big") * 16
            yield i, Record(f"text {i} " * 20, uid, {"genre": "letter"}, truth if i != 5 else None)


def test_truth_lies_beside_the_pool_aligned_to_its_rows(tmp_path: Path) -> None:
    pool = build_pool([Known()], tmp_path / "pool", vocab_size=300, shard_bytes=600)
    table = pq.read_table(truth_path(pool.path))
    assert table.column_names == ["uid", "defects", "leaked_item", "quality"]
    numbers = [int(text.split()[1]) for text in pool.texts()]
    assert table["uid"].to_pylist() == [(7919 * i % 256).to_bytes(1, "big") * 16 for i in numbers]
    assert table["quality"].to_pylist() == [None if i == 5 else i / 40 for i in numbers]
    assert table["defects"][numbers.index(30)].as_py() == ["noise", "copy"]
    assert not [path for path in pool.path.rglob("*") if "truth" in path.name]
    assert "quality" not in pool.column_names
    assert "genre" in pool.column_names


def test_a_pool_without_truth_has_no_file_beside_it(build, documents) -> None:
    pool = build(documents)
    assert not truth_path(pool.path).exists()


def test_an_index_sorted_in_little_memory_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import assay.pool.build
    from assay.pool.index import write_index

    whole = build_pool([Known()], tmp_path / "whole", name="k", vocab_size=300, shard_bytes=600)
    monkeypatch.setattr(assay.pool.build, "write_index", lambda *args: write_index(*args, limit=3))
    small = build_pool([Known()], tmp_path / "small", name="k", vocab_size=300, shard_bytes=600)
    for file in ("uids.npy", "rows.npy", "n_tokens.npy", "n_bytes.npy", "pool.json"):
        assert (whole.path / file).read_bytes() == (small.path / file).read_bytes()
