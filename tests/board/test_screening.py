"""The first stage: an audit in a process of its own, which informs and never refuses."""

import time

from assay_board import screening


def wait_until_screened(server, submission):
    for _ in range(1200):
        found = server.get(f"/v1/submissions/{submission['id']}")
        if found["state"] != "screening":
            return found
        time.sleep(0.05)
    raise AssertionError("not screened within a minute")


def test_a_list_is_screened_before_it_is_run(start, monkeypatch):
    server = start(audit_examples=1000)
    answer = server.hand_in(server.team())
    assert answer.json()["submission"]["state"] == "screening"
    assert server.lease(server.token("work")) is None
    found = wait_until_screened(server, answer.json()["submission"])
    assert found["state"] == "queued"
    assert found["report"]["audit"]["done"]
    assert found["report"]["audit"]["leaked_items"] >= 0
    assert server.lease(server.token("work")) is not None


def test_an_audit_that_fails_keeps_nobody_from_running(start, monkeypatch):
    monkeypatch.setattr(screening.sys, "executable", "/bin/false")
    server = start(audit_examples=1000)
    found = wait_until_screened(server, server.hand_in(server.team()).json()["submission"])
    assert found["state"] == "queued"
    assert not found["report"]["audit"]["done"]


def test_what_a_stopped_server_left_is_screened_by_the_next(start, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(screening.Screening, "_screen_next", lambda _: False)
        first = start(audit_examples=1000)
        submission = first.hand_in(first.team()).json()["submission"]
        assert submission["state"] == "screening"
    monkeypatch.setattr(screening.Screening, "_audit", lambda *_: {"done": False, "reason": "test"})
    assert wait_until_screened(start(audit_examples=1000), submission)["state"] == "queued"
