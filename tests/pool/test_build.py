import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from assay.canonical import merkle_root
from assay.errors import PoolError
from assay.pool import Pool, build_pool, verify_pool
from assay.pool.records import derive_uid
from assay.pool.uid import uids_to_hex

Build = Callable[..., Pool]
Documents = list[dict[str, Any]]


def uid_of(document: dict[str, Any]) -> str:
    return document["metadata"]["WARC-Record-ID"][10:46].replace("-", "")


def test_every_row_has_the_documents_text_tokens_and_columns(
    build: Build, documents: Documents
) -> None:
    pool = build(documents)
    by_uid = {uid_of(document): document for document in documents}
    uids = uids_to_hex(pool.uids)
    assert uids == sorted(by_uid)
    tokenizer = pool.tokenizer()
    ranks, hosts = pool.column("rank").to_pylist(), pool.column("host").to_pylist()
    for row, uid in enumerate(uids):
        document = by_uid[uid]
        assert pool.text(row) == document["text"]
        assert tokenizer.decode(pool.tokens(row).tolist()) == document["text"]
        assert pool.n_tokens[row] == len(pool.tokens(row))
        assert pool.n_bytes[row] == len(document["text"].encode())
        assert ranks[row] == document["metadata"]["rank"]
        assert hosts[row] == document["url"].split("/")[2]
    assert list(pool.texts()) == [by_uid[uid]["text"] for uid in uids]
    assert pool.num_tokens == pool.n_tokens.sum()
    assert verify_pool(pool).ok


def test_the_root_is_the_merkle_root_of_shards_and_tokenizer(
    build: Build, documents: Documents
) -> None:
    manifest = build(documents).manifest
    assert len(manifest.shards) > 2
    leaves = [*(shard.digest for shard in manifest.shards), manifest.tokenizer.digest]
    assert manifest.root == merkle_root(leaves)


def test_the_same_sources_give_the_same_pool_bytes(
    build: Build, documents: Documents, tmp_path: Path
) -> None:
    first = build(documents)
    again = build_pool(
        [tmp_path / "small.jsonl"],
        tmp_path / "elsewhere" / "small",
        vocab_size=300,
        shard_bytes=3000,
    )
    files = [path.relative_to(first.path) for path in first.path.rglob("*") if path.is_file()]
    assert len(files) > 10
    for file in files:
        assert (first.path / file).read_bytes() == (again.path / file).read_bytes(), file


def test_content_digests_do_not_depend_on_shard_files(build: Build, documents: Documents) -> None:
    """One text, token or column more or less shows in the root."""
    roots = {build(documents, "base").root}
    for number, change in enumerate(({"text": "other"}, {"url": "http://other.org"})):
        changed = [documents[0] | change, *documents[1:]]
        roots.add(build(changed, f"changed{number}").root)
    assert len(roots) == 3


def test_the_first_document_with_an_id_stays_and_the_others_are_reported(
    build: Build, documents: Documents
) -> None:
    later = [documents[3] | {"text": f"A later text, number {i}."} for i in range(2)]
    pool = build([*documents, *later])
    assert (pool.n, pool.manifest.stored) == (len(documents), len(documents) + 2)
    row = uids_to_hex(pool.uids).index(uid_of(documents[3]))
    assert pool.text(row) == documents[3]["text"]
    assert pool.manifest.report == {"repeated_id": 2}
    report = json.loads((pool.path / "build_report.json").read_bytes())["problems"]["repeated_id"]
    assert [(one["source"], one["line"]) for one in report["first"]] == [
        ("small.jsonl", 61),
        ("small.jsonl", 62),
    ]
    assert "small.jsonl, line 4, which stays" in report["first"][0]["detail"]
    assert pool.num_tokens == pool.n_tokens.sum()
    assert verify_pool(pool).ok


def test_every_problem_is_counted_and_listed_and_none_is_fatal(
    tmp_path: Path, documents: Documents, capfd: pytest.CaptureFixture[str]
) -> None:
    good = [json.dumps(document).encode() for document in documents[:5]]
    bad = [b"{", b'{"text": "\xff"}', b'{"url": "x"}', b'{"text": 3}', b'{"text": " "}', b"[]"]
    odd = json.dumps({"text": "kept", "note": "\ud800"}).encode()
    body = zstandard.ZstdCompressor().compress(
        b"\n".join([*good[:2], *bad, odd, b"", *good[2:]]) + b"\n"
    )
    cut = zstandard.ZstdCompressor().compress(b"y" * 9000)[:-3]
    (tmp_path / "a.jsonl.zst").write_bytes(body + cut)
    pool = build_pool([tmp_path / "a.jsonl.zst"], tmp_path / "pool", vocab_size=300)
    assert pool.n == 6
    counts = {
        "corrupt_json": 2,
        "bad_encoding": 1,
        "missing_text": 1,
        "text_not_string": 1,
        "empty": 1,
        "column_value": 1,
        "corrupt_file": 1,
    }
    assert pool.manifest.report == counts
    problems = json.loads((pool.path / "build_report.json").read_bytes())["problems"]
    assert {kind: one["count"] for kind, one in problems.items()} == counts
    assert [one["line"] for one in problems["corrupt_json"]["first"]] == [3, 8]
    assert problems["bad_encoding"]["first"][0]["source"] == "a.jsonl.zst"
    said = capfd.readouterr().err
    assert "1 bad_encoding, 1 column_value, 1 corrupt_file, 2 corrupt_json, 1 empty" in said


def test_only_a_hundred_examples_of_a_problem_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{\n" * 250 + '{"text": "fine"}\n')
    pool = build_pool([tmp_path / "a.jsonl"], tmp_path / "pool", vocab_size=300)
    found = json.loads((pool.path / "build_report.json").read_bytes())["problems"]["corrupt_json"]
    assert (found["count"], len(found["first"])) == (250, 100)


def test_a_line_over_64_mb_is_a_problem_in_bounded_memory(tmp_path: Path) -> None:
    compressor = zstandard.ZstdCompressor().compressobj()
    parts = [compressor.compress(b'{"text": "before"}\n{"text": "')]
    parts += [compressor.compress(b"x" * 1_000_000) for _ in range(80)]
    parts += [compressor.compress(b'"}\n{"text": "after"}\n'), compressor.flush()]
    (tmp_path / "a.jsonl.zst").write_bytes(b"".join(parts))
    pool = build_pool([tmp_path / "a.jsonl.zst"], tmp_path / "pool", vocab_size=300)
    assert sorted(pool.texts()) == ["after", "before"]
    assert pool.manifest.report == {"too_long": 1}


def test_without_one_document_there_is_no_pool(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"body": "x"}\n')
    with pytest.raises(
        PoolError, match=r"not one document in 1 sources \(1 missing_text\).*--text-field"
    ):
        build_pool([tmp_path / "a.jsonl"], tmp_path / "pool", vocab_size=300)
    pool = build_pool([tmp_path / "a.jsonl"], tmp_path / "pool", vocab_size=300, text_field="body")
    assert list(pool.texts()) == ["x"]


def test_columns_come_from_a_sample_and_conflicts_are_strings(build: Build) -> None:
    raw = [
        {"text": "a", "n": 1, "x": 1, "flag": True, "mixed": 1, "list": [1]},
        {"text": "b", "n": 2, "x": 0.5, "flag": False, "mixed": "two", "late": "x"},
        {"text": "c", "n": 2**70, "x": float("inf"), "flag": None, "mixed": {"a": 1}},
    ]
    pool = build(raw[:2] + raw[2:] * 0, "plain")
    types = {column.name: column.type for column in pool.manifest.columns}
    assert types == {
        "url": "string",
        "host": "string",
        "timestamp": "string",
        "source": "string",
        "source_id": "string",
        "flag": "bool",
        "late": "string",
        "mixed": "string",
        "n": "int64",
        "x": "float64",
    }
    row = uids_to_hex(pool.uids).index(derive_uid(None, None, "a").hex())
    assert [pool.column(name, [row])[0].as_py() for name in ("mixed", "x", "flag", "late")] == [
        "1",
        1.0,
        True,
        None,
    ]


def test_a_value_that_does_not_fit_its_column_is_null_and_counted(build: Build) -> None:
    first = [{"text": f"number {i}", "n": i} for i in range(1000)]
    late = [
        {"text": "late 1", "n": "x"},
        {"text": "late 2", "n": 2**70},
        {"text": "late 3", "new": 1},
        {"text": "late 4", "n": 0.5},
    ]
    pool = build(first + late, shard_bytes=1_000_000)
    assert pool.manifest.report == {"column_value": 3}
    assert "new" not in pool.column_names
    rows = [uids_to_hex(pool.uids).index(derive_uid(None, None, one["text"]).hex()) for one in late]
    assert pool.column("n", rows).to_pylist() == [None] * 4


def test_the_order_of_documents_does_not_change_the_columns(build: Build) -> None:
    raw = [{"text": f"t{i}", f"k{i % 5}": i if i % 2 else str(i)} for i in range(40)]
    assert build(raw, "one").manifest.columns == build(raw[::-1], "two").manifest.columns


def test_a_finished_pool_is_opened_and_not_built_again(build: Build, documents: Documents) -> None:
    pool = build(documents)
    before = (pool.path / "pool.json").stat().st_mtime_ns
    assert build(documents).root == pool.root
    assert (pool.path / "pool.json").stat().st_mtime_ns == before
    assert not (pool.path / ".build").exists()


def test_other_sources_or_settings_in_the_same_folder_are_refused(
    build: Build, documents: Documents
) -> None:
    build(documents)
    with pytest.raises(PoolError, match="other sources or with other settings"):
        build(documents, vocab_size=301)
    with pytest.raises(PoolError, match="other sources or with other settings"):
        build(documents[1:])


def test_a_folder_with_other_files_is_left_alone(
    build: Build, documents: Documents, tmp_path: Path
) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "thesis.txt").write_text("mine")
    with pytest.raises(PoolError, match="no pool"):
        build(documents)
    assert [path.name for path in (tmp_path / "small").iterdir()] == ["thesis.txt"]


def test_a_large_vocabulary_is_stored_in_32_bits(
    build: Build, documents: Documents, tmp_path: Path
) -> None:
    from tokenizers import Tokenizer

    tokenizer = build(documents, "first").tokenizer()
    tokenizer.add_tokens([f"<extra{i}>" for i in range(66_000)])
    tokenizer.save(str(tmp_path / "large.json"))
    assert Tokenizer.from_file(str(tmp_path / "large.json")).get_vocab_size() > 1 << 16
    pool = build(documents, tokenizer=tmp_path / "large.json")
    assert pool.tokens(0).dtype == np.dtype("<u4")
    assert pool.tokenizer().decode(pool.tokens(0).tolist()) == pool.text(0)
    assert build(documents, "first").tokens(0).dtype == np.dtype("<u2")


def test_end_of_text_written_in_a_document_is_text(build: Build) -> None:
    pool = build([{"text": "before <|endoftext|> after"}])
    assert pool.eos_id not in pool.tokens(0)
    assert pool.tokenizer().decode(pool.tokens(0).tolist()) == "before <|endoftext|> after"


def test_memory_does_not_grow_with_the_pool_but_with_the_shard(
    build: Build, documents: Documents
) -> None:
    pool = build(documents, shard_bytes=500)
    assert len(pool.manifest.shards) > 10
    largest = max(len(document["text"].encode()) for document in documents)
    assert max(shard.num_bytes for shard in pool.manifest.shards) < 500 + largest


def test_many_small_documents_do_not_share_one_shard(
    build: Build, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.pool.draft.SHARD_DOCUMENTS", 25)
    pool = build(documents, shard_bytes=10**9)
    assert [shard.rows for shard in pool.manifest.shards] == [25, 25, 10]
