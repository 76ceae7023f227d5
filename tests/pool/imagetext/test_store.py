import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assay.errors import PoolError
from assay.pool import ImageTextPool, build_image_text_pool, verify_pool
from assay.pool.uid import uids_to_hex
from pairs import (
    Generator,
    make_sample,
    picture,
    uid_of,
    write_metadata,
    write_tar,
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))


@pytest.fixture
def pool(tmp_path: Path) -> ImageTextPool:
    """Pairs in two tars, in three shards."""
    for part in range(2):
        samples = [make_sample(n) for n in range(part * 10, part * 10 + 12)]
        write_tar(tmp_path / f"{part}.tar", samples)
    return build_image_text_pool(sorted(tmp_path.glob("*.tar")), tmp_path / "pool", shard_pairs=9)


def number(pool: ImageTextPool, row: int) -> int:
    return int(pool.caption(row).split()[-1])


def test_nothing_is_read_before_it_is_wanted(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "a.tar", [make_sample(0)])
    build_image_text_pool([tar], tmp_path / "pool")
    tar.unlink()
    pool = ImageTextPool.open(tmp_path / "pool")
    assert (pool.n, pool.caption(0), uids_to_hex(pool.uids)) == (1, "a picture of 0", [uid_of(0)])
    with pytest.raises(PoolError, match=r"a\.tar .*put that file back") as error:
        pool.image_bytes(0)
    assert "\n" not in str(error.value)


def test_a_file_of_another_size_is_noticed(tmp_path: Path, pool: ImageTextPool) -> None:
    with (tmp_path / "1.tar").open("r+b") as stream:
        stream.truncate(5000)
    (row,) = [row for row in range(pool.n) if number(pool, row) == 21]
    with pytest.raises(PoolError, match="is of 5,000 bytes, and the pool was built from"):
        pool.image_bytes(row)


def test_storage_order_has_repeated_pairs_and_images(pool: ImageTextPool) -> None:
    seen = []
    for rows, batch in pool.scan(("uid", "image", "text")):
        assert batch.schema.names == ["uid", "image", "text"]
        for row, uid, image, text in zip(rows, *batch.to_pydict().values(), strict=True):
            own = int(text.split()[-1])
            assert (uid.hex(), image) == (uid_of(own), picture(own))
            assert row == -1 or number(pool, int(row)) == own
            seen.append((own, row == -1))
    assert [own for own, _ in seen] == [*range(12), *range(10, 22)]
    assert [own for own, repeated in seen if repeated] == [10, 11]


def test_many_files_threads_and_forks_read_the_right_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.pool.imagetext.payload.OPEN_FILES", 3)
    tars = [write_tar(tmp_path / f"{n:02d}.tar", [make_sample(n)]) for n in range(30)]
    pool = build_image_text_pool(tars, tmp_path / "pool")
    rows = np.random.default_rng(0).integers(0, 30, 600)
    wanted = {row: picture(number(pool, row)) for row in range(30)}
    with ThreadPoolExecutor(8) as threads:
        got = list(threads.map(pool.image_bytes, rows))
    assert all(image == wanted[row] for image, row in zip(got, rows, strict=True))
    pool.image_bytes(0)
    before = num_open()
    for row in rows:
        pool.image_bytes(row)
    assert num_open() <= before + 3


def num_open() -> int:
    """Count open files, where the system tells."""
    folder = Path("/proc/self/fd")
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


FORKER = """
import hashlib, os, sys
from assay.pool import ImageTextPool
pool = ImageTextPool.open(sys.argv[1])

def right():
    digests = pool.column("image_sha256").to_pylist()
    images = (pool.image_bytes(row) for row in range(pool.n))
    return [hashlib.sha256(image).hexdigest() for image in images] == digests

right()
child = os.fork()
if child == 0:
    os._exit(0 if all(right() for _ in range(20)) else 1)
assert all(right() for _ in range(20))
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_reads_through_descriptors_that_were_open(pool: ImageTextPool) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FORKER, str(pool.path)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_what_no_longer_is_what_it_was_is_found(tmp_path: Path, pool: ImageTextPool) -> None:
    assert verify_pool(pool).num_examples == 24
    data = bytearray((tmp_path / "0.tar").read_bytes())
    for row in (3, 5):
        data[pool_offset(pool, row) + 60] ^= 1
    (tmp_path / "0.tar").write_bytes(data)
    found = verify_pool(ImageTextPool.open(tmp_path / "pool"))
    assert (found.ok, found.file, found.num_bad) == (False, str(tmp_path / "0.tar"), 2)
    assert found.finding is not None
    assert found.finding.startswith(f"pair {uid_of(3)}: sha256 ")
    assert found.finding.endswith("; 2 of 24 pairs are bad")


def pool_offset(pool: ImageTextPool, own: int) -> int:
    (row,) = [row for row in range(pool.n) if number(pool, row) == own]
    return int(pool.locations[row]["offset"])


@pytest.mark.parametrize("file", ["captions.arrow", "locations.npy", "payload.arrow", "rows.npy"])
def test_damage_to_the_index_is_found(tmp_path: Path, pool: ImageTextPool, file: str) -> None:
    path = tmp_path / "pool" / file
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(data)
    found = verify_pool(ImageTextPool.open(tmp_path / "pool"))
    assert (found.ok, found.file) == (False, file)


def test_a_locations_file_that_leads_astray_is_found(tmp_path: Path, pool: ImageTextPool) -> None:
    """Its digest in the manifest may be right: whoever forges the one forges the other."""
    import json

    from assay.canonical import digest_file

    path = tmp_path / "pool" / "locations.npy"
    locations = np.load(path)
    locations[[0, 1]] = locations[[1, 0]]
    np.save(path, locations)
    manifest = json.loads((tmp_path / "pool" / "pool.json").read_bytes())
    manifest["files"]["locations.npy"] = digest_file(path)
    (tmp_path / "pool" / "pool.json").write_text(json.dumps(manifest))
    found = verify_pool(ImageTextPool.open(tmp_path / "pool"))
    assert (found.ok, found.file) == (False, "locations.npy")


def test_columns_that_are_not_there_get_one_line(pool: ImageTextPool) -> None:
    with pytest.raises(PoolError, match=r"no column 'rank'; it has .*width, height, image_sha256"):
        pool.column("rank")


def test_features_that_are_gone_or_of_another_shape_get_one_line(tmp_path: Path) -> None:
    file = write_metadata(tmp_path / "m.parquet", range(5))
    pool = build_image_text_pool([Generator(range(5))], tmp_path / "pool", metadata=[file])
    np.savez(file.with_suffix(".npz"), l14_img=np.zeros((4, 3), np.float16))
    with pytest.raises(PoolError, match=r"l14_img is of shape \(4, 3\)"):
        pool.embedding("l14_img")
    np.savez(file.with_suffix(".npz"), l14_img=np.array([{}], dtype=object))
    with pytest.raises(PoolError, match="no array of floats"):
        pool.embedding("l14_img")
    file.with_suffix(".npz").unlink()
    with pytest.raises(PoolError, match=r"cannot read .*m\.npz"):
        pool.embedding("l14_img")
