"""Reading files: every format says the same, and every rule about files refuses."""

import gzip
import io
import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import SubmissionError
from assay.pool.uid import UID_DTYPE, uids_to_hex
from assay.submission import Submission, read_submission, staged, submission_of, write_submission

ALL_FORMATS = (".npy", ".parquet", ".txt", ".txt.zst", ".txt.gz", ".csv", ".csv.zst", ".csv.gz")
TABLES = (".parquet", ".csv", ".csv.zst", ".csv.gz")


def some_uids(n: int, seed: int = 0) -> np.ndarray:
    return np.random.PCG64(seed).random_raw(2 * n).view(UID_DTYPE)


def refusal(path: Path, **options) -> SubmissionError:
    with pytest.raises(SubmissionError) as caught:
        read_submission(path, **options)
    return caught.value


def written(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize("suffix", ALL_FORMATS)
def test_ids_come_back_from_every_format(tmp_path, suffix):
    submission = submission_of(some_uids(100))
    path = tmp_path / f"s{suffix}"
    write_submission(submission, path)
    assert read_submission(path).digest == submission.digest


@pytest.mark.parametrize("suffix", [s for s in ALL_FORMATS if s != ".npy"])
def test_weights_come_back_from_every_format_that_holds_them(tmp_path, suffix):
    submission = submission_of(some_uids(100), repeats=np.arange(100) % 3 + 1)
    path = tmp_path / f"s{suffix}"
    write_submission(submission, path)
    again = read_submission(path)
    assert (again.form, again.digest) == ("weighted", submission.digest)


@pytest.mark.parametrize("suffix", TABLES)
def test_stages_come_back_from_every_table(tmp_path, suffix):
    submission = staged(
        [
            (1 / 3, submission_of(some_uids(10, seed=1))),
            (1 / 3, submission_of(some_uids(5, seed=2), repeats=np.full(5, 2))),
            (1 / 3, submission_of(some_uids(10, seed=1))),
        ]
    )
    path = tmp_path / f"s{suffix}"
    write_submission(submission, path)
    again = read_submission(path)
    assert (again.form, again.digest) == ("staged", submission.digest)


@pytest.mark.parametrize("suffix", ALL_FORMATS)
def test_chunks_come_back_from_every_format(tmp_path, suffix):
    chunks = np.array([0, 3, 1, 2**31 - 1])
    submission = submission_of(some_uids(1).repeat(4), chunks=chunks, unit="tokens512")
    path = tmp_path / f"s{suffix}"
    write_submission(submission, path)
    assert read_submission(path, unit="tokens512").digest == submission.digest


@pytest.mark.parametrize(
    ("suffix", "submission"),
    [
        (".npy", submission_of(some_uids(2), repeats=np.array([1, 2]))),
        (".txt", staged([(0.5, submission_of(some_uids(2)))] * 2)),
    ],
)
def test_a_format_that_cannot_hold_the_form_is_refused_not_flattened(tmp_path, suffix, submission):
    with pytest.raises(SubmissionError, match=r"\.parquet or \.csv") as caught:
        write_submission(submission, tmp_path / f"s{suffix}")
    assert caught.value.rule == "F1"
    assert not list(tmp_path.iterdir())


def test_a_file_made_as_datacomp_says_is_read(tmp_path):
    ids = [f"{i * 7919:032x}" for i in range(1, 20)]
    path = tmp_path / "subset.npy"
    np.save(path, np.array([(int(u[:16], 16), int(u[16:], 16)) for u in ids], np.dtype("u8,u8")))
    assert uids_to_hex(read_submission(path).stages[0].uids) == sorted(ids)


@settings(max_examples=40)
@given(st.data())
def test_any_submission_survives_any_format_that_holds_it(tmp_path_factory, data):
    def part() -> Submission:
        n = data.draw(st.integers(1, 8))
        uids = some_uids(n, seed=data.draw(st.integers(0, 3)))
        repeats = data.draw(st.lists(st.integers(1, 5), min_size=n, max_size=n))
        return submission_of(uids, repeats=np.array(repeats))

    num_stages = data.draw(st.integers(1, 4))
    submission = staged([(1 / num_stages, part()) for _ in range(num_stages)])
    path = tmp_path_factory.mktemp("s") / f"s{data.draw(st.sampled_from(TABLES))}"
    write_submission(submission, path)
    again = read_submission(path)
    assert (again.form, again.digest) == (submission.form, submission.digest)


def test_text_takes_windows_line_ends_a_missing_last_one_and_capitals(tmp_path):
    a, b = uids_to_hex(some_uids(2))
    plain = read_submission(written(tmp_path / "a.txt", f"{a}\n{b}\n"))
    other = read_submission(written(tmp_path / "b.txt", f"\ufeff{b.upper()}\r\n{a}"))
    assert plain.digest == other.digest


def test_text_takes_repeats_on_some_lines_only(tmp_path):
    a, b = uids_to_hex(some_uids(2))
    path = written(tmp_path / "s.txt", f"{a} 3\n{b}\n")
    assert sorted(read_submission(path).stages[0].repeats.tolist()) == [1, 3]


def test_text_takes_warc_record_ids(tmp_path):
    path = written(tmp_path / "s.txt", "<urn:uuid:01234567-89ab-cdef-0123-456789abcdef>\n")
    assert uids_to_hex(read_submission(path).stages[0].uids) == ["0123456789abcdef" * 2]


def test_lists_longer_than_a_block_are_read_whole(tmp_path):
    submission = submission_of(some_uids(70_000), repeats=np.arange(70_000) % 2 + 1)
    for suffix in (".txt.zst", ".parquet"):
        write_submission(submission, tmp_path / f"s{suffix}")
        assert read_submission(tmp_path / f"s{suffix}").digest == submission.digest


@pytest.mark.parametrize("quote", ["", '"'])
def test_csv_columns_come_in_any_order_and_quoted_or_not(tmp_path, quote):
    (uid,) = uids_to_hex(some_uids(1))
    header = ",".join(f"{quote}{name}{quote}" for name in ("repeats", "uid"))
    path = written(tmp_path / "s.csv", f"{header}\n2,{quote}{uid}{quote}\n")
    assert read_submission(path).stages[0].repeats.tolist() == [2]


def test_parquet_takes_sixteen_bytes_for_a_uid_and_ignores_pandas_index(tmp_path):
    uids = some_uids(3)
    raw = [bytes.fromhex(text) for text in uids_to_hex(uids)]
    table = pa.table({"uid": pa.array(raw, pa.binary(16)), "__index_level_0__": [4, 5, 6]})
    pq.write_table(table, tmp_path / "s.parquet")
    assert read_submission(tmp_path / "s.parquet").digest == submission_of(uids).digest


def test_the_unit_of_chunks_comes_from_the_manifest(tmp_path):
    (uid,) = uids_to_hex(some_uids(1))
    path = written(tmp_path / "s.txt", f"{uid}#4\n")
    assert refusal(path).rule == "S1"
    written(tmp_path / "s.txt.json", json.dumps({"unit": "words128"}))
    assert read_submission(path).unit == "words128"
    assert read_submission(path, unit="tokens512").unit == "tokens512"


def test_rows_are_those_of_the_file_as_handed_in(tmp_path):
    uids = uids_to_hex(some_uids(5))
    path = written(tmp_path / "s.csv", "uid\n" + "\n".join(uids) + "\n")
    stage = read_submission(path).stages[0]
    lines = path.read_text().splitlines()
    for entry, uid in enumerate(uids_to_hex(stage.uids)):
        assert lines[stage.file_row(entry) - 1] == uid


# ---------------------------------------------------------------- F1: size, format, first bytes


def test_f1_a_file_larger_than_any_list_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "s.npy"
    with path.open("wb") as stream:
        stream.truncate(10 << 30)  # sparse
    assert refusal(path, max_entries=1000).rule == "F1"


@pytest.mark.parametrize("name", ["s.npz", "s.zip", "s.pkl", "s.json", "s", "s.tar.gz", "s.pt"])
def test_f1_formats_are_on_a_list(tmp_path, name):
    error = refusal(written(tmp_path / name, b"PK\x03\x04"))
    assert error.rule == "F1"
    assert ".parquet" in error.message


@pytest.mark.parametrize("suffix", ALL_FORMATS)
def test_f1_first_bytes_match_the_suffix(tmp_path, suffix):
    wrong = gzip.compress(b"x") if not suffix.endswith(".gz") else b"\x93NUMPY\x01\x00"
    assert refusal(written(tmp_path / f"s{suffix}", wrong)).rule == "F1"


def test_f1_an_absent_file_or_a_folder_is_refused(tmp_path):
    assert refusal(tmp_path / "none.npy").rule == "F1"
    (tmp_path / "folder.npy").mkdir()
    assert refusal(tmp_path / "folder.npy").rule == "F1"


# ---------------------------------------------------------------- F2: no pickle, one type


def test_f2_a_pickle_in_npy_is_refused_and_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    path = tmp_path / "s.npy"
    np.save(path, np.array([Bomb()], dtype=object), allow_pickle=True)
    error = refusal(path)
    assert (error.rule, "pickled" in error.message) == ("F2", True)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "dtype", ["<u8", ">u8,>u8", "<i8,<i8", "<u8,<u8,<u8", "<u4,<u4", "S32", "U32", "<f8", "<u8,O"]
)
def test_f2_any_other_type_is_refused(tmp_path, dtype):
    path = tmp_path / "s.npy"
    np.save(path, np.zeros(3, dtype=dtype), allow_pickle=True)
    error = refusal(path)
    assert error.rule == "F2"
    assert "u8,u8" in error.message


# ---------------------------------------------------------------- F3: the header of .npy


def npy_header(text: str, version: tuple[int, int] = (1, 0)) -> bytes:
    width = "<H" if version == (1, 0) else "<I"
    return b"\x93NUMPY" + bytes(version) + struct.pack(width, len(text)) + text.encode()


UIDS_HEADER = "{'descr': [('f0', '<u8'), ('f1', '<u8')], 'fortran_order': False, 'shape': %s}\n"


@pytest.mark.parametrize(
    "header",
    [
        npy_header(UIDS_HEADER % "(2147483648,)"),
        npy_header(UIDS_HEADER % "(1000000000000000000000,)"),
        npy_header(UIDS_HEADER % "(-1,)"),
        npy_header(UIDS_HEADER % "(2, 2)"),
        npy_header(UIDS_HEADER % "()"),
        npy_header(UIDS_HEADER % "(2,)", version=(2, 0)),
        npy_header("(" * 1000),
        npy_header("-" * 900 + "1"),
        npy_header("{'descr': '<u8', 1: 2, b'x': 3}"),
        npy_header("{" + " " * 5000 + "}"),
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"\x93NUMPY",
        b"\x93NUMPY\x09\x09",
    ],
)
def test_f3_a_header_that_lies_or_does_not_parse_is_refused(tmp_path, header):
    assert refusal(written(tmp_path / "s.npy", header + bytes(32))).rule == "F3"


def test_f3_a_truncated_file_is_refused(tmp_path):
    stream = io.BytesIO()
    np.save(stream, some_uids(10))
    error = refusal(written(tmp_path / "s.npy", stream.getvalue()[:-8]))
    assert (error.rule, "truncated" in error.message) == ("F3", True)


# ---------------------------------------------------------------- F4: bombs


def test_f4_a_zstd_bomb_is_stopped_at_the_ratio(tmp_path):
    path = written(tmp_path / "s.txt.zst", zstandard.compress((b"0" * 32 + b"\n") * 3_000_000))
    error = refusal(path)
    assert (error.rule, "times its size" in error.message) == ("F4", True)


def test_f4_a_gzip_bomb_is_stopped_at_the_ratio(tmp_path):
    path = written(tmp_path / "s.csv.gz", gzip.compress(b"uid\n" + (b"0" * 32 + b"\n") * 500_000))
    assert refusal(path).rule == "F4"


def test_f4_more_lines_than_fit_are_refused(tmp_path):
    text = "".join(f"{uid}\n" for uid in uids_to_hex(some_uids(11)))
    assert refusal(written(tmp_path / "s.txt", text), max_entries=10).rule == "F4"


@pytest.mark.parametrize("length", [129, 5_000_000])
def test_f4_a_line_longer_than_any_id_is_refused(tmp_path, length):
    path = written(tmp_path / "s.txt", b"a" * length + b"\n")
    error = refusal(path, max_entries=10**6)
    assert (error.rule, "line" in error.message) == ("F4", True)


@pytest.mark.parametrize("suffix", [".txt.zst", ".txt.gz"])
def test_f4_a_compressed_file_that_was_cut_short_is_refused(tmp_path, suffix):
    path = tmp_path / f"s{suffix}"
    write_submission(submission_of(some_uids(50_000)), path)
    whole = path.read_bytes()
    error = refusal(written(path, whole[: len(whole) // 2]))
    assert (error.rule, "damaged" in error.message) == ("F4", True)


@pytest.mark.parametrize(
    "table",
    [
        {"uid": ["0" * 32], "url": ["https://example.org"]},
        {"id": ["0" * 32]},
        {"uid": [["0" * 32]]},
        {"uid": [{"a": "0" * 32}]},
        {"uid": [5]},
        {"uid": ["0" * 32], "repeats": [1.5]},
        {"uid": ["0" * 32], "repeats": ["1"]},
    ],
)
def test_f4_parquet_columns_are_on_a_list_and_flat(tmp_path, table):
    pq.write_table(pa.table(table), tmp_path / "s.parquet")
    error = refusal(tmp_path / "s.parquet")
    assert (error.rule, "column" in error.message) == ("F4", True)


def test_f4_a_parquet_dictionary_bomb_is_refused(tmp_path):
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), ["a" * 50_000_000])
    pq.write_table(pa.table({"uid": long}), tmp_path / "s.parquet", compression="zstd")
    error = refusal(tmp_path / "s.parquet")
    assert (error.rule, "unpacks" in error.message) == ("F4", True)


def test_f4_a_long_parquet_id_within_the_cap_is_refused_undecoded(tmp_path):
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 60_000, pa.int32()), ["a" * 1_000_000])
    pq.write_table(pa.table({"uid": long}), tmp_path / "s.parquet")
    error = refusal(tmp_path / "s.parquet")
    assert (error.rule, "an id of over" in error.message) == ("F4", True)


def test_f4_a_forged_parquet_footer_does_not_hide_what_the_pages_unpack_to(tmp_path):
    path = tmp_path / "s.parquet"
    pq.write_table(pa.table({"uid": ["a" * 50_000_000]}), path, use_dictionary=False)
    footer = path.read_bytes()
    length = int.from_bytes(footer[-8:-4], "little")
    metadata = pq.ParquetFile(path).metadata.row_group(0).column(0)
    declared = varint(zigzag(metadata.total_uncompressed_size))
    head, tail = footer[: -8 - length], footer[-8 - length :]
    assert declared in tail
    small = varint_padded(zigzag(1000), len(declared))
    path.write_bytes(head + tail.replace(declared, small))
    forged = pq.ParquetFile(path).metadata.row_group(0).column(0)
    assert forged.total_uncompressed_size == 1000
    error = refusal(path)
    assert (error.rule, "unpacks" in error.message) == ("F4", True)


def zigzag(value: int) -> int:
    return value << 1


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def varint_padded(value: int, length: int) -> bytes:
    """Write a number in exactly `length` bytes, with high groups of zero."""
    groups = [value >> 7 * i & 0x7F | 0x80 for i in range(length)]
    return bytes(groups[:-1]) + bytes([groups[-1] & 0x7F])


def test_f4_a_truncated_parquet_file_is_refused(tmp_path):
    path = tmp_path / "s.parquet"
    write_submission(submission_of(some_uids(100)), path)
    assert refusal(written(path, path.read_bytes()[:-20])).rule == "F4"


def test_f4_more_parquet_rows_than_fit_are_refused(tmp_path):
    write_submission(submission_of(some_uids(11)), tmp_path / "s.parquet")
    assert refusal(tmp_path / "s.parquet", max_entries=10).rule == "F4"


# ---------------------------------------------------------------- S1, S3, S4 in a file


@pytest.mark.parametrize(
    ("name", "text", "rule", "row"),
    [
        ("s.txt", "{0}\nnot an id at all\n", "S1", 2),
        ("s.txt", "{0}\n{1}0\n", "S1", 2),
        ("s.txt", "{0}\n\n{1}\n", "S1", 2),
        ("s.txt", "{0}\n{1}#x\n", "S1", 1),
        ("s.txt", "{0}#1\n{1}\n", "S1", 2),
        ("s.txt", "{0}\n{1} 0\n", "S3", 2),
        ("s.txt", "{0}\n{1} -1\n", "S3", 2),
        ("s.txt", "{0}\n{1} 1.5\n", "S3", 2),
        ("s.txt", "{0}\n{1}\n{0}\n", "S3", 3),
        ("s.txt", "{0} 1\n{0} 2\n", "S3", 2),
        ("s.csv", "uid\n{0}\n{1}\n{0}\n", "S3", 4),
        ("s.csv", "uid,repeats\n{0},1\n{1},x\n", "S3", 3),
        ("s.csv", "uid,repeats\n{0},1\n{1}\n", "S1", 3),
        ("s.csv", "{0}\n{1}\n", "F4", 1),
        ("s.csv", "uid,url\n{0},http\n", "F4", 1),
        ("s.csv", "uid,stage\n{0},0\n", "S1", None),
        ("s.csv", "uid,stage,share\n{0},0,0.5\n{1},2,0.5\n", "S1", None),
        ("s.csv", "uid,stage,share\n{0},0,0.5\n{1},0,0.6\n", "S4", 3),
        ("s.csv", "uid,stage,share\n{0},0,0.5\n{1},1,0.4\n", "S4", None),
        ("s.csv", "uid,stage,share\n{0},0,nan\n{1},1,0.4\n", "S4", 2),
        ("s.csv", "uid,stage,share\n{0},0,half\n{1},1,0.4\n", "S4", 2),
        ("s.csv", "uid\n", "S1", None),
        ("s.txt", "", "S1", None),
    ],
)
def test_what_a_line_gets_wrong_is_refused_with_its_rule_and_row(tmp_path, name, text, rule, row):
    error = refusal(written(tmp_path / name, text.format(*uids_to_hex(some_uids(2)))))
    assert (error.rule, error.row) == (rule, row)


def test_nulls_in_parquet_are_refused_with_their_row(tmp_path):
    pq.write_table(pa.table({"uid": ["0" * 32, None]}), tmp_path / "s.parquet")
    error = refusal(tmp_path / "s.parquet")
    assert (error.rule, error.row) == ("S1", 1)
