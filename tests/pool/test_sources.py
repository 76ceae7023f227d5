import gzip
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from assay.errors import PoolError
from assay.pool.records import Fields, Problem, Record
from assay.pool.sources import as_sources, expand

TEXTS = [f"document {i}" for i in range(300)]


def texts_of(words: Sequence[str | Path], **fields: str) -> list[str]:
    sources = expand([str(word) for word in words], Fields(**fields))
    items = [item for source in sources for _, item in source.records(0)]
    assert all(isinstance(item, Record) for item in items)
    return [item.text for item in items if isinstance(item, Record)]


def lines(texts: Sequence[str]) -> bytes:
    return b"".join(json.dumps({"text": text}).encode() + b"\n" for text in texts)


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.jsonl", bytes),
        ("a.json", bytes),
        ("a.ndjson", bytes),
        ("a.jsonl.gz", gzip.compress),
        ("a.jsonl.zst", zstandard.ZstdCompressor().compress),
        ("a.b.json.zst", zstandard.ZstdCompressor().compress),
    ],
)
def test_json_lines_are_read_as_they_come(tmp_path: Path, name: str, pack: Any) -> None:
    (tmp_path / name).write_bytes(pack(lines(TEXTS)))
    assert texts_of([tmp_path / name]) == TEXTS


def test_parquet_is_read_with_its_metadata_and_from_any_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    when = [datetime(2020, 1, 2, 3, 4, 5)] * len(TEXTS)
    table = pa.table(
        {
            "text": TEXTS,
            "rank": range(len(TEXTS)),
            "date": pa.array(when, pa.timestamp("ns")),
            "embedding": [[0.5, 1.5]] * len(TEXTS),
            "metadata": [{"lang": "en"}] * len(TEXTS),
        }
    )
    pq.write_table(table, path, row_group_size=70)
    (source,) = expand([str(path)], Fields())
    whole = list(source.records(0))
    assert [item.text for _, item in whole if isinstance(item, Record)] == TEXTS
    assert whole[7][1].columns == {"rank": 7, "date": "2020-01-02 03:04:05.000000000", "lang": "en"}
    for start in (1, 70, 129, 299, 300):
        assert list(source.records(start)) == whole[start:]


def test_a_saved_dataset_and_a_saved_dataset_dict_are_read(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    whole = datasets.Dataset.from_dict({"text": TEXTS, "n": list(range(len(TEXTS)))})
    whole.save_to_disk(tmp_path / "one", num_shards=3)
    half = whole.select(range(100))
    datasets.DatasetDict(test=half, train=whole).save_to_disk(tmp_path / "many")
    assert texts_of([tmp_path / "one"]) == TEXTS
    assert texts_of([tmp_path / "many"]) == TEXTS[:100] + TEXTS
    source = expand([str(tmp_path / "one")], Fields())[0]
    assert list(source.records(60)) == list(source.records(0))[60:]


def test_a_folder_a_glob_and_urls_name_the_same_files(tmp_path: Path) -> None:
    for number in range(3):
        target = tmp_path / "crawl" / f"part{number % 2}" / f"{number}.jsonl"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(lines(TEXTS[number * 10 : number * 10 + 10]))
    (tmp_path / "crawl" / "_SUCCESS.json").write_bytes(b"")
    (tmp_path / "crawl" / "notes.txt").write_bytes(b"no document")
    for word in ("crawl", "crawl/*/*.jsonl", "crawl/**/*.jsonl"):
        sources = expand([str(tmp_path / word)], Fields())
        assert [source.name for source in sources] == [
            "part0/0.jsonl",
            "part0/2.jsonl",
            "part1/1.jsonl",
        ]
    assert texts_of([f"file://{tmp_path}/crawl"]) == TEXTS[:10] + TEXTS[20:30] + TEXTS[10:20]


def test_any_fsspec_url_is_read() -> None:
    with fsspec.open("memory://bucket/crawl/a.jsonl.gz", "wb") as stream:
        stream.write(gzip.compress(lines(TEXTS)))  # pyright: ignore[reportAttributeAccessIssue]
    try:
        assert texts_of(["memory://bucket/crawl"]) == TEXTS
        assert texts_of(["memory://bucket/crawl/*.gz"]) == TEXTS
        assert texts_of(["memory://bucket/crawl/a.jsonl.gz"]) == TEXTS
    finally:
        fsspec.filesystem("memory").store.clear()


def test_names_are_relative_to_what_all_sources_share(tmp_path: Path) -> None:
    for name in ("x/a.jsonl", "y/a.jsonl"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(lines(["a"]))
    words = [str(tmp_path / "y/a.jsonl"), str(tmp_path / "x/a.jsonl")]
    assert [source.name for source in expand(words, Fields())] == ["y/a.jsonl", "x/a.jsonl"]
    assert [source.name for source in expand(words[:1] * 2, Fields())] == ["a.jsonl"]


@pytest.mark.parametrize(
    ("word", "teaching"),
    [
        ("absent.jsonl", "cannot read"),
        ("empty", "nothing to read"),
        ("*.jsonl", "nothing to read"),
        ("notes.txt", "no known kind"),
        ("bad.parquet", "cannot read"),
        ("other.parquet", "--text-field"),
    ],
)
def test_a_source_that_cannot_be_opened_is_refused(
    tmp_path: Path, word: str, teaching: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("a")
    (tmp_path / "bad.parquet").write_text("not parquet at all")
    pq.write_table(pa.table({"body": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(PoolError, match=teaching):
        texts_of([tmp_path / word])


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(PoolError, match="cannot read nowhere://x"):
        expand(["nowhere://x/a.jsonl"], Fields())


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(["a"]))
    twice = as_sources([tmp_path / "a.jsonl"], Fields()) * 2
    with pytest.raises(PoolError, match=r"2 sources are called 'a\.jsonl'"):
        as_sources(twice, Fields())


def test_a_table_that_breaks_off_is_a_problem_after_its_good_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    schema = pa.schema({"text": pa.string()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for first in range(0, 300, 100):
            writer.write_batch(pa.record_batch({"text": TEXTS[first : first + 100]}, schema=schema))
    path.write_bytes(path.read_bytes()[:-900])
    items = list(expand([str(path)], Fields())[0].records(0))
    assert [item.text for _, item in items[:-1] if isinstance(item, Record)] == TEXTS[:200]
    place, problem = items[-1]
    assert isinstance(problem, Problem)
    assert (place, problem.kind) == (200, "corrupt_file")


def test_a_row_that_is_not_utf8_is_a_problem_and_the_others_stay(tmp_path: Path) -> None:
    raw = pa.array([b"good", b"\xff\xfe", b"fine"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": raw}), tmp_path / "a.parquet")
    kinds = [
        item.kind if isinstance(item, Problem) else item.text
        for _, item in expand([str(tmp_path / "a.parquet")], Fields())[0].records(0)
    ]
    assert kinds == ["good", "bad_encoding", "fine"]
