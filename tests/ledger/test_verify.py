"""Every kind of tampering is named, with the entry that is to blame."""

import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.canonical import canonical_json, digest_json
from assay.errors import LedgerError
from assay.ledger import EXIT_CODES, Ledger, entry_path, verify_ledger
from assay.ledger.entry import (
    content_digest,
    make_entry,
    make_head,
)
from assay.ledger.keys import load_or_create_key
from ledgers import digest, filled, open_ledger, record, retraction
from tampering import SIZE, TAMPERINGS, edit_head, resigned


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("ledger")
    filled(home, SIZE)
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "home"
    shutil.copytree(template, copy)
    return copy


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_named(name: str, home: Path) -> None:
    tamper, fault, index, message = TAMPERINGS[name]
    tamper(home)
    report = verify_ledger(home / "ledger")
    assert report.finding is not None
    assert (report.finding.fault, report.finding.index) == (fault, index)
    assert message in report.finding.message
    assert report.exit_code == EXIT_CODES[report.finding.fault]
    if index is not None:
        assert report.size == index


def test_exit_codes_are_distinct() -> None:
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)
    assert min(EXIT_CODES.values()) > 2


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_any_file_can_change_unnoticed(template: Path, data: st.DataObject) -> None:
    files = [
        path for path in sorted((template / "ledger").rglob("*.json")) if path.name != "keys.json"
    ]
    path = data.draw(st.sampled_from(files))
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != before[at]))
    try:
        path.write_bytes(before[:at] + bytes([value]) + before[at + 1 :])
        report = verify_ledger(template / "ledger")
    finally:
        path.write_bytes(before)
    # The head is JSON for people too: white space around its fields changes nothing that was signed.
    assert not report.ok or (path.name == "head.json" and at == len(before) - 1)
    if report.finding and path.name != "head.json":
        assert report.finding.index == int(path.stem)


def test_history_that_its_own_owner_rewrote_is_a_fork(home: Path) -> None:
    seen = open_ledger(home).head().root
    resigned(home, home, 2, SIZE, **record("m", 2, 1.0))
    assert verify_ledger(home / "ledger").ok
    report = verify_ledger(home / "ledger", since=seen)
    assert report.finding is not None
    assert (report.finding.fault, report.exit_code) == ("fork", EXIT_CODES["fork"])


def test_a_ledger_that_was_cut_short_is_a_fork_to_who_saw_more(home: Path) -> None:
    ledger = open_ledger(home)
    seen, root = ledger.head().root, ledger.root(4)
    for index in (4, 5):
        entry_path(ledger.folder, index).unlink()
    key = load_or_create_key(home / "keys" / "ledger.ed25519")
    edit_head(home, **asdict(make_head(key, size=4, root=root, time="2026-01-01T00:00:00+00:00")))
    assert verify_ledger(home / "ledger").ok
    assert verify_ledger(home / "ledger", since=root).since_size == 4
    finding = verify_ledger(home / "ledger", since=seen).finding
    assert finding is not None
    assert finding.fault == "fork"


@pytest.mark.parametrize("size", range(SIZE + 1))
def test_a_ledger_that_only_grew_continues_every_root_that_it_had(size: int, home: Path) -> None:
    root = open_ledger(home).root(size)
    for word in (root, root.removeprefix("sha256:")):
        report = verify_ledger(home / "ledger", since=word)
        assert (report.ok, report.since_size) == (True, size)


def test_who_knows_the_key_does_not_believe_the_list_in_the_folder(home: Path) -> None:
    honest = open_ledger(home).head().key
    stranger = home.parent / "stranger"
    name = filled(stranger, 0).head().key
    resigned(home, stranger, 0, SIZE, **record("m", 0, 0.1))
    (home / "ledger" / "keys.json").write_bytes(canonical_json({"keys": [name]}))
    assert verify_ledger(home / "ledger").ok
    finding = verify_ledger(home / "ledger", keys=[honest]).finding
    assert finding is not None
    assert (finding.fault, finding.index) == ("key", 0)


def test_a_head_that_lags_by_one_is_what_a_killed_process_leaves_and_by_two_is_not(
    home: Path,
) -> None:
    ledger = open_ledger(home)
    head = (ledger.folder / "head.json").read_bytes()
    ledger.append("retraction", retraction(digest("m")))
    (ledger.folder / "head.json").write_bytes(head)
    report = verify_ledger(ledger.folder)
    assert (report.ok, report.size, report.head_size) == (True, SIZE + 1, SIZE)
    assert Ledger.open(ledger.folder).size == SIZE + 1
    assert open_ledger(home).head().size == SIZE + 1
    ledger.append("retraction", retraction(digest("m")))
    (ledger.folder / "head.json").write_bytes(head)
    finding = verify_ledger(ledger.folder).finding
    assert finding is not None
    assert finding.fault == "head"


@pytest.mark.parametrize(
    "name",
    [
        "a metric", "one byte", "a torn file", "a digest put right", "one removed", "two swapped",
        "the head's root", "the head's time", "one signed anew", "another head", "no key listed", "NaN",
    ],
)  # fmt: skip
def test_a_ledger_that_was_tampered_with_does_not_open_and_takes_nothing(
    name: str, home: Path
) -> None:
    TAMPERINGS[name][0](home)
    with pytest.raises(LedgerError):
        Ledger.open(home / "ledger")
    files = {path: path.read_bytes() for path in (home / "ledger").rglob("*.json")}
    with pytest.raises(LedgerError):
        open_ledger(home).append("run", record("new"), "rerun")
    assert {path: path.read_bytes() for path in (home / "ledger").rglob("*.json")} == files


def test_an_entry_edited_after_it_was_read_is_found_when_it_is_read_again(home: Path) -> None:
    ledger = open_ledger(home)
    old = ledger.read(1)
    forged = replace(old, body=record("m", 1, 0.5))
    values = forged.plain()
    values["digest"] = content_digest(values)
    entry_path(ledger.folder, 1).write_bytes(canonical_json(values) + b"\n")
    with pytest.raises(LedgerError, match="not the entry that was there before"):
        ledger.read(1)


def test_a_folder_without_a_ledger_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="holds no ledger"):
        verify_ledger(tmp_path)


def test_an_epoch_key_that_was_not_committed_cannot_be_revealed(home: Path) -> None:
    key = load_or_create_key(home / "keys" / "ledger.ed25519")
    ledger = open_ledger(home)
    entry = make_entry(
        key, index=SIZE, previous=ledger.read(SIZE - 1).digest, time="2026-01-01T00:00:00+00:00",
        kind="epoch", level="", body={"epoch": digest_json("a"), "key": "00"},
    )  # fmt: skip
    entry_path(ledger.folder, SIZE).write_bytes(entry.to_bytes())
    finding = verify_ledger(ledger.folder).finding
    assert finding is not None
    assert (finding.fault, finding.index) == ("content", SIZE)
