import gzip
import json
import zlib
from collections.abc import Iterator

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from assay.pool.lines import CorruptStreamError, decompress, read_json_lines, split_lines
from assay.pool.records import Fields, Problem, Record


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


@given(st.binary(max_size=200).map(lambda b: b.replace(b"a", b"\n")), st.integers(1, 50))
def test_lines_do_not_depend_on_blocks(data: bytes, size: int) -> None:
    expected = data.split(b"\n")
    expected = expected[:-1] if expected[-1] == b"" else expected
    assert list(split_lines(cut(data, size))) == expected


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 30))
def test_a_line_that_is_too_long_is_none_and_the_others_stay(lengths: list[int], size: int) -> None:
    data = b"".join(b"x" * length + b"\n" for length in lengths)
    found = list(split_lines(cut(data, size), max_bytes=20))
    assert found == [b"x" * length if length <= 20 else None for length in lengths]


@pytest.mark.parametrize("kind", ["gz", "zst"])
@given(
    parts=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=4),
    size=st.integers(1, 64),
)
def test_frames_that_follow_each_other_are_one_stream(
    kind: str, parts: list[bytes], size: int
) -> None:
    data = b"".join(map(_compress(kind), parts))
    assert b"".join(decompress(cut(data, size), _decoder(kind))) == b"".join(parts)


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_cut_tail_is_an_error_after_everything_before_it(kind: str) -> None:
    whole = _compress(kind)(b"one\n")
    got: list[bytes] = []
    with pytest.raises(CorruptStreamError):
        got.extend(decompress(cut(whole + whole[:-3], 7), _decoder(kind)))
    assert b"".join(got).startswith(b"one\n")


def test_a_flipped_byte_is_a_corrupt_file_after_the_good_frames() -> None:
    frame = _compress("zst")(json.dumps({"text": "good"}).encode() + b"\n")
    bad = bytearray(frame)
    bad[-1] ^= 1
    items = list(
        read_json_lines(decompress(cut(frame + bytes(bad), 5), _decoder("zst")), 0, Fields())
    )
    (_, good), (place, problem) = items
    assert isinstance(good, Record)
    assert isinstance(problem, Problem)
    assert (place, problem.kind) == (1, "corrupt_file")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"text": "a', "corrupt_json"),
        (b"[" * 100_000, "corrupt_json"),
        (b'{"text": 1' + b"0" * 5000 + b"}", "corrupt_json"),
        (b'{"text": "\xff"}', "bad_encoding"),
        (b'{"text": 1}', "text_not_string"),
    ],
)
def test_a_bad_line_is_a_problem_and_the_next_line_is_read(line: bytes, kind: str) -> None:
    data = line + b'\n\n{"text": "fine"}'
    (_, bad), (place, good) = read_json_lines(iter([data]), 0, Fields())
    assert isinstance(bad, Problem)
    assert bad.kind == kind
    assert isinstance(good, Record)
    assert (place, good.text) == (2, "fine")


def test_a_byte_order_mark_at_the_start_is_no_error() -> None:
    ((_, item),) = read_json_lines(iter([b'\xef\xbb\xbf{"text": "a"}\n']), 0, Fields())
    assert isinstance(item, Record)


@given(st.lists(st.sampled_from([b"", b'{"text": "a"}', b"{", b"\xff"]), max_size=8))
def test_starting_later_gives_the_same_items(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    whole = list(read_json_lines(iter([data]), 0, Fields()))
    for start in range(len(lines) + 1):
        assert list(read_json_lines(iter([data]), start, Fields())) == [
            (place, item) for place, item in whole if place >= start
        ]


def _compress(kind: str):
    return gzip.compress if kind == "gz" else zstandard.ZstdCompressor(write_checksum=True).compress


def _decoder(kind: str):
    if kind == "gz":
        return lambda: zlib.decompressobj(31)
    return zstandard.ZstdDecompressor().decompressobj
