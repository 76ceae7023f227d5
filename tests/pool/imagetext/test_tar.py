import io
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.pool.imagetext.records import Pair, PairFields, Span
from assay.pool.imagetext.samples import TarSource, split_name
from assay.pool.records import Problem
from pairs import make_sample, picture, write_tar


def read(path: Path, start: int = 0) -> list[tuple[int, Any]]:
    filesystem = fsspec.filesystem("file")
    return list(TarSource("a", filesystem, str(path), str(path), PairFields()).records(start))


def kinds(items: Sequence[tuple[int, Any]]) -> list[str]:
    return ["pair" if isinstance(item, Pair) else item.kind for _, item in items]


def in_place(pair: Pair) -> bytes:
    assert isinstance(pair.image, Span)
    data = Path(pair.image.file).read_bytes()
    return data[pair.image.offset : pair.image.offset + pair.image.length]


def add(tar: tarfile.TarFile, name: str, data: bytes = b"", **more: Any) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize("layout", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_in_every_layout(tmp_path: Path, layout: int) -> None:
    long = "/".join(["deep" * 10] * (3 if layout == tarfile.USTAR_FORMAT else 9))
    names = ["a", f"{long}/b", "c"] + (["ü/日本"] if layout != tarfile.USTAR_FORMAT else [])
    with tarfile.open(tmp_path / "a.tar", "w", format=layout) as tar:
        for number, name in enumerate(names):
            add(tar, f"{name}.png", picture(number))
            add(tar, f"{name}.TXT", f"caption {number}".encode())
    items = read(tmp_path / "a.tar")
    assert kinds(items) == ["pair"] * len(names)
    for number, (_, pair) in enumerate(items):
        assert pair.caption == f"caption {number}"
        assert pair.image.data == picture(number) == in_place(pair)


def test_every_place_is_one_to_go_on_from(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", [make_sample(n) for n in range(6)])
    items = read(path)
    places = [place for place, _ in items]
    assert places == sorted(set(places))
    for number, place in enumerate(places):
        assert read(path, place + 1) == items[number + 1 :]


def test_members_that_are_no_plain_files_are_counted_and_skipped(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        add(tar, "folder", type=tarfile.DIRTYPE)
        add(tar, "../../etc/passwd", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        add(tar, "hard", type=tarfile.LNKTYPE, linkname="folder/hard")
        add(tar, "null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)
        add(tar, "pipe", type=tarfile.FIFOTYPE)
        add(tar, "../../../x.png", picture(0))
        add(tar, "../../../x.txt", b"a name that leads outside is only a key")
        add(tar, "sparse.png", b"x" * 700, type=tarfile.GNUTYPE_SPARSE)
        add(tar, "y.png", picture(1))
        add(tar, "y.txt", b"y")
    items = read(tmp_path / "a.tar")
    assert sorted(kinds(items)) == ["bad_member"] * 5 + ["pair"] * 2
    assert [item.caption for _, item in items if isinstance(item, Pair)][1] == "y"


def test_sizes_without_bound_cost_no_memory(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.png")
    info.size = 1 << 60
    header = info.tobuf(tarfile.GNU_FORMAT)
    whole = write_tar(tmp_path / "w.tar", [make_sample(0), make_sample(1)]).read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[:-10240].rstrip(b"\0") + b"")
    data = whole[: whole.rindex(b"}") + 1]
    data += b"\0" * (-len(data) % 512)
    (tmp_path / "a.tar").write_bytes(data + header + b"x" * 5000)
    items = read(tmp_path / "a.tar")
    assert kinds(items) == ["pair", "corrupt_file"]
    assert "the file ends at" in items[1][1].detail
    long = tarfile.TarInfo("x")
    long.type, long.size = tarfile.XHDTYPE, 1 << 33
    with (tmp_path / "b.tar").open("wb") as stream:
        stream.write(long.tobuf(tarfile.GNU_FORMAT))
        stream.truncate((1 << 33) + 4096)  # a sparse file
    assert kinds(read(tmp_path / "b.tar")) == ["corrupt_file"]


def test_images_over_the_limit_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.pool.imagetext.samples.MAX_IMAGE_BYTES", 3000)
    samples = [make_sample(0) | {"png": b"x" * 3001}, make_sample(1)]
    items = read(write_tar(tmp_path / "a.tar", samples))
    assert kinds(items) == ["image_too_large", "pair"]


@pytest.mark.parametrize(
    "records", [b"x", b"5 a\n", b"99999999999999999999 a=b\n", b"0 a=b\n", b"12 size=-3x\n"]
)
def test_broken_pax_headers_end_the_file(tmp_path: Path, records: bytes) -> None:
    pax = tarfile.TarInfo("p")
    pax.type, pax.size = tarfile.XHDTYPE, len(records)
    padded = records + b"\0" * (-len(records) % 512)
    rest = write_tar(tmp_path / "r.tar", [make_sample(0)]).read_bytes()
    (tmp_path / "a.tar").write_bytes(pax.tobuf(tarfile.GNU_FORMAT) + padded + rest)
    assert kinds(read(tmp_path / "a.tar")) == ["corrupt_file"]


@given(data=st.data())
@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_damage_raises(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("damage")
    whole = bytearray(write_tar(folder / "a.tar", [make_sample(n) for n in range(3)]).read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, 4000))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(whole)))
    (folder / "a.tar").write_bytes(bytes(whole[:cut]))
    for _, item in read(folder / "a.tar"):
        assert isinstance(item, Pair | Problem)


def test_a_stream_that_cannot_seek_is_read_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream(io.RawIOBase):
        """What a web server without ranges gives: pieces of any length, forwards."""

        def __init__(self, data: bytes):
            self._data = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            return self._data.read(min(size, 777))

    path = write_tar(tmp_path / "a.tar", [make_sample(n) for n in range(4)])
    expected = read(path)
    data = path.read_bytes()
    filesystem = fsspec.filesystem("file")
    monkeypatch.setattr(type(filesystem), "open", lambda self, path, mode: Stream(data))
    assert read(path) == expected
    assert read(path, expected[1][0] + 1) == expected[2:]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("000.jpg", ("000", "jpg")),
        ("a.b/c.d.PNG", ("a.b/c", "png")),
        ("a/none", ("a/none", "")),
        (".png", ("", "png")),
    ],
)
def test_names_are_split_as_webdataset_does(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts
