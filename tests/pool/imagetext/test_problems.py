import io
import json
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from assay.errors import PoolError
from assay.pool import build_image_text_pool, verify_pool
from assay.pool.uid import uids_from_bytes
from pairs import (
    contents,
    make_sample,
    picture,
    uid_of,
    write_tar,
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))


def test_what_is_broken_is_counted_and_left_out(tmp_path: Path) -> None:
    bomb = bytearray(picture(0, "png"))
    bomb[16:24] = (9_000).to_bytes(4) * 2
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4)
    samples: list[dict[str, bytes]] = [
        make_sample(0),
        make_sample(1) | {"png": b""},
        make_sample(2) | {"png": b"GIF89a nonsense"},
        make_sample(3) | {"png": bytes(bomb)},
        make_sample(4) | {"txt": b"\xff\xfe"},
        make_sample(5) | {"txt": b"x" * 64_001},
        make_sample(6) | {"txt": b" \n"},
        make_sample(7) | {"json": b"{"},
        make_sample(8) | {"json": b"[1]"},
        make_sample(9) | {"json": b"[" * 100_000},
        {"txt": b"no image"},
        {"png": picture(10)},
        make_sample(11) | {"json": b'{"caption": 7}'},
        make_sample(12) | {"txt": b"y" * 1_000_001},
        make_sample(13) | {"json": json.dumps({"a": "y" * 1_000_001}).encode()},
        make_sample(14),
    ]
    pool = build_image_text_pool([write_tar(tmp_path / "a.tar", samples)], tmp_path / "pool")
    report = json.loads((tmp_path / "pool" / "build_report.json").read_bytes())["problems"]
    assert "9000 x 9000 pixels are over" in report["bad_image"]["first"][2]["detail"]
    assert pool.manifest.report == {
        "bad_image": 3,
        "bad_encoding": 1,
        "too_long": 2,
        "empty": 1,
        "corrupt_json": 4,
        "missing_image": 1,
        "missing_caption": 1,
    }
    assert {c for c, _ in contents(pool).values()} == {f"a picture of {n}" for n in (0, 11, 14)}
    assert verify_pool(pool).ok


def test_a_value_that_fits_no_column_is_null_and_nothing_else_suffers(tmp_path: Path) -> None:
    odd = {
        "uid": uid_of(200),
        "original_width": "wide",
        "text": "kept apart",
        "image": "a.png",
        "length": 3,
        "\ud800": 1,
        "x" * 300: 1,
        "nan": float("nan"),
        "nested": {"nan": float("nan")},
        "huge": 10**30,
    }
    samples = [make_sample(n) for n in range(3)]
    samples.append({"png": picture(200), "txt": b"odd", "json": json.dumps(odd).encode()})
    pool = build_image_text_pool([write_tar(tmp_path / "a.tar", samples)], tmp_path / "pool")
    (row,) = [r for r in range(pool.n) if pool.caption(r) == "odd"]
    assert {
        name: pool.column(name)[row].as_py() for name in pool.column_names if "source_" in name
    } == {
        "source_id": None,
        "source_image": "a.png",
        "source_length": 3,
        "source_text": "kept apart",
    }
    assert pool.column("original_width").to_pylist()[row] == "wide"  # all are text, then
    assert pool.column("huge")[row].as_py() == str(10**30)
    assert pool.manifest.report == {"column_value": 1}
    assert pool.image_bytes(row) == picture(200)


def test_metadata_without_ids_get_one_line(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "a.tar", [make_sample(0)])
    pq.write_table(pa.table({"key": ["a"]}), tmp_path / "m.parquet")
    with pytest.raises(PoolError, match="no column 'uid' but key"):
        build_image_text_pool([tar], tmp_path / "pool", metadata=[tmp_path / "m.parquet"])
    pq.write_table(pa.table({"uid": ["a"]}), tmp_path / "m.parquet")
    with pytest.raises(PoolError, match="row 1: 'a' is no 128-bit id"):
        build_image_text_pool([tar], tmp_path / "pool", metadata=[tmp_path / "m.parquet"])


def test_images_of_every_mode_are_measured_by_their_header(tmp_path: Path) -> None:
    samples = []
    for number, mode in enumerate(("1", "L", "P", "RGBA", "CMYK")):
        stream = io.BytesIO()
        Image.new(mode, (3 + number, 5)).save(stream, "jpeg" if mode == "CMYK" else "png")
        samples.append({"jpg": stream.getvalue(), "txt": mode.encode()})
    pool = build_image_text_pool([write_tar(tmp_path / "a.tar", samples)], tmp_path / "pool")
    assert sorted(pool.column("width").to_pylist()) == [3, 4, 5, 6, 7]
    assert uids_from_bytes(bytes(16)).dtype == pool.uids.dtype
