import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import PoolError
from assay.pool import Pool, list_pools, pool_path, verify_pool
from assay.pool.registry import check_name, register
from assay.pool.texts import in_row_order

Build = Callable[..., Pool]
Documents = list[dict[str, Any]]


@pytest.fixture
def pool(build: Build, documents: Documents) -> Pool:
    """A pool in several shards, with a repeated document in the middle of storage."""
    return build([*documents[:30], documents[4], *documents[30:]])


def test_columns_are_aligned_for_all_rows_and_for_some(pool: Pool) -> None:
    rows = [7, 3, 3, 59]
    for name in pool.column_names:
        whole = pool.column(name).to_pylist()
        assert len(whole) == pool.n
        assert pool.column(name, rows).to_pylist() == [whole[row] for row in rows]
        assert pool.column(name, np.array(rows)).to_pylist() == [whole[row] for row in rows]
    assert pool.column("n_tokens").to_pylist() == pool.n_tokens.tolist()
    assert pool.column("n_bytes").to_pylist() == pool.n_bytes.tolist()
    with pytest.raises(PoolError, match="no column 'hots'; it has url, host"):
        pool.column("hots")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(data=st.data())
def test_texts_come_in_the_order_asked_for_whatever_fits_memory(
    pool: Pool, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.integers(0, pool.n - 1), max_size=80))
    window = data.draw(st.sampled_from([1, 200, 2000, 10**9]))
    expected = [pool.text(row) for row in range(pool.n)]
    array = np.array(rows, dtype=np.int64)
    assert list(in_row_order(pool, array, window)) == [expected[row] for row in rows]
    assert list(pool.texts(rows)) == [expected[row] for row in rows]


def test_scan_passes_every_document_once_and_says_its_row(pool: Pool) -> None:
    seen = {}
    excluded = 0
    for rows, batch in pool.scan(("text", "rank")):
        assert batch.schema.names == ["text", "rank"]
        excluded += int((rows < 0).sum())
        seen |= {
            row: (one["text"], one["rank"])
            for row, one in zip(rows.tolist(), batch.to_pylist(), strict=True)
            if row >= 0
        }
    assert excluded == 1
    assert [seen[row][0] for row in range(pool.n)] == list(pool.texts())
    assert [seen[row][1] for row in range(pool.n)] == pool.column("rank").to_pylist()


def test_tokens_are_views_of_a_read_only_map(pool: Pool) -> None:
    tokens = pool.tokens(3)
    assert tokens.base is not None
    assert type(tokens) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        tokens[0] = 1


def test_opening_reads_no_array_and_takes_milliseconds(pool: Pool) -> None:
    Pool.open(pool.path)
    started = time.perf_counter()
    again = Pool.open(pool.path)
    assert time.perf_counter() - started < 0.2
    assert again.uids.base is not None  # a view of a memory map


def test_a_pool_is_opened_by_folder_name_and_pointer(
    pool: Pool, tmp_path: Path, build: Build, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Pool.open(str(pool.path)).root == pool.root
    with pytest.raises(PoolError, match="there is no pool 'small'"):
        Pool.open("small")
    register("small", pool.path)
    assert Pool.open("small").path == pool.path
    monkeypatch.chdir(tmp_path)
    (tmp_path / "named").mkdir()  # a folder that is no pool does not hide the name
    register("named", pool.path)
    assert Pool.open("named").path == pool.path
    other = build(documents, "other")
    with pytest.raises(PoolError, match="a pool called 'small' is at"):
        register("small", other.path)


def test_listing_tells_built_unfinished_and_missing_pools(
    pool: Pool, build: Build, documents: Documents
) -> None:
    assert list_pools() == []
    register("elsewhere", pool.path)
    (pool_path("half") / ".build").mkdir(parents=True)
    register("lost", pool.path.with_name("gone"))
    found = {one.name: one for one in list_pools()}
    assert {name: one.status for name, one in found.items()} == {
        "elsewhere": "built",
        "half": "unfinished",
        "lost": "missing",
    }
    assert (found["elsewhere"].n, found["elsewhere"].root) == (pool.n, pool.root)
    assert found["elsewhere"].path == str(pool.path)


def test_an_unfinished_pool_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "half" / ".build").mkdir(parents=True)
    with pytest.raises(PoolError, match="same `assay pool build` command goes on"):
        Pool.open(tmp_path / "half")


@pytest.mark.parametrize("name", ["", "a/b", "..", "-x", "a b", "x.json", "x" * 101])
def test_a_name_must_be_a_file_name_everywhere(name: str) -> None:
    with pytest.raises(PoolError, match="cannot name a pool"):
        check_name(name)


def test_another_format_or_a_broken_manifest_is_refused(pool: Pool) -> None:
    path = pool.path / "pool.json"
    manifest = json.loads(path.read_bytes())
    for text, teaching in (
        (json.dumps(manifest | {"format": 2}), "format 2, this version of assay reads 1"),
        (json.dumps(manifest | {"surprise": 1}), "unknown key 'surprise'"),
        (json.dumps({k: v for k, v in manifest.items() if k != "root"}), "'root' is missing"),
        ("{", "not a pool manifest"),
        ("[]", "format None"),
    ):
        path.write_text(text)
        with pytest.raises(PoolError, match=teaching):
            Pool.open(pool.path)


@pytest.fixture
def remote(pool: Pool):
    """The pool at a memory:// URL."""
    filesystem = fsspec.filesystem("memory")
    filesystem.put(str(pool.path), "/bucket/pools/", recursive=True)
    yield "memory://bucket/pools/small"
    filesystem.store.clear()


def test_a_remote_pool_reads_like_a_local_one_and_fetches_what_is_wanted(
    pool: Pool, remote: str
) -> None:
    mirror = Pool.open(remote)
    assert (mirror.root, mirror.n) == (pool.root, pool.n)
    assert [path.name for path in mirror.path.iterdir()] == ["pool.json"]
    assert (mirror.uids == pool.uids).all()
    assert mirror.tokens(5).tolist() == pool.tokens(5).tolist()
    fetched = {path.name for path in mirror.path.rglob("*") if path.is_file()}
    assert fetched == {"pool.json", "uids.npy", "rows.npy", "tokens.bin", "offsets.npy"}
    assert list(mirror.texts()) == list(pool.texts())
    assert mirror.column("host").equals(pool.column("host"))
    assert verify_pool(mirror).ok
    assert Pool.open(remote + "/").path == mirror.path


def test_a_remote_file_that_does_not_match_the_manifest_is_refused(remote: str) -> None:
    filesystem = fsspec.filesystem("memory")
    data = bytearray(filesystem.cat_file("/bucket/pools/small/uids.npy"))
    data[-1] ^= 1
    filesystem.pipe_file("/bucket/pools/small/uids.npy", bytes(data))
    with pytest.raises(PoolError, match=r"uids\.npy has digest"):
        _ = Pool.open(remote).uids
    filesystem.rm("/bucket/pools/small/rows.npy")
    with pytest.raises(PoolError, match=r"cannot read .*rows\.npy"):
        _ = Pool.open(remote).positions


def test_a_url_without_a_pool_is_refused() -> None:
    with pytest.raises(PoolError, match=r"cannot read memory://nowhere/pool\.json"):
        Pool.open("memory://nowhere")


@pytest.mark.parametrize("keep", [0, 40, 200])
def test_a_truncated_array_is_an_error_that_names_verify(pool: Pool, keep: int) -> None:
    path = pool.path / "uids.npy"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(PoolError, match="assay pool verify"):
        _ = Pool.open(pool.path).uids


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"format": 1}', b'{"path": 3}'])
def test_a_broken_pool_is_listed_beside_the_others(
    build: Build, documents: Documents, data: bytes
) -> None:
    register("good", build(documents, name="good").path)
    pool_path("bad").mkdir()
    (pool_path("bad") / "pool.json").write_bytes(data)
    (pool_path("bad").with_name("lost.json")).write_bytes(data)
    listed = {one.name: one.status for one in list_pools()}
    assert listed == {"good": "built", "bad": "broken", "lost": "broken"}
    for name in ("bad", "lost"):
        with pytest.raises(PoolError):
            Pool.open(name)
