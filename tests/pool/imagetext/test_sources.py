import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.errors import PoolError
from assay.pool import ImageTextPool, build_image_text_pool, load_pool, verify_pool
from pairs import (
    Generator,
    contents,
    expected,
    make_sample,
    picture,
    uid_of,
    write_metadata,
    write_tar,
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
@pytest.mark.parametrize("struct", [True, False])
def test_tables_with_images_are_packed(tmp_path: Path, kind: str, struct: bool) -> None:
    images = [picture(n) for n in range(40)]
    column = [{"bytes": image, "path": "a.png"} for image in images] if struct else images
    table = pa.table({"image": column, "text": [f"a picture of {n}" for n in range(40)],
                      "uid": [uid_of(n) for n in range(40)], "rank": range(40)})  # fmt: skip
    path = tmp_path / f"t.{kind}"
    if kind == "parquet":
        pq.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    pool = build_image_text_pool([path], tmp_path / "pool", shard_pairs=15)
    assert contents(pool) == expected(range(40))
    assert sorted(pool.column("rank").to_pylist()) == list(range(40))


def test_datasets_saved_to_disk_are_read(tmp_path: Path) -> None:
    import datasets

    features = datasets.Features({"picture": datasets.Image(), "words": datasets.Value("string")})
    rows = {"picture": [{"bytes": picture(n), "path": None} for n in range(5)],
            "words": [f"a picture of {n}" for n in range(5)]}  # fmt: skip
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "saved")
    with pytest.raises(PoolError, match="--image-field"):
        build_image_text_pool([tmp_path / "saved"], tmp_path / "pool")
    with pytest.raises(PoolError, match="--caption-field"):
        build_image_text_pool([tmp_path / "saved"], tmp_path / "p2", image_field="picture")
    pool = build_image_text_pool(
        [tmp_path / "saved"], tmp_path / "p3", image_field="picture", caption_field="words"
    )
    assert sorted(contents(pool).values()) == sorted(expected(range(5)).values())


def write_images(folder: Path, captions: bool) -> None:
    (folder / "deep").mkdir(parents=True)
    for number, name in enumerate(("a.png", "deep/b.PNG", "deep/c.d.png", "e.png")):
        (folder / name).write_bytes(picture(number))
        if captions and number < 3:
            (folder / f"{name.split('.')[0]}.txt").write_text(f"a picture of {number}\n")


def test_a_folder_of_images_with_text_beside_them(tmp_path: Path) -> None:
    write_images(tmp_path / "photos", captions=True)
    pool = build_image_text_pool([tmp_path / "photos"], tmp_path / "pool")
    assert sorted(contents(pool).values()) == sorted(expected(range(3)).values())
    assert pool.manifest.report == {"missing_caption": 1}
    assert not (tmp_path / "pool" / "images").exists()


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_a_folder_of_images_with_a_table_of_captions(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "photos"
    write_images(folder, captions=False)
    names = ["a.png", "deep/b.PNG", "absent.png", "../../../etc/passwd", "a.png"]
    rows = [{"file_name": name, "caption": f"a picture of {n}", "rank": n}
            for n, name in enumerate(names)]  # fmt: skip
    table = pa.Table.from_pylist(rows)
    path = folder / f"captions.{kind}"
    if kind == "parquet":
        pq.write_table(table, path)
    elif kind in ("csv", "tsv"):
        mark = "\t" if kind == "tsv" else ","
        lines = [mark.join(map(str, row)) for row in [rows[0], *(row.values() for row in rows)]]
        path.write_text("\n".join(lines) + "\n")
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        path.write_text(json.dumps(rows))
    pool = build_image_text_pool([folder], tmp_path / "pool")
    assert sorted(pool.captions()) == ["a picture of 0", "a picture of 1", "a picture of 4"]
    assert sorted(pool.column("rank").to_pylist()) == [0, 1, 4]
    assert pool.manifest.report == {"missing_image": 2}


@pytest.mark.parametrize(
    ("name", "data", "teaching"),
    [
        ("a.tar.gz", b"\x1f\x8b", "unpack it first"),
        ("a.tar", b"\x1f\x8b" + b"\0" * 600, "unpack it first"),
        ("a.tar", b"nonsense" * 100, "not one pair in 1 sources .1 corrupt_file"),
        ("a.tar", b"", "not one pair in 1 sources"),
        ("a.txt", b"", "no known kind"),
        ("a.png", picture(0), "give the folder that holds the images"),
        ("a.parquet", b"PAR1", "cannot read"),
    ],
)
def test_useless_sources_get_one_line(
    tmp_path: Path, name: str, data: bytes, teaching: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PoolError, match=teaching) as error:
        build_image_text_pool([tmp_path / name], tmp_path / "pool")
    assert "\n" not in str(error.value)


def test_sources_at_urls(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    samples = [make_sample(n) for n in range(6)]
    data = write_tar(tmp_path / "a.tar", samples).read_bytes()
    memory.pipe_file("/bucket/shards/a.tar", data)
    file = write_metadata(tmp_path / "m.parquet", range(4))
    for path in (file, file.with_suffix(".npz")):
        memory.pipe_file(f"/bucket/metadata/{path.name}", path.read_bytes())
    pool = build_image_text_pool(
        ["memory://bucket/shards/"], tmp_path / "pool", metadata=["memory://bucket/metadata/"]
    )
    assert contents(pool) == expected(range(4))
    assert pool.embedding("l14_img")[:, 0].tolist() == [
        int(caption.split()[-1]) for caption in pool.captions()
    ]
    packed = build_image_text_pool([Generator(range(5))], tmp_path / "packed")
    for path in (tmp_path / "packed").rglob("*"):
        if path.is_file():
            memory.pipe_file(f"/pools/{path.relative_to(tmp_path)}", path.read_bytes())
    remote = load_pool("memory://pools/packed")
    assert isinstance(remote, ImageTextPool)
    assert contents(remote) == contents(packed)
    assert verify_pool(remote).ok


def test_a_pool_at_a_url_cannot_name_files_of_this_machine(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    tar = write_tar(tmp_path / "a.tar", [make_sample(0)])
    build_image_text_pool([tar], tmp_path / "pool")
    for path in (tmp_path / "pool").rglob("*"):
        if path.is_file():
            memory.pipe_file(f"/elsewhere/{path.relative_to(tmp_path)}", path.read_bytes())
    remote = load_pool("memory://elsewhere/pool")
    assert isinstance(remote, ImageTextPool)
    assert remote.caption(0) == "a picture of 0"
    with pytest.raises(PoolError, match=r"leaves .*a\.tar on the machine that built it"):
        remote.image_bytes(0)
