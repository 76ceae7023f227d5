"""Rule M1: what a manifest may say."""

import json
import unicodedata
from pathlib import Path

import pytest

from assay.errors import SubmissionError
from assay.submission import Manifest, read_manifest
from assay.submission.manifest import MAX_MANIFEST_BYTES, check_manifest, manifest_bytes

FULL = {
    "name": "Rules, twice",
    "authors": ["Ada", "Grace"],
    "method": "First this,\nthen that.",
    "code": "https://example.org/code",
    "licence": "CC-BY-4.0",
    "external_data": ["Wikipedia 2024-01"],
    "external_models": [],
    "used_evaluation_data": False,
    "curation_seconds": 12.5,
    "unit": "document",
    "digest": "sha256:" + "0" * 64,
    "strategy": {"name": "mine", "parameters": {"fraction": 0.3}, "seed": 0},
}


def problem(value: object) -> str:
    _, findings = check_manifest(value)
    assert [finding.rule for finding in findings] == ["M1"]
    return findings[0].message


def test_a_full_manifest_survives_writing_and_reading(tmp_path):
    manifest, findings = check_manifest(FULL)
    assert findings == []
    (tmp_path / "m.json").write_bytes(manifest_bytes(manifest))
    assert read_manifest(tmp_path / "m.json") == manifest
    assert json.loads((tmp_path / "m.json").read_text()) == FULL


def test_everything_is_optional():
    assert check_manifest({}) == (Manifest(), [])


def test_text_is_brought_to_nfc():
    manifest, _ = check_manifest({"name": unicodedata.normalize("NFD", "Zoë")})
    assert manifest.name == unicodedata.normalize("NFC", "Zoë")


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\u202e", "\u2066", "\ud800"])
def test_control_characters_are_refused(character):
    assert "U+" in problem({"method": f"nice{character}method"})


def test_new_lines_are_for_the_method_alone():
    assert check_manifest({"method": "a\nb\tc"})[1] == []
    assert "one line" in problem({"name": "a\nb"})


def test_joiners_that_scripts_need_are_kept():
    assert check_manifest({"authors": ["می\u200cخواهم"]})[1] == []


@pytest.mark.parametrize(
    "value",
    [
        {"name": "x" * 201},
        {"method": "x" * 4001},
        {"authors": ["x"] * 51},
        {"authors": ["x" * 201]},
        {"authors": "Ada"},
        {"name": 5},
        {"used_evaluation_data": "no"},
        {"curation_seconds": -1},
        {"curation_seconds": True},
        {"curation_seconds": 10**400},
        {"unit": "page"},
        {"strategy": {"a": {"b": {"c": {"d": 1}}}}},
        {"strategy": {"list": [1]}},
        {"strategy": "mine"},
        {"surprise": 1},
        [],
    ],
)
def test_what_is_too_long_of_another_type_or_unknown_is_refused(value):
    key = next(iter(value), "object")
    assert key in problem(value)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "ftp://example.org", "file:///etc/passwd", "example.org", "http://", "https://a b", "http://[x"],
)  # fmt: skip
def test_urls_have_a_scheme_on_the_list_and_a_host(url):
    assert "code" in problem({"code": url})


@pytest.mark.parametrize("url", ["https://example.org/x?y=1#z", "http://localhost:8000", ""])
def test_urls_of_the_web_are_taken(url):
    assert check_manifest({"code": url})[0].code == url


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"name": "a", "name": "b"}',
        '{"curation_seconds": NaN}',
        '{"curation_seconds": 1e999}',
        '{"strategy": {"x": 1e999}}',
        '{"name": "\\ud800"}',
        "[" * 50_000,
        "\x00",
        '"' + "a" * MAX_MANIFEST_BYTES + '"',
    ],
)
def test_what_is_no_plain_json_is_refused(tmp_path: Path, text):
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(SubmissionError) as caught:
        read_manifest(path)
    assert caught.value.rule == "M1"


def test_bytes_that_are_no_utf8_are_refused(tmp_path):
    (tmp_path / "m.json").write_bytes(b'{"name": "\xff"}')
    with pytest.raises(SubmissionError) as caught:
        read_manifest(tmp_path / "m.json")
    assert caught.value.rule == "M1"


def test_all_that_is_wrong_is_found_at_once():
    manifest, findings = check_manifest({"name": 1, "code": "x", "licence": "MIT", "new": 0})
    assert len(findings) == 3
    assert manifest.licence == "MIT"
