import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.pool.records import (
    Fields,
    Problem,
    Record,
    complete_columns,
    derive_uid,
    host_of,
    parse_uid,
    read_record,
    text_problem,
)

HEX = "00112233445566778899aabbccddeeff"
UUID = "00112233-4455-6677-8899-aabbccddeeff"


def record(raw: object, **fields: str) -> Record:
    found = read_record(raw, Fields(**fields))
    assert isinstance(found, Record)
    return found


def problem(raw: object, **fields: str) -> str:
    found = read_record(raw, Fields(**fields))
    assert isinstance(found, Problem)
    return found.kind


@pytest.mark.parametrize(
    "raw",
    [
        {"uid": HEX},
        {"id": UUID},
        {"id": HEX.upper()},
        {"WARC-Record-ID": f"<urn:uuid:{UUID}>"},
        {"metadata": {"WARC-Record-ID": f"<urn:uuid:{UUID}>"}},
        {"uid": bytes.fromhex(HEX)},
        {"uid": HEX, "id": "doc_17"},
    ],
)
def test_a_128_bit_id_of_the_sources_own_is_kept(raw: dict) -> None:
    assert record({"text": "a", **raw}).uid == bytes.fromhex(HEX)


def test_what_became_the_uid_is_no_column_and_another_own_id_is_source_id() -> None:
    found = record({"text": "a", "uid": HEX, "id": "doc_17", "n": 3})
    assert found.columns == {"source_id": "doc_17", "n": 3}


def test_any_other_own_id_is_kept_and_hashed_under_a_namespace() -> None:
    found = record({"text": "a", "id": "doc_17"})
    expected = hashlib.sha256(b"assay uid 1\0id\0doc_17").digest()[:16]
    assert (found.uid, found.columns["source_id"]) == (expected, "doc_17")
    assert record({"text": "b", "id": "doc_17"}).uid == expected
    assert record({"text": "b", "id": 17}).uid == derive_uid("17", None, "")


def test_without_an_id_url_and_text_are_hashed() -> None:
    expected = hashlib.sha256(b"assay uid 1\0text\0http://x\0hi").digest()[:16]
    assert record({"text": "hi", "url": "http://x"}).uid == expected
    assert record({"text": "hi", "url": "http://y"}).uid != expected


def test_id_field_chooses_and_a_record_without_it_is_a_problem() -> None:
    assert record({"text": "a", "id": HEX, "doc": "x"}, id="doc").columns["source_id"] == "x"
    assert record({"text": "a", "metadata": {"doc": HEX}}, id="metadata.doc").uid == bytes.fromhex(
        HEX
    )
    assert problem({"text": "a", "id": HEX}, id="doc") == "missing_id"


def test_id_field_none_ignores_own_ids() -> None:
    first = record({"text": "a", "id": "1"}, id="none")
    assert first.uid == derive_uid(None, None, "a")
    assert first.columns == {"id": "1"}


def test_metadata_scalars_become_columns_and_the_top_level_wins() -> None:
    raw = {
        "text": "a",
        "id": HEX,
        "lang": "en",
        "tags": ["x"],
        "metadata": {"lang": "de", "rank": 2, "deep": {}},
    }
    assert record(raw).columns == {"lang": "en", "rank": 2}


def test_a_field_called_like_a_column_of_the_pools_own_is_renamed() -> None:
    raw = {"body": "a", "id": HEX, "text": "short", "n_tokens": 3}
    assert record(raw, text="body").columns == {"source_text": "short", "source_n_tokens": 3}


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ([1], "corrupt_json"),
        ("text", "corrupt_json"),
        ({"body": "a"}, "missing_text"),
        ({"text": None}, "missing_text"),
        ({"text": ["a"]}, "text_not_string"),
        ({"text": 3}, "text_not_string"),
    ],
)
def test_what_is_no_document_says_why(raw: object, kind: str) -> None:
    assert problem(raw) == kind


@pytest.mark.parametrize(
    ("text", "kind"), [("", "empty"), (" \n\t", "empty"), ("a\ud800", "bad_encoding"), ("a", None)]
)
def test_a_text_must_say_something_in_utf8(text: str, kind: str | None) -> None:
    found = text_problem(text)
    assert (found.kind if found else None) == kind


def test_a_text_over_64_mb_is_too_long() -> None:
    assert text_problem("ü" * 32_000_000) is None
    found = text_problem("ü" * 32_000_001)
    assert found is not None
    assert found.kind == "too_long"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://WWW.Example.org:80/a?b", "www.example.org"),
        ("example.org/path", "example.org"),
        ("http://[::1", None),
        ("/only/a/path", None),
    ],
)
def test_host_is_read_from_the_url(url: str, host: str | None) -> None:
    assert host_of(url) == host


def test_the_known_columns_are_always_filled_the_same_way() -> None:
    full = complete_columns({"WARC-Date": "2020-01-01", "url": "http://a.b/c"}, "file.jsonl")
    assert {name: full[name] for name in ("url", "host", "timestamp", "source", "source_id")} == {
        "url": "http://a.b/c",
        "host": "a.b",
        "timestamp": "2020-01-01",
        "source": "file.jsonl",
        "source_id": None,
    }
    assert complete_columns({"url": "", "source": "wiki"}, "x")["url"] is None
    assert complete_columns({"url": "", "source": "wiki"}, "x")["source"] == "wiki"


@given(st.binary(min_size=16, max_size=16))
def test_every_id_is_read_back_from_hex_and_uuid(raw: bytes) -> None:
    digits = raw.hex()
    dashed = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    assert parse_uid(digits) == parse_uid(dashed) == parse_uid(f"<urn:uuid:{dashed}>") == raw


@given(st.one_of(st.text(), st.integers(), st.none(), st.binary(max_size=15)))
def test_nothing_else_is_a_128_bit_id(value: object) -> None:
    found = parse_uid(value)
    assert found is None or len(found) == 16
