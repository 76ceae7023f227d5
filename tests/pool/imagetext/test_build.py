import hashlib
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import PoolError
from assay.pool import ImageTextPool, Pool, build_image_text_pool, load_pool, verify_pool
from assay.pool.imagetext.records import derive_pair_uid
from assay.pool.manifest import truth_path
from assay.pool.uid import uids_to_hex
from pairs import (
    Generator,
    contents,
    expected,
    make_sample,
    picture,
    uid_of,
    write_tar,
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))


def test_webdataset_tars_are_read_in_place_and_round_trip(tmp_path: Path) -> None:
    for shard in range(3):
        samples = [make_sample(n) for n in range(10 * shard, 10 * shard + 10)]
        write_tar(tmp_path / "shards" / f"{shard:08d}.tar", samples)
        # What img2dataset leaves beside its tars is no source.
        (tmp_path / "shards" / f"{shard:08d}_stats.json").write_text("{}")
        pq.write_table(pa.table({"uid": ["x"]}), tmp_path / "shards" / f"{shard:08d}.parquet")
    pool = build_image_text_pool([tmp_path / "shards"], tmp_path / "pool", shard_pairs=7)
    assert (pool.kind, pool.n, len(pool.manifest.shards), pool.manifest.report) == (
        *("image-text", 30, 5),
        {},
    )
    assert contents(pool) == expected(range(30))
    assert not (tmp_path / "pool" / "images").exists()
    assert (np.diff(pool.uids["f0"].astype(object)) > 0).all()
    rows = {uid: row for row, uid in enumerate(uids_to_hex(pool.uids))}
    mine = [rows[uid_of(n)] for n in range(30)]
    assert pool.column("original_width", mine).to_pylist() == [100 + n for n in range(30)]
    assert pool.column("host", mine)[4].as_py() == "host1.example.org"
    assert json.loads(pool.column("face_bboxes", mine)[1].as_py()) == [[0.1, 0.2, 0.3, 0.4]]
    assert set(pool.column("width").to_pylist()) == {8}  # measured; the JSON says 999
    assert "caption" not in pool.column_names
    assert pool.caption(mine[7]) == "a picture of 7"
    assert list(pool.captions([mine[7], mine[2]])) == ["a picture of 7", "a picture of 2"]
    assert verify_pool(pool).ok


def test_generated_pairs_are_packed_and_their_truth_stays_outside(tmp_path: Path) -> None:
    pool = build_image_text_pool([Generator(range(25))], tmp_path / "pool", shard_pairs=10)
    tars = sorted((tmp_path / "pool" / "images").iterdir())
    assert [tar.name for tar in tars] == ["00000.tar", "00001.tar", "00002.tar"]
    with tarfile.open(tars[0]) as tar:
        names = tar.getnames()[:6]
        meta = json.load(tar.extractfile(names[2]))  # pyright: ignore[reportArgumentType]
    assert names == [*(f"000000000.{k}" for k in ("png", "txt", "json")),
                     *(f"000000001.{k}" for k in ("jpg", "txt", "json"))]  # fmt: skip
    assert meta == {"uid": uid_of(0), "rank": 0}
    truth = pq.read_table(truth_path(tmp_path / "pool"))
    assert truth["secret"].to_pylist() == pool.column("rank").to_pylist()
    assert "secret" not in pool.column_names
    for row in range(pool.n):
        number = pool.column("rank")[row].as_py()
        assert pool.image_bytes(row) == picture(number, ("png", "jpeg", "webp")[number % 3])
    # The tars are webdataset: a pool built from them has the same pairs.
    again = build_image_text_pool([tmp_path / "pool" / "images"], tmp_path / "again")
    assert contents(again) == contents(pool)
    # The folder can move, for what lies inside it is found relative to it.
    shutil.move(tmp_path / "pool", tmp_path / "moved")
    assert contents(ImageTextPool.open(tmp_path / "moved")) == contents(again)


def test_the_root_says_what_the_pairs_are_and_not_where_they_lie(tmp_path: Path) -> None:
    samples = [make_sample(n) for n in range(12)]
    write_tar(tmp_path / "here" / "a.tar", samples)
    write_tar(tmp_path / "there" / "a.tar", samples, first=500)
    here = build_image_text_pool([tmp_path / "here"], tmp_path / "one")
    there = build_image_text_pool([tmp_path / "there"], tmp_path / "two")
    assert here.root == there.root
    samples[3]["png"] = picture(99)
    write_tar(tmp_path / "else" / "a.tar", samples)
    assert build_image_text_pool([tmp_path / "else"], tmp_path / "three").root != here.root


PIXEL = bytes.fromhex(
    "47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b"
)


def test_the_root_of_given_bytes_is_the_same_everywhere(tmp_path: Path) -> None:
    samples = [make_sample(n) | {"gif": PIXEL} for n in range(3)]
    for sample in samples:
        del sample["png"]
    pool = build_image_text_pool([write_tar(tmp_path / "a.tar", samples)], tmp_path / "pool")
    assert pool.root == ("sha256:c9e1bfbb76bcdf5f2e81d2a1ab27366f046ad6b0498e533a609a17c1750aa2b3")


def test_ids_are_derived_from_url_caption_and_image_where_there_are_none(tmp_path: Path) -> None:
    samples = [{"jpg": picture(n), "txt": b"same"} for n in (0, 1, 0)]
    samples.append({"jpg": picture(0), "json": b'{"text": "other", "url": "http://u"}'})
    samples.append({"jpg": picture(2), "txt": b"named", "json": b'{"id": "picture-2"}'})
    pool = build_image_text_pool([write_tar(tmp_path / "a.tar", samples)], tmp_path / "pool")
    digests = [hashlib.sha256(picture(n)).hexdigest() for n in range(3)]
    derived = [
        derive_pair_uid(None, None, "same", digests[0]),
        derive_pair_uid(None, None, "same", digests[1]),
        derive_pair_uid(None, "http://u", "other", digests[0]),
        derive_pair_uid("picture-2", None, "", ""),
    ]
    assert set(contents(pool)) == {uid.hex() for uid in derived}
    assert (
        derived[0]
        == hashlib.sha256(b"assay uid 1\0pair\0\0same\0" + digests[0].encode()).digest()[:16]
    )
    assert pool.manifest.report == {"repeated_id": 1}
    assert [row for rows, _ in pool.scan() for row in rows].count(-1) == 1
    scanned = [image for _, batch in pool.scan(("image",)) for image in batch["image"].to_pylist()]
    assert scanned == [sample["jpg"] for sample in samples]


def test_the_first_of_repeated_pairs_stays(tmp_path: Path) -> None:
    late = make_sample(1) | {"png": picture(50), "txt": b"late"}
    sources = [
        write_tar(tmp_path / "b.tar", [make_sample(0), make_sample(1)]),
        write_tar(tmp_path / "a.tar", [late]),
    ]
    pool = build_image_text_pool(sources, tmp_path / "pool")
    assert contents(pool) == expected(range(2))
    first = json.loads((tmp_path / "pool" / "build_report.json").read_bytes())
    assert first["problems"]["repeated_id"]["first"][0]["source"] == "a.tar"
    other = build_image_text_pool(sources[::-1], tmp_path / "other")
    assert contents(other)[uid_of(1)][0] == "late"


@given(order=st.permutations(range(4)), shard_pairs=st.integers(1, 9))
@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_order_of_sources_and_size_of_shards_change_no_row(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], shard_pairs: int
) -> None:
    folder = tmp_path_factory.mktemp("order")
    sources = [
        write_tar(folder / f"{part}.tar", [make_sample(n) for n in range(part, 12, 4)])
        for part in order
    ]
    pool = build_image_text_pool(sources, folder / "pool", shard_pairs=shard_pairs)
    assert uids_to_hex(pool.uids) == sorted(uid_of(n) for n in range(12))
    assert contents(pool) == expected(range(12))


def test_a_finished_pool_is_opened_and_another_is_refused(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "a.tar", [make_sample(n) for n in range(3)])
    pool = build_image_text_pool([tar], tmp_path / "pool")
    before = (tmp_path / "pool" / "pool.json").stat().st_mtime_ns
    assert build_image_text_pool([tar], tmp_path / "pool").root == pool.root
    assert (tmp_path / "pool" / "pool.json").stat().st_mtime_ns == before
    with pytest.raises(PoolError, match="built from other sources or with other settings"):
        build_image_text_pool([tar], tmp_path / "pool", verify_sha256=True)


def test_kinds_are_not_mistaken_for_each_other(tmp_path: Path) -> None:
    from assay.pool import build_pool

    build_image_text_pool([Generator(range(2))], tmp_path / "pairs")
    (tmp_path / "t.jsonl").write_text('{"text": "words and words"}\n')
    build_pool([tmp_path / "t.jsonl"], tmp_path / "text", vocab_size=300)
    assert isinstance(load_pool(tmp_path / "pairs"), ImageTextPool)
    assert isinstance(load_pool(tmp_path / "text"), Pool)
    with pytest.raises(PoolError, match="pool of image-text pairs"):
        Pool.open(tmp_path / "pairs")
    with pytest.raises(PoolError, match="pool of text"):
        ImageTextPool.open(tmp_path / "text")


@pytest.mark.parametrize("limit", ["PACKED_BYTES", "SHARD_BYTES"])
def test_large_images_and_much_metadata_make_small_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(f"assay.pool.imagetext.draft.{limit}", 2000 if "PACK" in limit else 60)
    pool = build_image_text_pool([Generator(range(9))], tmp_path / "pool")
    assert len(pool.manifest.shards) > 3
    assert sorted(pool.column("rank").to_pylist()) == list(range(9))
    assert verify_pool(pool).ok
