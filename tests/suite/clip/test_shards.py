import contextlib
import io
import tarfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import SuiteError
from assay.suite.clip.shards import parse_item, read_samples, write_shard
from clip_folders import associated, captioned, labelled, npy, pack, png


def parse(members, kind="classification", **columns):
    return parse_item(members, "shard: s0", kind=kind, **columns)


def test_samples_come_in_the_order_of_the_file(tmp_path):
    samples = labelled([3, 1, 2])
    pack(tmp_path / "0.tar", reversed(samples))
    assert list(read_samples(tmp_path / "0.tar")) == [
        (f"/{key}", dict(members)) for key, members in reversed(samples)
    ]


def test_a_shard_reads_back_and_has_the_same_bytes_again(tmp_path):
    samples = captioned([["a", "b"], ["c"]])
    assert write_shard(tmp_path / "0.tar", samples) == 2
    assert write_shard(tmp_path / "1.tar", iter(samples)) == 2
    assert (tmp_path / "0.tar").read_bytes() == (tmp_path / "1.tar").read_bytes()
    captions = [parse(m, "retrieval").captions for _, m in read_samples(tmp_path / "0.tar")]
    assert captions == [("a", "b"), ("c",)]


def test_items_of_each_kind(tmp_path):
    image = png(0)
    item = parse({"jpg": image, "cls": b"7\n", "group": b"dark\n"})
    assert (item.images, item.gold, item.group) == ((image,), (7,), "dark")
    item = parse({"webp": image, "txt": b"eins\n\nzwei\n"}, "retrieval")
    assert (item.captions, item.gold, item.group) == (("eins", "zwei"), (), None)
    item = parse(associated([("A fox", 11, [2, 10])])[0][1], "association")
    assert (len(item.images), item.gold, item.captions) == (11, (2, 10), ("A fox",))
    assert item.images[10] == png(10)


def test_metadata_columns_give_class_and_group():
    members = {"png": png(0), "cls": b"9", "npy": npy(4, 1, 5, 0)}
    item = parse(members, gold_column=1, group_column=2)
    assert (item.gold, item.group) == ((1,), "5")


@pytest.mark.parametrize(
    ("kind", "members", "problem"),
    [
        ("classification", {"cls": b"1"}, "expected one image"),
        ("classification", {"png": b"", "jpg": b"", "cls": b"1"}, "expected one image"),
        ("classification", {"png": b""}, "no .cls"),
        ("classification", {"png": b"", "cls": b"-1"}, "holds no class numbers"),
        ("classification", {"png": b"", "cls": b"cat"}, "holds no class numbers"),
        ("classification", {"png": b"", "cls": b"1 2"}, "expected one class"),
        ("retrieval", {"png": b"", "txt": b" \n"}, "without a caption"),
        ("retrieval", {"png": b"", "txt": b"\xff"}, "not UTF-8"),
        ("association", {"0.png": b"", "2.png": b"", "cls": b"0", "txt": b"A"}, "0.jpg, 1.jpg"),
        ("association", {"0.png": b"", "1.png": b"", "cls": b"2", "txt": b"A"}, "some of 2"),
        ("association", {"0.png": b"", "1.png": b"", "cls": b"0 1", "txt": b"A"}, "some of 2"),
        ("association", {"0.png": b"", "1.png": b"", "cls": b"1 0", "txt": b"A"}, "some of 2"),
        ("association", {"0.png": b"", "1.png": b"", "cls": b"1", "txt": b"A\nB"}, "one cue"),
    ],
)
def test_unusable_items_are_named(kind, members, problem):
    with pytest.raises(SuiteError, match=problem) as caught:
        parse(members, kind)
    assert str(caught.value).startswith("shard: s0")
    assert "\n" not in str(caught.value)


def test_metadata_is_never_unpickled():
    stream = io.BytesIO()
    np.save(stream, np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(SuiteError, match=r"no number at position 0"):
        parse({"png": b"", "cls": b"1", "npy": stream.getvalue()}, group_column=0)


def odd_tar(path, *members):
    with tarfile.open(path, "w") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def link():
    info = tarfile.TarInfo("s0.png")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ([(link(), b"")], "is not a file"),
        ([(tarfile.TarInfo("s0.png"), b"x"), (tarfile.TarInfo("s0.png"), b"x")], "twice"),
        ([(tarfile.TarInfo("README"), b"x")], "not KEY.SUFFIX"),
        ([(tarfile.TarInfo("a/.png"), b"x")], "not KEY.SUFFIX"),
    ],
)
def test_odd_members_are_refused(tmp_path, members, problem):
    odd_tar(tmp_path / "0.tar", *members)
    with pytest.raises(SuiteError, match=problem):
        list(read_samples(tmp_path / "0.tar"))


def test_a_huge_member_is_refused_before_it_is_read(tmp_path):
    info = tarfile.TarInfo("s0.png")
    info.size = 1 << 33
    (tmp_path / "0.tar").write_bytes(info.tobuf() + bytes(1024))
    with pytest.raises(SuiteError, match=r"8,589,934,592 bytes"):
        list(read_samples(tmp_path / "0.tar"))


def test_a_compressed_or_absent_shard_is_refused(tmp_path):
    with pytest.raises(SuiteError, match=r"missing"):
        list(read_samples(tmp_path / "0.tar"))
    with tarfile.open(tmp_path / "0.tar", "w:gz"):
        pass
    with pytest.raises(SuiteError, match=r"not a plain tar"):
        list(read_samples(tmp_path / "0.tar"))


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    path = tmp_path_factory.mktemp("shard") / "0.tar"
    write_shard(path, labelled([0, 1]))
    return path.read_bytes()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.integers(0, 6000),
    changes=st.lists(
        st.tuples(st.integers(0, 5999), st.binary(min_size=1, max_size=8)), max_size=4
    ),
)
def test_whatever_the_bytes_items_or_a_suite_error(shard, tmp_path, cut, changes):
    path = tmp_path / "0.tar"
    data = bytearray(shard[: max(cut, 1)] if cut < 5000 else shard)
    for place, value in changes:
        data[place : place + len(value)] = value
    path.write_bytes(data)
    with contextlib.suppress(SuiteError):
        for key, members in read_samples(path):
            parse_item(members, key, kind="classification")
