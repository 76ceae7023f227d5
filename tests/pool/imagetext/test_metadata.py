import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.errors import PoolError
from assay.pool import build_image_text_pool, verify_pool
from assay.pool.imagetext.metadata import metadata_files, prepare
from pairs import (
    contents,
    make_sample,
    picture,
    uid_of,
    write_metadata,
    write_tar,
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))


def test_metadata_decide_the_candidates_and_bring_columns_and_features(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", [make_sample(n) for n in range(20)])
    write_metadata(tmp_path / "metadata" / "0.parquet", range(15, 5, -1))
    write_metadata(tmp_path / "metadata" / "1.parquet", range(16, 30))
    pool = build_image_text_pool(
        [tmp_path / "a.tar"], tmp_path / "pool", metadata=[tmp_path / "metadata"]
    )
    assert set(contents(pool)) == {uid_of(n) for n in range(6, 20)}
    assert pool.manifest.candidates == 24
    assert pool.manifest.report == {"not_in_metadata": 6, "missing_sample": 10}
    numbers = [int(caption.split()[-1]) for caption in pool.captions()]
    scores = pool.column("clip_l14_similarity_score")
    assert scores.type == pa.float64()
    assert scores.to_pylist() == pytest.approx([n / 100 for n in numbers])
    assert pool.column("url").to_pylist() == [f"https://other.example/{n}" for n in numbers]
    assert set(pool.column("face_bboxes").to_pylist()) == {"[[0.5,0.5,1.0,1.0]]"}
    assert pool.column("original_width").to_pylist() == [100 + n for n in numbers]
    assert pool.embedding_names == ("l14_img", "l14_txt")
    features = pool.embedding("l14_img")
    assert features.dtype == np.float16
    assert features.tolist() == [[n, -n, n % 7] for n in numbers]
    assert pool.embedding("l14_txt", [3, 1, 3]).tolist() == [
        [numbers[row], -numbers[row]] for row in (3, 1, 3)
    ]
    with pytest.raises(PoolError, match=r"no embedding 'b32' but l14_img, l14_txt"):
        pool.embedding("b32")
    assert verify_pool(pool).ok


def test_compressed_features_are_read_as_well(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", [make_sample(n) for n in range(4)])
    file = write_metadata(tmp_path / "m.parquet", range(4))
    np.savez_compressed(file.with_suffix(".npz"), x=np.arange(8, dtype=np.float32).reshape(4, 2))
    pool = build_image_text_pool([tmp_path / "a.tar"], tmp_path / "pool", metadata=[file])
    numbers = [int(caption.split()[-1]) for caption in pool.captions()]
    assert pool.embedding("x").tolist() == [[2 * n, 2 * n + 1] for n in numbers]


def test_verify_sha256_leaves_out_what_is_not_the_image_of_the_metadata(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", [make_sample(n) for n in range(4)])
    digests = [hashlib.sha256(picture(n)).hexdigest() for n in (0, 1, 7, 3)]
    file = write_metadata(tmp_path / "m.parquet", range(4), sha256=digests)
    kept = build_image_text_pool([tmp_path / "a.tar"], tmp_path / "kept", metadata=[file])
    assert kept.n == 4
    pool = build_image_text_pool(
        [tmp_path / "a.tar"], tmp_path / "pool", metadata=[file], verify_sha256=True
    )
    assert set(contents(pool)) == {uid_of(n) for n in (0, 1, 3)}
    assert pool.manifest.report == {"sha256_mismatch": 1, "missing_sample": 1}


def test_any_row_of_any_file_is_found_whatever_its_row_groups(tmp_path: Path) -> None:
    numbers = [*range(9000), 5, 6]  # the last two repeat an id
    ranks = [*range(9000), -1, -2]
    for file, part in enumerate((slice(0, 8500), slice(8500, None))):
        table = pa.table({"uid": [uid_of(n) for n in numbers[part]], "rank": ranks[part]})
        pq.write_table(table, tmp_path / f"{file}.parquet", row_group_size=777 + file)
    files = metadata_files([str(tmp_path / "*.parquet")])
    metadata = prepare(tmp_path / "work", files, "uid")
    assert (metadata.candidates, metadata.rows) == (9000, [8500, 502])
    assert metadata.find(bytes(16)) == 0  # uid_of(0)
    assert metadata.find(b"x" * 16) is None
    for number in [*range(0, 9000, 97), 5, 6, 4095, 4096, 8191, 8192, 8499, 8500, 8999]:
        assert metadata.find(bytes.fromhex(uid_of(number))) == number
        assert metadata.values(number) == {"rank": number}
