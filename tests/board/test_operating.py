"""What an operator types: tokens, epochs, the index, and errors in one line."""

import json
import socket

import pytest

from assay.cli import main
from assay.remote.client import server_url
from assay_board import serve
from tiny import SCALE, TRACK


@pytest.fixture
def run(tiny_home, capsys):
    def call(*words: str) -> tuple[int, dict, str]:
        code = main(["board", *words])
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in words else {"text": out}, err

    return call


def test_tokens_are_made_listed_and_revoked(run, start):
    code, made, _ = run("token", "create", "--scope", "work", "--label", "GPU", "--json")
    assert code == 0
    # A server that runs beside knows it at once.
    server = start()
    server.clock.now = 1_700_000_000.0
    worker = {"Authorization": f"Bearer {made['token']}"}
    assert server.lease(worker) is None
    listed = run("token", "list", "--json")[1]["tokens"]
    assert [(row["scope"], row["label"], row["state"]) for row in listed] == [
        ("work", "GPU", "good")
    ]
    assert made["token"] not in str(listed)
    assert run("token", "revoke", str(listed[0]["number"]))[0] == 0
    answer = server.client.post("/v1/leases", json={"worker": "w"}, headers=worker)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "words",
    [("token", "create", "--scope", "submit"), ("token", "create", "--scope", "work", "--team", "x"),
     ("token", "create", "--scope", "work", "--days", "-1"), ("token", "revoke", "99"),
     ("epoch", "reveal"), ("official", "none"), ("official", "none", "--seeds", "0"),
     ("audit", "--last", "0"), ("index", "--db", "mysql://x/y"), ("index", "--db", "nonsense")],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_line(run, words):
    code, _, told = run(*words)
    assert code == 2
    assert told.startswith("assay: ")
    assert told.count("\n") == 1
    assert "Traceback" not in told


def test_a_port_that_is_taken_is_said(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, told = run("serve", "--no-worker", "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "try --port 0" in told


def test_who_did_what_is_shown(run, start):
    server = start()
    submission = server.hand_in(server.team("one")).json()["submission"]
    server.client.post("/v1/leases", json={"worker": "w"}, headers=server.team("others"))
    run("token", "create", "--scope", "work", "--label", "GPU", "--json")
    lines = run("audit", "--json")[1]["lines"]
    found = [(line["who"], line["action"]) for line in lines]
    assert ("one", "submission.accept") in found
    assert ("others", "refused") in found
    assert lines[-1]["address"] == "server"
    assert [line["subject"] for line in lines if line["who"] == "one"] == [submission["id"]]
    text = run("audit", "--last", "3")[1]["text"].splitlines()
    assert len(text) == 3
    assert "others at testclient: refused /v1/leases" in text[1]
    assert "operator at server: " in text[2]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_what_participants_copy_is_no_address_of_their_own_machine(host):
    shown = serve._shown(host)
    assert shown not in ("0.0.0.0", "127.0.0.1", "[::]", "[::1]")
    assert server_url(f"http://{shown}:8080") == f"http://{shown}:8080"
    assert serve._shown("127.0.0.1") == "127.0.0.1"


def test_the_table_in_the_terminal_is_what_it_was(run):
    code, document, _ = run("--track", TRACK, "--scale", SCALE)
    assert code == 0
    assert "no records yet" in document["text"]
    assert run("index", "--json")[1]["identical"]
