import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.canonical import digest_file
from assay.pool import Pool, verify_pool

Build = Callable[..., Pool]


@pytest.fixture
def pool(build: Build, documents: list[dict[str, Any]]) -> Pool:
    return build([*documents, documents[4]])


def first_bad_file(pool: Pool) -> str | None:
    found = verify_pool(Pool.open(pool.path))
    assert found.ok == (found.file is None) == (found.finding is None)
    return found.file


FILES = [
    "uids.npy",
    "rows.npy",
    "n_tokens.npy",
    "n_bytes.npy",
    "tokenizer.json",
    "build_report.json",
    "shards/00000/documents.parquet",
    "shards/00001/tokens.bin",
    "shards/00001/offsets.npy",
]


def test_an_undamaged_pool_verifies_with_its_root(pool: Pool) -> None:
    found = verify_pool(pool)
    assert (found.ok, found.root, found.num_examples) == (True, pool.root, 61)
    assert found.num_files == 6 + 3 * len(pool.manifest.shards)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_file_is_named(pool: Pool, file: str, damage: str) -> None:
    path = pool.path / file
    data = bytearray(path.read_bytes())
    if damage == "remove":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(data[:-1])
    else:
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
    assert first_bad_file(pool) == file


def reseal(pool: Pool, **changes: Any) -> None:
    """Change the manifest, and bring its file digests up to date with what lies there."""
    path = pool.path / "pool.json"
    manifest = json.loads(path.read_bytes())
    for file in manifest["files"]:
        manifest["files"][file] = digest_file(pool.path / file)
    for shard in manifest["shards"]:
        for file in shard["files"]:
            shard["files"][file] = digest_file(pool.path / "shards" / shard["name"] / file)
    path.write_text(json.dumps(manifest | changes))


def change(path: Path, edit: Callable[[Any], Any]) -> None:
    array = np.load(path)
    np.save(path, edit(array))


def swapped(array: Any) -> Any:
    array[[0, 1]] = array[[1, 0]]
    return array


@pytest.mark.parametrize(
    ("file", "edit"),
    [
        ("uids.npy", swapped),
        ("uids.npy", lambda a: a[:-1]),
        ("uids.npy", lambda a: np.concatenate([a[:1], a[:-1]])),
        ("rows.npy", lambda a: np.concatenate([a[:1], a[:-1]])),
        ("rows.npy", lambda a: a - 1 - a.min()),
        ("rows.npy", lambda a: a + 61),
        ("n_tokens.npy", lambda a: a + 1),
        ("n_bytes.npy", lambda a: a[1:]),
        ("shards/00001/offsets.npy", lambda a: swapped(a) * 2),
        ("shards/00001/offsets.npy", lambda a: a[:-1]),
    ],
)
def test_wrong_content_is_found_though_every_file_digest_fits(
    pool: Pool, file: str, edit: Any
) -> None:
    change(pool.path / file, edit)
    reseal(pool)
    assert first_bad_file(pool) == file


@pytest.mark.parametrize("file", ["rows.npy", "n_tokens.npy", "n_bytes.npy"])
def test_arrays_in_another_order_do_not_agree_with_the_documents(pool: Pool, file: str) -> None:
    change(pool.path / file, lambda a: a[::-1])
    reseal(pool)
    assert first_bad_file(pool) in (file, "uids.npy")


def test_a_token_of_another_document_changes_the_content_digest(pool: Pool) -> None:
    path = pool.path / "shards" / "00000" / "tokens.bin"
    tokens = np.fromfile(path, dtype="<u2")
    tokens[5] ^= 1
    tokens.tofile(path)
    reseal(pool)
    found = verify_pool(Pool.open(pool.path))
    assert found.file == "shards/00000/documents.parquet"
    assert "content digest" in (found.finding or "")


def test_a_token_outside_the_vocabulary_is_found(pool: Pool) -> None:
    path = pool.path / "shards" / "00000" / "tokens.bin"
    tokens = np.fromfile(path, dtype="<u2")
    tokens[5] = 60_000
    tokens.tofile(path)
    reseal(pool)
    assert first_bad_file(pool) == "shards/00000/tokens.bin"


def test_a_manifest_with_another_root_is_found(pool: Pool) -> None:
    reseal(pool, root="sha256:" + "0" * 64)
    assert first_bad_file(pool) == "pool.json"


def test_a_row_of_a_document_left_out_is_found(pool: Pool) -> None:
    """A document that no row leads to must be a repeat of one that some row leads to."""
    manifest = json.loads((pool.path / "pool.json").read_bytes())
    tokens, num_bytes = int(pool.n_tokens[-1]), int(pool.n_bytes[-1])
    for file in ("uids.npy", "rows.npy", "n_tokens.npy", "n_bytes.npy"):
        change(pool.path / file, lambda a: a[:-1])
    reseal(
        pool,
        n=manifest["n"] - 1,
        num_tokens=manifest["num_tokens"] - tokens,
        num_bytes=manifest["num_bytes"] - num_bytes,
    )
    assert first_bad_file(pool) == "rows.npy"
