"""The index follows from the ledger, whoever appends to it and whenever the server dies."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from assay.cli import main
from assay.errors import SettingsError
from assay.ledger import machine_ledger, verify_consistency
from assay.seeds import epoch_digest, epoch_seed
from assay_board import operating, publishing
from assay_board.database import LedgerEntry, RecordRow, Run
from assay_board.index import TABLES, Rebuilt, rebuild
from forged_results import Forger
from tiny import SCALE, TRACK
from tiny_lists import a_list


def rebuilt(server) -> Rebuilt:
    with server.board.database.write() as session:
        return rebuild(session, server.board.ledger, server.clock())


def names(server) -> list[str]:
    tables = server.get(f"/v1/boards/{TRACK}/{SCALE}")["tables"]
    return [row["name"] for table in tables for row in table["rows"]]


def test_what_others_append_is_seen_and_the_index_rebuilds_to_the_same(server):
    forger = Forger(server)
    digest = forger.bring().json()["record"]
    assert names(server) == ["honest"]
    submission = forger.lease["job"]["submission"]["digest"]
    # The operator's commands write to the same ledger, beside the server.
    said = {"target": submission, "reason": "a slip", "by": "operator"}
    machine_ledger().append("correction", said | {"manifest": {"name": "corrected"}})
    assert names(server) == ["corrected"]
    assert server.get(f"/v1/records/{digest}")["manifest"]["name"] == "corrected"
    assert (
        server.get(f"/v1/records/{digest}")["record"]["submission"]["manifest"]["name"] == "honest"
    )
    machine_ledger().append("retraction", said)
    assert names(server) == []
    machine_ledger().append("suite", {"suite": submission})
    assert server.client.get("/").status_code == 200
    (item,) = server.get("/v1/records")["items"]
    assert (item["retracted"], item["ranked"]) == ("a slip", False)
    assert rebuilt(server).identical
    with server.board.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(LedgerEntry)) == 5


def test_a_lost_or_edited_index_is_counted_and_mended(start, database_url, capsys):
    server = start(database_url)
    Forger(server).bring()
    server.hand_in(server.team("others"), a_list(5))

    def index() -> dict:
        assert main(["board", "index", "--json", "--db", database_url]) == 0
        found = json.loads(capsys.readouterr().out)
        return {name: found[name] for name in ("missing", "different", "surplus", "identical")}

    right = {"missing": 0, "different": 0, "surplus": 0, "identical": True}
    assert index() == right
    with server.board.database.write() as session:
        session.execute(sa.update(RecordRow).values(seed=RecordRow.seed + 1))
        session.execute(sa.delete(LedgerEntry).where(LedgerEntry.index == 0))
        stranger = {"index": 99, "digest": "", "kind": "run", "level": "", "time": ""}
        session.execute(sa.insert(LedgerEntry).values(**stranger))
    assert index() == {"missing": 1, "different": 1, "surplus": 1, "identical": False}
    assert index() == right
    # A database that was lost.
    with server.board.database.write() as session:
        for table in TABLES:
            session.execute(sa.delete(table))
    assert index() == {"missing": 4, "different": 0, "surplus": 0, "identical": False}
    assert index() == right


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_server_that_dies_around_an_append_loses_nothing(
    start, database_url, moment, monkeypatch
):
    first = start(database_url)
    forger = Forger(first)

    def die(*_):
        raise MemoryError

    # Between the outputs and the entry, or between the entry and the database's commit.
    name = "keep" if moment == "before" else "follow"
    with monkeypatch.context() as patch:
        patch.setattr(publishing, name, die)
        assert forger.bring().status_code == 500
    assert first.board.ledger.size == (1 if moment == "before" else 2)
    second = forger.server = start(database_url)
    answer = forger.bring()
    assert answer.status_code == (201 if moment == "before" else 200)
    assert second.board.ledger.size == 2
    (item,) = second.get("/v1/submissions")["items"]
    assert (item["state"], item["runs"][0]["record"]) == ("done", answer.json()["record"])
    assert rebuilt(second).identical


def test_an_epoch_is_committed_to_first_and_revealed_last(server):
    forger = Forger(server)
    with pytest.raises(SettingsError, match=r"1 runs of epoch .* have not ended"):
        operating.reveal_epoch(server.board, None)
    record = forger.record
    assert forger.bring().is_success
    epoch = record["seed_source"]["epoch"]
    assert operating.reveal_epoch(server.board, None) == {
        "epochs": [{"epoch": epoch, "state": "revealed"}]
    }
    with pytest.raises(SettingsError, match="is not open"):
        operating.reveal_epoch(server.board, epoch)
    bodies = [e["body"] for e in server.get("/v1/ledger/entries")["items"] if e["kind"] == "epoch"]
    assert bodies[0] == {"epoch": epoch}
    key = bytes.fromhex(bodies[1]["key"])
    assert epoch_digest(key) == epoch
    label = f"{TRACK}/{SCALE}@{record['track']['version']}"
    assert record["seed"] == epoch_seed(key, record["submission"]["digest"], label, 0)


def test_a_key_is_where_only_the_operator_reads_it(sqlite_server):
    Forger(sqlite_server)
    home = sqlite_server.board.settings.home
    (key,) = (home / "keys" / "epochs").iterdir()
    assert key.stat().st_mode & 0o077 == 0
    assert key.parent.stat().st_mode & 0o077 == 0
    assert b"\x07" * 32 not in b"".join(p.read_bytes() for p in (home / "ledger").rglob("*.json"))
    text = sqlite_server.client.get("/v1/submissions").text
    with sqlite_server.board.database.read() as session:
        assert str(session.scalar(sa.select(Run.seed))) not in text


def test_official_runs_have_fresh_seeds_and_their_own_level(server):
    forger = Forger(server)
    assert forger.bring().is_success
    (item,) = server.get("/v1/submissions")["items"]
    assert operating.order_runs(server.board, item["id"], 1)["seed_indices"] == [1]
    assert server.get(f"/v1/submissions/{item['id']}")["state"] == "running"
    forger.lease = server.lease(forger.worker)
    assert forger.lease["job"]["seed_index"] == 1
    forger.parts = server.results(forger.lease["job"])
    assert forger.bring().status_code == 201
    assert [r["level"] for r in server.get("/v1/records")["items"]] == ["official", "rerun"]
    assert server.get(f"/v1/submissions/{item['id']}")["state"] == "done"


def test_an_objection_is_an_entry_without_a_way_to_reach_anybody(server):
    submission = server.hand_in(server.team()).json()["submission"]
    path = f"/v1/submissions/{submission['id']}/objections"
    said = {"text": "It <b>copies</b> ours.", "contact": "me@example.org"}
    assert server.client.post(path, json=said).status_code == 401
    critic = server.team("critics")
    answer = server.client.post(path, json=said, headers=critic)
    assert answer.status_code == 201
    for text in ("", "a\x1bb", "x" * 5000):
        assert server.client.post(path, json={"text": text}, headers=critic).status_code == 422
    entry = server.get("/v1/ledger/entries")["items"][answer.json()["entry"]]
    assert entry["kind"] == "objection"
    assert entry["body"]["target"] == submission["digest"]
    assert entry["body"]["text"] == said["text"]
    assert "example.org" not in str(entry)


def test_consistency_proofs_hold(server):
    team = server.team()
    server.hand_in(team)
    old = server.get("/v1/ledger/head")
    submission = server.hand_in(team, a_list(5)).json()["submission"]
    for text in ("one", "two", "three"):
        path = f"/v1/submissions/{submission['id']}/objections"
        assert server.client.post(path, json={"text": text}, headers=team).status_code == 201
    new = server.get("/v1/ledger/head")
    found = server.get(f"/v1/ledger/consistency?from={old['size']}&to={new['size']}")
    assert (found["from_root"], found["to_root"]) == (old["root"], new["root"])
    assert verify_consistency(old["size"], new["size"], old["root"], new["root"], found["proof"])
    assert server.client.get("/v1/ledger/consistency?from=3&to=1").status_code == 422


def test_entries_that_come_at_once_are_indexed_once(server):
    """Every transaction that appends follows the ledger, and finds the entries of the others there as well."""
    team, worker = server.team(), server.token("work")
    answer = server.hand_in(team, seeds="4")
    submission, leases = answer.json()["submission"], [server.lease(worker) for _ in range(4)]
    made = [server.results(lease["job"]) for lease in leases]
    path = f"/v1/submissions/{submission['id']}/objections"

    def object_to(number):
        return server.client.post(path, headers=team, json={"text": f"no {number}"}).status_code

    def bring(number):
        return server.bring(worker, leases[number], **made[number]).status_code

    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(call, n) for n in range(4) for call in (object_to, bring)]
        assert [call.result() for call in calls] == [201] * 8
    assert server.board.ledger.size == server.get("/v1/health")["entries"] == 9
    assert operating.rebuild_index(server.board)["identical"]


def test_a_team_retracts_its_own_scores_and_nobody_elses(server):
    team, worker = server.team(), server.token("work")
    found = server.hand_in(team, seeds="2").json()["submission"]
    path, why = f"/v1/submissions/{found['id']}/retraction", {"reason": "a bug in our filter"}
    assert server.client.post(path, headers=team, json=why).status_code == 409
    for _ in range(2):
        assert server.bring(worker, server.lease(worker)).status_code == 201
    assert server.client.post(path, headers=server.team("others"), json=why).status_code == 403
    assert server.client.post(path, headers=team, json={"reason": " "}).status_code == 422
    assert len(names(server)) == 1
    answer = server.client.post(path, headers=team, json=why)
    assert answer.status_code == 201, answer.text
    assert len(answer.json()["entries"]) == 2
    assert names(server) == []
    assert {r["retracted"] for r in server.get("/v1/records")["items"]} == {why["reason"]}
    assert server.client.post(path, headers=team, json=why).status_code == 409
    assert rebuilt(server).identical
