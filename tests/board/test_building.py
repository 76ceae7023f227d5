"""The first list for an embedded pool has it built, beside the server, and waits outside of it."""

import time

import pytest

from assay.pool import pool_path
from assay.remote.client import Client
from assay_board import building, law
from tiny_lists import a_list

POOL = "foundry-text-4000"


@pytest.fixture
def begin(start, monkeypatch):
    monkeypatch.setattr(law, "list_scales", lambda: [("text", "pico")])
    return start


def hand_in(server, team):
    return server.hand_in(team, track="text", scale="pico")


def test_no_request_waits_for_a_pool(begin, capsys):
    server = begin()
    team = server.team()
    first = hand_in(server, team)
    assert (first.status_code, first.headers["retry-after"]) == (503, "5")
    assert first.headers["content-type"] == "application/problem+json"
    assert "text/pico" in first.json()["detail"]
    assert not (pool_path(POOL) / "pool.json").exists()

    def sleep(seconds):
        assert seconds >= 5
        time.sleep(1)

    token = team["Authorization"].removeprefix("Bearer ")
    with Client("http://board", token, transport=server.transport(), sleep=sleep) as client:
        form = {"data": {"track": "text", "scale": "pico"}, "files": {"list": ("s.npy", a_list())}}
        # Documents that the smaller pool of the tests has as well.
        assert client.call("POST", "/v1/submissions", **form).status_code == 202
    told = capsys.readouterr().err.splitlines()
    assert sum("pico" in line and "is being built" in line for line in told) >= 1
    unknown = b"0" * 32 + b"\n"
    refused = server.hand_in(team, unknown, "s.txt", track="text", scale="pico")
    assert (refused.status_code, refused.json()["rule"]) == (422, "S2")


def fail(track, scale):
    raise SystemExit(1)


def test_a_pool_that_cannot_be_built_is_said_and_tried_again(begin, monkeypatch):
    monkeypatch.setattr(building, "_build", fail)
    server = begin()
    team = server.team()
    assert "retry-after" in hand_in(server, team).headers
    server.board.law._builder._process.join()
    failed = hand_in(server, team)
    assert failed.status_code == 503
    assert "retry-after" not in failed.headers
    assert "could not be built" in failed.json()["detail"]
    assert "retry-after" in hand_in(server, team).headers


def test_a_server_that_stops_ends_the_build(begin):
    server = begin()
    hand_in(server, server.team())
    process = server.board.law._builder._process
    assert process.is_alive()
    server.board.law.close()
    assert not process.is_alive()
