"""What a team says of a submission through `assay status`."""

import json
from functools import partial

import pytest

from assay.cli import main
from assay.remote.client import Client
from assay.remote.servers import Server, remember
from tiny_lists import a_list


@pytest.fixture
def submission(sqlite_server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a list with a score and a run that has not ended; this machine has its team's token."""
    team, worker = sqlite_server.team("us"), sqlite_server.token("work")
    found = sqlite_server.hand_in(team, a_list(3), seeds="2").json()["submission"]["id"]
    assert sqlite_server.bring(worker, sqlite_server.lease(worker)).status_code == 201

    connect = partial(Client, transport=sqlite_server.transport(), sleep=lambda _: None)
    monkeypatch.setattr("assay.remote.client.Client", connect)
    remember(Server("http://board.example", "us", team["Authorization"].removeprefix("Bearer ")))
    return found


def test_a_team_withdraws_retracts_and_objects(
    sqlite_server, submission: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", submission, "--withdraw", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["submission"]
    assert sorted(run["state"] for run in shown["runs"]) == ["done", "withdrawn"]
    assert main(["status", submission, "--withdraw"]) == 2
    assert "nothing to withdraw" in capsys.readouterr().err
    assert main(["status", submission, "--object", "it is too good"]) == 0
    assert main(["status", submission, "--retract", "a bug"]) == 0
    kinds = [entry["kind"] for entry in sqlite_server.get("/v1/ledger/entries")["items"]]
    assert kinds == ["epoch", "run", "objection", "retraction"]
    assert main(["status", submission, "--retract", "a bug"]) == 2
    assert "no score of the submission stands" in capsys.readouterr().err
