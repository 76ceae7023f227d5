"""The command on an entry's page, run on a machine that has Assay and the law, and nothing of the run."""

import html
import json
import re
import shlex
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from assay.cli import main
from assay.remote.client import Client
from assay.verify import fetch

COMMAND = re.compile(r"<code>(assay verify [^<]+)</code>")


@pytest.fixture
def record(sqlite_server) -> str:
    """Digest of a record that the server holds."""
    team, worker = sqlite_server.team(), sqlite_server.token("work")
    sqlite_server.hand_in(team)
    lease = sqlite_server.lease(worker)
    answer = sqlite_server.bring(worker, lease)
    assert answer.status_code == 201, answer.text
    return answer.json()["record"]


@pytest.fixture
def elsewhere(
    record: str,
    sqlite_server,
    tiny_template: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Another machine: the track and its pool, no ledger, no run; the server is reached over HTTP."""
    home = tmp_path / "elsewhere"
    shutil.copytree(tiny_template, home)
    assert not {"ledger", "runs", "board"} & {path.name for path in home.iterdir()}
    monkeypatch.setenv("ASSAY_HOME", str(home))

    connect = partial(Client, transport=sqlite_server.transport(), sleep=lambda _: None)
    monkeypatch.setattr(fetch, "Client", connect)
    return home


def printed(server, record: str) -> list[str]:
    """Return the words of the command that the entry's page shows for a record."""
    submission = server.get(f"/v1/records/{record}")["record"]["submission"]["digest"]
    page = server.client.get(f"/entries/{submission[7:]}")
    assert page.status_code == 200
    (command,) = COMMAND.findall(page.text)
    return shlex.split(html.unescape(command))[1:]


def verified(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def by_status(found: dict[str, Any], status: str) -> set[str]:
    return {check["name"] for check in found["checks"] if check["status"] == status}


def test_the_printed_command_computes_every_number_again(
    sqlite_server, record, elsewhere, capsys
) -> None:
    before = sorted(elsewhere.rglob("*"))
    code, found = verified(printed(sqlite_server, record), capsys)
    assert (found["record"], found["level"]) == (record, "metrics")
    # No server keeps a checkpoint, and while an epoch lasts nobody can compute its seeds.
    assert by_status(found, "skipped") == {"plan", "weights", "evaluation"}
    assert by_status(found, "pending") == {"seed"}
    assert by_status(found, "failed") == set()
    assert code == 7
    assert sorted(elsewhere.rglob("*")) == before, "nothing is left behind"


def test_the_seed_follows_once_its_key_is_published(
    sqlite_server, record, elsewhere, capsys
) -> None:
    board = sqlite_server.board
    source = sqlite_server.get(f"/v1/records/{record}")["record"]["seed_source"]
    with board.database.write() as session:
        board.epochs.reveal(session, source["epoch"], board.now())
    code, found = verified(["verify", f"http://board/v1/records/{record}"], capsys)
    assert "seed" in by_status(found, "ok")
    assert (code, found["level"]) == (7, "metrics")


def test_a_server_that_changed_what_it_keeps_is_caught(
    sqlite_server, record, elsewhere, capsys
) -> None:
    folder = sqlite_server.board.result_folder(record)
    (folder / "trace.npy").unlink()
    kept = bytearray((folder / "outputs.parquet").read_bytes())
    kept[len(kept) // 3] ^= 1
    (folder / "outputs.parquet").write_bytes(kept)
    answer = sqlite_server.client.get(f"/v1/records/{record}/trace")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    code, found = verified(printed(sqlite_server, record), capsys)
    assert (code, found["level"]) == (3, None)
    assert "outputs" in by_status(found, "failed")
    assert "trace" in by_status(found, "skipped")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://board/records/" + "0" * 64 + ".json", "refuses"),
        ("http://board/entries/abc", "no address of a record"),
        ("http://", "no address of a record"),
    ],
)
def test_a_wrong_address_is_one_line(elsewhere, capsys, address, told) -> None:
    capsys.readouterr()
    assert main(["verify", address]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


def test_what_is_larger_than_any_record_is_not_read(monkeypatch, tmp_path, capsys) -> None:
    sent = 0

    def flood():
        nonlocal sent
        while sent < 64 << 20:
            sent += 1 << 16
            yield bytes(1 << 16)

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=flood()))
    monkeypatch.setattr(fetch, "Client", partial(Client, transport=transport))
    assert main(["verify", "http://board/records/" + "0" * 64 + ".json"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "more than 1,048,576 bytes" in line
    assert sent < 4 << 20


def test_a_record_that_is_another_one_is_refused(
    sqlite_server, record, elsewhere, monkeypatch, capsys
) -> None:
    document = sqlite_server.client.get(f"/records/{record[7:]}.json").content
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=document))
    monkeypatch.setattr(fetch, "Client", partial(Client, transport=transport))
    assert main(["verify", "http://board/records/" + "0" * 64 + ".json"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"answers with record {record[7:19]} for 000000000000" in line


def test_the_ledger_is_copied_from_outside(
    sqlite_server, record, elsewhere, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr("assay.remote.client.Client", fetch.Client)
    copy, export = tmp_path / "copy", ["ledger", "export", str(tmp_path / "copy"), "--json"]
    capsys.readouterr()
    assert main([*export, "--server", "http://testserver"]) == 0
    found = json.loads(capsys.readouterr().out)
    size = sqlite_server.get("/v1/ledger/head")["size"]
    assert (found["copied"], found["head"]["size"]) == (size, size)
    key = found["head"]["key"]
    assert main(["ledger", "verify", str(copy), "--key", key]) == 0
    capsys.readouterr()
    assert main([*export, "--server", "http://testserver"]) == 0
    assert json.loads(capsys.readouterr().out)["copied"] == 0
