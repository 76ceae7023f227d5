"""Hostile uploads: each is refused with its rule, and nothing of it is left."""

import gzip
import io
import json
import pickle  # noqa: TID251
import re
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.pool.uid import UID_DTYPE
from assay.submission.read import FORMATS
from assay_board.database import Submission
from tiny_lists import a_list

RULES = {"F1", "F2", "F3", "F4", "S1", "S2", "S3", "S4", "M1", "Q1"}


def left(server) -> list[str]:
    """Everything that uploads could have left: files, rows, entries."""
    folder: Path = server.board.settings.folder
    files = [
        str(path) for path in folder.rglob("*") if path.is_file() and "sqlite" not in path.name
    ]
    with server.board.database.read() as session:
        rows = session.scalars(sa.select(Submission.id)).all()
    return [*files, *rows, *["entry"] * server.board.ledger.size]


def check_refused(server, team, data, name, rules, **fields):
    for path in ("/v1/validations", "/v1/submissions"):
        answer = server.hand_in(team, data, name, path=path, **fields)
        assert answer.status_code in (413, 422), answer.text
        problem = answer.json()
        assert problem["rule"] in rules, problem
        assert answer.headers["content-type"] == "application/problem+json"
        assert "\n" not in problem["detail"]
        assert str(server.board.settings.home) not in answer.text
    assert left(server) == []


def npy(header: str, body: bytes = b"") -> bytes:
    raw = header.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(raw).to_bytes(2, "little") + raw + body


def saved(array: np.ndarray, **options: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def parquet(**columns) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream, compression="zstd", use_dictionary=False)
    return stream.getvalue()


def zeros(megabytes: int) -> bytes:
    packer = zstandard.ZstdCompressor().compressobj()
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


HUGE = "{'descr': [('f0', '<u8'), ('f1', '<u8')], 'fortran_order': False, 'shape': (2147483648,)}"
CODE = b"c__builtin__\neval\n(S'1/0'\ntR."
FILES = {
    "header bomb": ("s.npy", npy(HUGE), {"F3"}),
    "endless header": ("s.npy", npy("{" + "'a':1," * 9000), {"F3"}),
    "pickled objects": ("s.npy", saved(np.array([{}], dtype=object), allow_pickle=True), {"F2"}),
    "a pickle": ("s.npy", pickle.dumps([1]), {"F1"}),
    "pickled code": ("s.npy", CODE, {"F1"}),
    "wrong dtype": ("s.npy", saved(np.zeros(9)), {"F2"}),
    "wrong order": ("s.npy", saved(np.zeros(9, dtype=">u8,>u8")), {"F2"}),
    "matrix": ("s.npy", saved(np.zeros((3, 3), dtype=UID_DTYPE)), {"F3"}),
    "cut short": ("s.npy", None, {"F3"}),
    "zip": ("s.npy", b"PK\x03\x04" + bytes(100), {"F1"}),
    "zstd bomb": ("s.txt.zst", zeros(300), {"F4"}),
    "gzip bomb": ("s.csv.gz", gzip.compress(bytes(50_000_000)), {"F4"}),
    "parquet bomb": ("s.parquet", parquet(uid=["a" * 100_000_000]), {"F4"}),
    "nested parquet": ("s.parquet", parquet(uid=[["a"]]), {"F4"}),
    "huge ids": ("s.txt", b"f" * 33 + b"\n", {"S1"}),
    "negative repeats": ("s.csv", b"uid,repeats\n" + b"0" * 32 + b",-1\n", {"S3"}),
    "control characters": ("s.txt", b"\x00\x1b[2J\n", {"S1", "F4", "F1"}),
    "html": ("s.txt", b"<script>alert(1)</script>\n", {"S1"}),
    "unknown ids": ("s.txt", b"0" * 32 + b"\n", {"S2"}),
    "empty": ("s.npy", b"", {"F1"}),
    "empty text": ("s.txt", b"", {"S1"}),
    "no format": ("s.exe", b"MZ", {"F1"}),
    "another's format": ("s.parquet", b"\x93NUMPY\x01\x00", {"F1"}),
}  # fmt: skip


@pytest.fixture
def team(server):
    return server.team()


def test_a_thousand_hostile_files_are_refused_with_their_rule_and_take_no_memory(
    server, team, database_url
):
    process, sizes = psutil.Process(), []
    rounds = 3 if database_url else 1 + 1000 // (2 * len(FILES))
    for _ in range(rounds):
        for name, data, rules in FILES.values():
            data = a_list()[:-8] if data is None else data
            check_refused(server, team, data, name, rules)
        sizes.append(process.memory_info().rss)
    # The first round loads what reads formats, and makes room that is used again.
    assert max(sizes) - sizes[1] < 16 << 20


PATHS = ["../../../etc/cron.d/x.npy", "/etc/passwd.npy", "..\\..\\x.npy", "\x00.npy", "a\nb.npy", "~/.npy",
         "<img src=x onerror=alert(1)>.npy", "\u202e.npy", "x" * 1000 + ".npy", "CON.npy", "%2e%2e/s.npy"]  # fmt: skip


def test_what_a_file_is_called_names_nothing_here(server, team):
    home = server.board.settings.home
    before = {path for path in home.parent.rglob("*") if "board" not in path.parts}
    for name in PATHS:
        assert server.hand_in(team, name=name, path="/v1/validations").is_success
    assert {path for path in home.parent.rglob("*") if "board" not in path.parts} == before
    assert left(server) == []
    assert server.hand_in(team, name=PATHS[0]).status_code == 202
    (stored,) = (home / "board" / "submissions").iterdir()
    assert re.fullmatch("[0-9a-f]{64}", stored.name)
    assert [path.name for path in stored.iterdir()] == ["list.parquet"]


TEXTS = ["name", "method", "licence", "code", "authors", "external_data", "external_models"]
BAD = ["\x1b[2J", "a\x00b", "\u202egnirts", "\ud800", "x" * 100_000, {"a": 1}, 7]


def test_control_characters_and_lengths_in_every_text_field_are_refused(server, team):
    for field in TEXTS:
        for value in BAD:
            one = [value] if field in ("authors", "external_data", "external_models") else value
            manifest = json.dumps({field: one})
            check_refused(server, team, a_list(), "s.npy", {"M1"}, manifest=manifest)
    for code in ("javascript:alert(1)", "file:///etc/passwd", "http://", "data:text/html,x"):
        manifest = json.dumps({"code": code})
        check_refused(server, team, a_list(), "s.npy", {"M1"}, manifest=manifest)
    for manifest in (
        "[" * 50_000,
        "{",
        "null",
        "[]",
        '{"name": NaN}',
        '{"name":"a","name":"b"}',
        "{}" * 40_000,
    ):
        check_refused(server, team, a_list(), "s.npy", {"M1"}, manifest=manifest)


def test_html_is_kept_as_text_and_never_as_html(server, team):
    name = "<script>alert(1)</script>"
    answer = server.hand_in(team, manifest=json.dumps({"name": name}))
    submission = answer.json()["submission"]
    assert submission["name"] == name
    page = server.client.get(f"/submissions/{submission['id']}")
    assert page.status_code == 200
    assert name not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


FIELDS = [
    {"track": "../x"}, {"scale": "\x00"}, {"seeds": "00000"}, {"seeds": "11"}, {"seeds": "1e9"}, {"seeds": "-1"},
    {"seeds": "\u0663"}, {"seeds": "9" * 5000}, {"track": None}, {"scale": None}, {"extra": "x", "more": "y"},
    {"track": "x" * 300_000},
]  # fmt: skip


def test_requests_that_make_no_sense_are_refused(server, team):
    for fields in FIELDS:
        answer = server.hand_in(team, **fields)
        assert answer.status_code in (404, 422), (fields, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(answer.text) < 2000
    post = server.client.post
    for body in ({"content": b"x"}, {"json": {}}, {"files": {"list": b"x"}, "data": {"list": "x"}}):
        assert post("/v1/submissions", headers=team, **body).status_code == 422
    headers = team | {"content-type": "multipart/form-data; boundary=x"}
    for content in (b"", b"--x\r\n", b"--x\r\n\r\n\r\n--x--", b"\xff" * 1000):
        assert post("/v1/submissions", headers=headers, content=content).status_code == 422
    assert left(server) == []


def test_uploads_are_capped_while_they_stream(start):
    server = start(max_upload_bytes=100_000)
    team = server.team()
    headers = team | {"content-type": "multipart/form-data; boundary=x"}
    answer = server.client.post("/v1/submissions", headers=headers, content=bytes(3_000_000))
    assert (answer.status_code, answer.json()["rule"]) == (413, "F1")
    # Nobody without a token gets anything read at all.
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = server.client.post("/v1/submissions", headers=headers, content=bytes(500_000))
    assert answer.status_code == 401
    assert server.client.post("/v1/teams", json={"name": "x" * 100_000}).status_code == 413
    assert left(server) == []


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(data)))
        cut = draw(st.integers(0, 40))
        data = data[:place] + draw(st.binary(max_size=20)) + data[place + cut :]
    return data


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_anything_is_accepted_or_refused_with_a_rule(server, team, data):
    suffix = data.draw(st.sampled_from(FORMATS))
    content = data.draw(damaged(a_list(suffix=suffix)))
    fields = {
        "manifest": data.draw(st.none() | st.text(max_size=50) | st.just('{"name": "x"}')),
        "seeds": data.draw(st.none() | st.text(max_size=4)),
    }
    answer = server.hand_in(team, content, f"s{suffix}", path="/v1/validations", **fields)
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 422:
        assert answer.json()["rule"] in RULES
    assert left(server) == []
