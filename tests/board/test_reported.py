"""Runs that a team trained elsewhere: listed as what they are, and nothing else is ever listed."""

import csv
import io
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from assay.canonical import digest_bytes
from assay.cli import main
from assay.home import run_folder
from assay.ledger import verify_ledger
from assay.pool import pool_path
from assay.remote.client import Client
from assay.runner.scoring import OUTPUTS_FILE, score_file
from assay.runner.training import TRACE_FILE
from assay.settings import compose
from assay.submission import Manifest
from assay_board import results
from assay_board.index import rebuild
from forgery import forged, resealed
from tiny import SCALE, TRACK
from tiny_lists import a_list

NAME = "trained elsewhere"
OTHER = "sha256:" + "0" * 64
Parts = dict[str, bytes]


@pytest.fixture(scope="module")
def elsewhere(
    tiny_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[dict[str, Any]]]:
    """Another machine, where two seeds of a list were scored: its home and the records."""
    home = tmp_path_factory.mktemp("elsewhere") / "home"
    shutil.copytree(tiny_template, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        path = home / "s.npy"
        path.write_bytes(a_list())
        settings = compose(["device=cpu", "threads=1", "progress=false"])
        manifest = Manifest(name=NAME)
        return home, score_file(
            path, track=TRACK, scale=SCALE, seeds=2, settings=settings, manifest=manifest
        )


def parts_of(home: Path, record: dict[str, Any]) -> Parts:
    folder = home / "runs" / run_folder(record["digests"]["run"]).name
    return {
        "record": json.dumps(record).encode(),
        "outputs": (folder / OUTPUTS_FILE).read_bytes(),
        "trace": (folder / TRACE_FILE).read_bytes(),
    }


class Reporter:
    """A team that trained a list itself."""

    def __init__(self, server, elsewhere):
        self.server, (home, self.records) = server, elsewhere
        self.parts = [parts_of(home, record) for record in self.records]
        self.team = server.team()
        answer = server.hand_in(self.team, seeds="0", manifest=json.dumps({"name": NAME}))
        assert answer.status_code == 202, answer.text
        self.submission = answer.json()["submission"]
        assert (self.submission["state"], self.submission["runs"]) == ("withdrawn", [])
        self.before = server.board.ledger.size

    def send(self, parts: Parts, who=None, submission: str = ""):
        return self.server.client.post(
            f"/v1/submissions/{submission or self.submission['id']}/reported",
            headers=who or self.team,
            files={name: (name, data) for name, data in parts.items()},
        )

    def refused(self, rule: str, record: Any = None, *, alone: bool = False, **parts: bytes) -> str:
        """Check that a result is refused, whole or without outputs, and that nothing of it is left."""
        body = self.parts[0] | parts
        if record is not None:
            body["record"] = record if isinstance(record, bytes) else json.dumps(record).encode()
        answer = self.send({"record": body["record"]} if alone else body)
        assert answer.status_code in (413, 422), answer.text
        assert answer.json().get("rule", "") == rule, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert "\n" not in answer.json()["detail"]
        self.nothing_new()
        return answer.json()["detail"]

    def nothing_new(self) -> None:
        folder = self.server.board.settings.folder
        assert not (folder / "results").exists()
        assert list((folder / "incoming").iterdir()) == []
        assert self.server.board.ledger.size == self.before


@pytest.fixture
def reporter(server, elsewhere) -> Reporter:
    return Reporter(server, elsewhere)


@pytest.fixture
def sqlite_reporter(sqlite_server, elsewhere) -> Reporter:
    return Reporter(sqlite_server, elsewhere)


def table_of(server) -> dict[str, Any]:
    (table,) = server.get(f"/v1/boards/{TRACK}/{SCALE}")["tables"]
    return table


def rows_of(server) -> dict[str, Any]:
    """Return the rows of the board's page, by name."""
    answer = server.client.get(f"/v1/boards/{TRACK}/{SCALE}.csv")
    assert answer.status_code == 200, answer.text
    return {row["name"]: row for row in csv.DictReader(io.StringIO(answer.text))}


def test_with_outputs_it_is_checked_and_without_reported_and_neither_is_ranked(reporter):
    server, worker = reporter.server, reporter.server.token("work")
    for first in (1, 2):
        server.hand_in(
            server.team(f"t{first}"), a_list(first), seeds="2", manifest=f'{{"name": "r{first}"}}'
        )
    for _ in range(4):
        assert server.bring(worker, server.lease(worker)).status_code == 201
    before, ranks = table_of(server), rows_of(server)

    checked = reporter.send(reporter.parts[0])
    assert (checked.status_code, checked.json()["level"]) == (201, "checked"), checked.text
    shown = rows_of(server)[NAME]
    assert (shown["state"], shown["level"], shown["rank"], shown["seeds"]) == (
        "unranked", "checked", "", "1",
    )  # fmt: skip
    alone = reporter.send({"record": reporter.parts[1]["record"]})
    assert (alone.status_code, alone.json()["level"]) == (201, "reported"), alone.text

    # Ranks, intervals, chances of being best, noise: what they were.
    assert table_of(server) == before
    assert {name: row for name, row in rows_of(server).items() if name != NAME} == ranks
    items = server.get(f"/v1/records?submission={reporter.submission['digest']}")["items"]
    assert [(i["level"], i["ranked"]) for i in items] == [("reported", False), ("checked", False)]
    entry = server.client.get(f"/entries/{reporter.submission['digest'][7:]}")
    assert entry.status_code == 200
    assert "checked" in entry.text
    found = server.get(f"/v1/submissions/{reporter.submission['id']}")
    assert found["state"] == "done"
    assert [(r["level"], r["record"]) for r in found["runs"]] == [
        ("checked", reporter.records[0]["digest"]), ("reported", reporter.records[1]["digest"]),
    ]  # fmt: skip
    assert verify_ledger(server.board.ledger.folder).ok
    with server.board.database.write() as session:
        assert rebuild(session, server.board.ledger, 0.0).identical


def test_it_is_handed_in_once_and_acknowledged_again(reporter):
    first = reporter.send(reporter.parts[0])
    again = reporter.send(reporter.parts[0])
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    size = reporter.server.board.ledger.size
    # Another record of the same seed, as true as it may be, is one too many.
    other = forged(reporter.records[0], clock__train_seconds=0.001)
    answer = reporter.send(reporter.parts[0] | {"record": json.dumps(other).encode()})
    assert answer.status_code == 409
    assert "is listed already" in answer.json()["detail"]
    # Nobody else's: neither under another's list, nor under this one.
    others = reporter.server.team("others")
    assert reporter.send(reporter.parts[1], others).json()["rule"] == "A2"
    own = reporter.server.hand_in(others, a_list(5), seeds="0").json()["submission"]["id"]
    assert reporter.send(reporter.parts[0], others, own).json()["rule"] == "W4"
    assert reporter.server.board.ledger.size == size


@pytest.mark.parametrize("alone", [False, True])
def test_what_does_not_fit_the_list_or_the_law_is_refused(sqlite_reporter, alone):
    reporter, record = sqlite_reporter, sqlite_reporter.records[0]
    refused = partial(reporter.refused, alone=alone)
    assert "is not the one of this submission" in refused(
        "W4", forged(record, submission__digest=OTHER)
    )
    refused("W4", forged(record, submission__manifest__name="somebody else"))
    refused("W4", forged(record, submission__unique=1))
    refused("W2", forged(record, track__seal=OTHER))
    refused("W2", forged(record, track__sealed=False))
    refused("W2", forged(record, track__scale="nano"))
    refused("W2", forged(record, digests__pool=OTHER))
    refused("W2", forged(record, digests__suite=OTHER))
    refused("W2", forged(record, digests__tokenizer=OTHER))
    refused("W2", forged(record, training__steps=23))
    refused("W3", forged(record, seed=record["seed"] + 1))
    refused("W3", resealed(record | {"seed_source": {"epoch": OTHER, "index": 0}}))
    refused("W1", record | {"digest": OTHER})
    refused("W1", record | {"metrics": record["metrics"] | {"bits_per_byte": 0.1}})
    refused("W1", b"[" * 100_000)
    refused("W1", b" " * (1 << 20) + b"{}")


@pytest.mark.parametrize("alone", [False, True])
def test_what_pages_could_not_show_is_refused(sqlite_reporter, alone):
    """Nothing is computed from these, and whoever hands them in may be anybody."""
    reporter, record = sqlite_reporter, sqlite_reporter.records[0]
    refused = partial(reporter.refused, "W1", alone=alone)
    refused(forged(record, digests__suite_data=OTHER))  # boards group by it
    refused(forged(record, submission__samples="x"))
    refused(forged(record, training__flops="x"))
    refused(forged(record, training__flops=-1))
    refused(forged(record, training__flops=10**300))
    refused(forged(record, training__more=1))
    refused(forged(record, clock__train_seconds="x"))
    refused(forged(record, clock__evaluate_seconds=None))
    refused(forged(record, device__name="\x1b[2J"))


def test_numbers_that_its_outputs_do_not_give_are_refused(sqlite_reporter, monkeypatch):
    reporter, record = sqlite_reporter, sqlite_reporter.records[0]
    for value in (0.1, 0, None):
        reporter.refused("W5", forged(record, metrics__bits_per_byte=value))
    data = reporter.parts[1]["outputs"]
    reporter.refused("W5", outputs=data)
    told = reporter.refused("W5", forged(record, digests__outputs=digest_bytes(data)), outputs=data)
    assert "in the record" in told
    reporter.refused("W6", trace=reporter.parts[1]["trace"])
    reporter.refused("W5", outputs=b"")
    # One without the other says nothing; none of them may be huge.
    two = {name: reporter.parts[0][name] for name in ("record", "outputs")}
    assert reporter.send(two).json()["rule"] == "Q1"
    reporter.nothing_new()
    monkeypatch.setattr(results, "MAX_OUTPUTS_BYTES", 100)
    reporter.refused("W5")
    monkeypatch.setattr(results, "MAX_TRACE_BYTES", 10)
    reporter.refused("W1")
    assert reporter.send({"record": b"x" * 400_000_000}).status_code == 413
    reporter.nothing_new()


def test_numbers_that_are_none_are_refused_even_where_nothing_is_computed(sqlite_reporter):
    reporter, record = sqlite_reporter, sqlite_reporter.records[0]
    refused = partial(reporter.refused, "W1", alone=True)
    tasks = record["metrics"]["tasks"]
    name = next(iter(tasks))
    refused(forged(record, metrics__bits_per_byte="0.1"))
    refused(forged(record, metrics__bits_per_byte=None))
    refused(forged(record, metrics__bits_per_byte=1e308))
    refused(forged(record, metrics__more=1.0))
    refused(forged(record, metrics__tasks={}))
    refused(forged(record, metrics__tasks=tasks | {"more": tasks[name]}))
    refused(forged(record, metrics__tasks=tasks | {name: tasks[name] | {"bits_per_byte": "x"}}))


def test_it_uses_the_quota_and_may_be_retracted(start, database_url, elsewhere):
    reporter = Reporter(start(database_url, runs_per_week=1), elsewhere)
    server, path = reporter.server, f"/v1/submissions/{reporter.submission['id']}"
    assert reporter.send(reporter.parts[0]).status_code == 201
    assert reporter.send(reporter.parts[1]).json()["rule"] == "R1"
    assert server.hand_in(reporter.team, a_list(7), seeds="0").json()["rule"] == "R1"
    answer = server.client.post(
        f"{path}/retraction", headers=reporter.team, json={"reason": "a bug"}
    )
    assert answer.status_code == 201
    assert rows_of(server)[NAME]["state"] == "retracted"


def test_pages_show_a_board_on_which_nothing_is_ranked(sqlite_reporter):
    reporter, get = sqlite_reporter, sqlite_reporter.server.client.get
    slow = forged(reporter.records[0], clock__train_seconds=1e12)
    assert reporter.send({"record": json.dumps(slow).encode()}).status_code == 201
    digest = reporter.submission["digest"][7:]
    for path in (
        "/", f"/boards/{TRACK}/{SCALE}", f"/boards/{TRACK}/{SCALE}?level=reported", f"/embed/{TRACK}/{SCALE}",
        f"/scaling/{TRACK}", f"/entries/{digest}", f"/badges/{digest}.svg", "/records.atom", "/submissions",
        f"/submissions/{reporter.submission['id']}", f"/v1/boards/{TRACK}/{SCALE}",
    ):  # fmt: skip
        assert get(path).status_code == 200, path
    assert reporter.server.get(f"/v1/boards/{TRACK}/{SCALE}") == {"tables": []}
    assert "reported" in get(f"/boards/{TRACK}/{SCALE}").text
    # How long a run takes here, nobody has found by that.
    queued = reporter.server.hand_in(reporter.team, a_list(3)).json()["submission"]
    expected = reporter.server.board.law.expected_seconds[slow["track"]["seal"]]
    assert (queued["position"], queued["eta_seconds"]) == (1, expected)


def test_runs_may_be_asked_for_later_and_then_they_count(reporter):
    server, worker = reporter.server, reporter.server.token("work")
    assert reporter.send(reporter.parts[0]).status_code == 201
    assert server.lease(worker) is None
    answer = server.hand_in(reporter.team, seeds="1", manifest=json.dumps({"name": NAME}))
    assert answer.status_code == 202
    assert server.bring(worker, server.lease(worker)).status_code == 201
    row = rows_of(server)[NAME]
    assert (row["state"], row["level"], row["seeds"]) == ("ranked", "rerun", "1")


def test_a_list_without_runs_is_no_obstacle_to_others(reporter):
    others = reporter.server.team("others")
    answer = reporter.server.hand_in(others, seeds="1", manifest='{"name": "ours"}')
    assert (answer.status_code, answer.json()["submission"]["team"]) == (202, "others")
    assert reporter.send(reporter.parts[0]).json()["rule"] == "A2"


def test_a_server_that_died_after_the_append_goes_on(reporter, monkeypatch):
    from assay_board import reporting

    def die(*_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(reporting, "settle", die)
        assert reporter.send(reporter.parts[0]).status_code == 500
    assert reporter.server.board.ledger.size == reporter.before + 1
    answer = reporter.send(reporter.parts[0])
    assert (answer.status_code, answer.json()["level"]) == (201, "checked")
    assert reporter.server.board.ledger.size == reporter.before + 1
    found = reporter.server.get(f"/v1/submissions/{reporter.submission['id']}")
    assert [run["record"] for run in found["runs"]] == [reporter.records[0]["digest"]]


def test_a_scale_whose_pool_is_absent_is_refused_and_not_built(sqlite_server):
    answer = sqlite_server.hand_in(sqlite_server.team(), scale="nano", track="text", seeds="0")
    assert (answer.status_code, answer.json()["rule"]) == (422, "S2")
    assert "pool foundry-text-24000 is not on this server" in answer.json()["detail"]
    assert not pool_path("foundry-text-24000").exists()
    assert sqlite_server.get("/v1/submissions")["items"] == []


def test_it_is_handed_in_by_one_command_and_verified_by_another(
    sqlite_server, elsewhere, monkeypatch, capsys
):
    home, records = elsewhere
    monkeypatch.setenv("ASSAY_HOME", str(home))
    connect = partial(Client, transport=sqlite_server.transport(), sleep=lambda _: None)
    monkeypatch.setattr("assay.remote.client.Client", connect)
    monkeypatch.setattr("assay.verify.fetch.Client", connect)
    words = ["submit", str(home / "s.npy"), "--track", TRACK, "--scale", SCALE, "--team", "lab"]
    words += ["--server", "http://board.example"]
    digests = [record["digest"] for record in records]
    assert main([*words, "--record", digests[0][7:19], digests[1][7:19]]) == 0
    told = capsys.readouterr().out
    for digest in digests:
        assert f"record {digest[7:19]}: checked, listed without a rank" in told
    assert [row["level"] for row in sqlite_server.get("/v1/records")["items"]] == ["checked"] * 2
    capsys.readouterr()
    assert main(["verify", f"http://board.example/records/{digests[0][7:]}.json", "--json"]) == 7
    found = json.loads(capsys.readouterr().out)
    assert found["level"] == "metrics"
    # The seed follows from the list: nothing has to be published first.
    assert {c["name"] for c in found["checks"] if c["status"] != "ok"} == {
        "plan", "weights", "evaluation",
    }  # fmt: skip


def test_what_the_command_can_see_is_refused_before_anything_is_sent(
    elsewhere, monkeypatch, capsys
):
    home, records = elsewhere
    monkeypatch.setenv("ASSAY_HOME", str(home))
    other = home / "other.npy"
    other.write_bytes(a_list(9))
    digits = records[0]["digest"][7:19]
    tail = [
        "--track",
        TRACK,
        "--scale",
        SCALE,
        "--server",
        "http://board.example",
        "--record",
        digits,
    ]
    for path, options, told in (
        (other, [], "hand in the list that was scored"),
        (home / "s.npy", ["--seeds", "2"], "leave these options away"),
        (home / "s.npy", ["--name", "x"], "leave these options away"),
    ):
        assert main(["submit", str(path), *tail, *options]) == 2
        assert told in capsys.readouterr().err.splitlines()[-1]
