"""A leaderboard's ledger copied from outside, from a server that may say anything."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from assay.errors import LedgerError, RemoteError
from assay.ledger import Ledger, verify_ledger
from assay.remote.client import Client
from assay.remote.mirror import mirror_server
from ledgers import digest, filled, record, retraction


def client(ledger: Ledger, change: Any = lambda index, entry: entry) -> Client:
    """Return a client of a server that has this ledger, or says so."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/ledger/head":
            return httpx.Response(200, json=ledger.head().plain())
        start, limit = (int(request.url.params[name]) for name in ("start", "limit"))
        assert limit <= 100
        stop = min(start + limit, ledger.head().size)
        items = [change(index, ledger.read(index).plain()) for index in range(start, stop)]
        return httpx.Response(200, json={"items": items, "next": None})

    return Client("https://board.example.org", transport=httpx.MockTransport(answer), attempts=1)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_copy_is_the_ledger_and_grows_with_it(tmp_path: Path) -> None:
    ledger, out = filled(tmp_path, 3), tmp_path / "copy"
    assert mirror_server(client(ledger), out)[0] == 3
    assert bytes_of(out) == bytes_of(ledger.folder)
    seen = ledger.head().root
    ledger.append("retraction", retraction(digest("m")))
    fetched = []
    again = client(ledger, lambda index, entry: fetched.append(index) or entry)
    assert mirror_server(again, out)[0] == 1
    assert fetched == [3]
    assert bytes_of(out) == bytes_of(ledger.folder)
    assert verify_ledger(out, since=seen).since_size == 3


def test_more_entries_than_a_page_has_come_all(tmp_path: Path) -> None:
    ledger, out = filled(tmp_path, 103), tmp_path / "copy"
    assert mirror_server(client(ledger), out)[0] == 103
    assert verify_ledger(out).size == 103


def test_what_was_changed_is_refused_and_the_copy_stays(tmp_path: Path) -> None:
    ledger, out = filled(tmp_path, 2), tmp_path / "copy"
    mirror_server(client(ledger), out)
    before = bytes_of(out)
    ledger.append("run", record("m", 7), "rerun")

    def better(index: int, entry: dict) -> dict:
        changed = json.loads(json.dumps(entry))
        changed["body"]["metrics"]["bits_per_byte"] = 0.1
        return changed

    with pytest.raises(LedgerError, match=r"entry 2.*stays as it was"):
        mirror_server(client(ledger, better), out)
    assert bytes_of(out) == before


def test_another_ledger_is_no_continuation(tmp_path: Path) -> None:
    mine, out = filled(tmp_path / "mine", 2), tmp_path / "copy"
    mirror_server(client(mine), out)
    before = bytes_of(out)
    (tmp_path / "other").mkdir()
    for other in (filled(tmp_path / "other", 4), filled(tmp_path / "shorter", 1)):
        with pytest.raises(LedgerError, match=r"board\.example\.org"):
            mirror_server(client(other), out)
    assert bytes_of(out) == before


@pytest.mark.parametrize("document", [{}, [], {"size": "x", "key": "k"}, {"size": 2, "key": "k"}])
def test_what_is_no_leaderboard_is_said_to_be_none(tmp_path: Path, document: object) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=document))
    stranger = Client("https://board.example.org", transport=transport, attempts=1)
    with pytest.raises(RemoteError, match="sends no ledger"):
        mirror_server(stranger, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
