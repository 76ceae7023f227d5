"""Malformed files of every kind: a refusal with a rule id comes out, and nothing else."""

import gzip
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import SubmissionError
from assay.pool.uid import UID_DTYPE
from assay.submission import Submission, read_submission, staged, submission_of
from assay.submission.manifest import examine_manifest
from assay.submission.read import FORMATS
from assay.submission.write import write_submission

RULES = {"F1", "F2", "F3", "F4", "S1", "S3", "S4", "M1"}


@cache
def good_file(suffix: str, folder: Path) -> bytes:
    part = submission_of(np.random.PCG64(1).random_raw(80).view(UID_DTYPE))
    one_stage = suffix == ".npy" or ".txt" in suffix
    submission: Submission = part if one_stage else staged([(0.75, part), (0.25, part)])
    path = folder / f"good{suffix}"
    write_submission(submission, path)
    return path.read_bytes()


@st.composite
def damage(draw: st.DrawFn, data: bytes) -> bytes:
    """Cut, flip, insert, repeat or replace bytes, a few times over."""
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(["cut", "flip", "insert", "repeat", "set", "head"]))
        if kind == "cut":
            data = data[:place]
        elif kind == "flip" and data:
            bit = 1 << draw(st.integers(0, 7))
            data = data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
        elif kind == "insert":
            data = data[:place] + draw(st.binary(max_size=20)) + data[place:]
        elif kind == "repeat":
            data = data[:place] + data[place // 2 :]
        elif kind == "set" and data:
            value = draw(st.sampled_from([b"\x00", b"\xff", b"\x7f", b"\n", b",", b"#"]))
            data = data[:place] + value * draw(st.integers(1, 9)) + data[place + 1 :]
        else:
            data = data[: draw(st.integers(0, 16))] + draw(st.binary(max_size=60))
    return data


def read_or_refuse(path: Path) -> None:
    refusal = None
    try:
        assert read_submission(path, max_entries=10_000).n > 0
    except SubmissionError as error:
        refusal = error
    if refusal is not None:
        assert refusal.rule in RULES
        assert "\n" not in str(refusal)
        assert len(str(refusal)) < 600


@pytest.mark.parametrize("suffix", FORMATS)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_files_are_read_or_refused_and_nothing_else(tmp_path_factory, suffix, data):
    folder = tmp_path_factory.getbasetemp()
    path = folder / f"damaged{suffix}"
    path.write_bytes(data.draw(damage(good_file(suffix, folder))))
    read_or_refuse(path)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(header=st.text(max_size=200), body=st.binary(max_size=64), length=st.integers(0, 65535))
def test_npy_headers_of_any_text_are_refused(tmp_path, header, body, length):
    raw = header.encode("utf-8", "surrogatepass")
    length = len(raw) if length % 2 else length
    path = tmp_path / "s.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + raw + body)
    read_or_refuse(path)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
    | st.binary(max_size=100)
)
def test_manifests_of_any_content_are_read_or_refused_with_rule_m1(tmp_path, value):
    path = tmp_path / "s.npy.json"
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    _, findings = examine_manifest(path)
    assert {finding.rule for finding in findings} <= {"M1"}


def write_bombs(folder: Path) -> None:
    """Files of a few kilobytes that ask for gigabytes."""
    ids = (b"0" * 32 + b"\n") * 1_000_000
    lines = zstandard.ZstdCompressor().compressobj()
    (folder / "lines.txt.zst").write_bytes(
        b"".join(lines.compress(ids) for _ in range(6)) + lines.flush()
    )
    (folder / "one_line.csv.gz").write_bytes(gzip.compress(b"a" * 30_000_000))
    header = b"{'descr': [('f0', '<u8'), ('f1', '<u8')], 'fortran_order': False, 'shape': (1<<31,)}"
    header = header.replace(b"1<<31", str(1 << 31).encode())
    (folder / "header.npy").write_bytes(
        b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    )
    pq.write_table(
        pa.table({"uid": ["a" * 200_000_000]}),
        folder / "page.parquet",
        use_dictionary=False,
        compression="zstd",
        write_statistics=False,
    )
    (folder / "deep.npy.json").write_bytes(b"[" * 60_000)


def test_bombs_cost_no_more_memory_than_an_honest_list(tmp_path):
    write_bombs(tmp_path)
    program = """
import resource, sys
from pathlib import Path
import pyarrow.parquet
from assay.submission import read_submission, read_manifest
from assay.errors import SubmissionError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        (read_manifest if path.suffix == ".json" else read_submission)(path)
    except SubmissionError as error:
        print(error.rule, path.name)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    *refused, megabytes = ran.stdout.split("\n")[:-1]
    assert refused == [
        "M1 deep.npy.json",
        "F3 header.npy",
        "F4 lines.txt.zst",
        "F4 one_line.csv.gz",
        "F4 page.parquet",
    ]
    assert int(megabytes) < 100
