"""The first stage: an audit in a process of its own, which informs and never refuses."""

import re
import time

from assay.cli.status import screening_lines
from assay_board import screening


def wait_until_screened(server, submission):
    for _ in range(1200):
        found = server.get(f"/v1/submissions/{submission['id']}")
        if found["state"] != "screening":
            return found
        time.sleep(0.05)
    raise AssertionError("not screened within a minute")


def section(server, submission):
    page = server.client.get(f"/submissions/{submission['id']}").text
    found = re.search(r'<section id="screening".*?</section>', page, re.DOTALL)
    assert found, page
    return found[0]


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
    said = section(server, found)
    copies = found["report"]["audit"]["duplicates"]
    for count in (copies["exact"]["redundant"], copies["near"]["redundant"]):
        assert re.search(rf"<dd>{count:,} \([\d.]+ %\)</dd>", said)
    lines = screening_lines(found)
    assert len(lines) == 2
    assert f"{found['report']['audit']['leaked_items']:,} leaks of evaluation items" in lines[0]


def test_an_audit_that_fails_keeps_nobody_from_running(start, monkeypatch):
    monkeypatch.setattr(screening.sys, "executable", "/bin/false")
    server = start(audit_examples=1000)
    found = wait_until_screened(server, server.hand_in(server.team()).json()["submission"])
    assert found["state"] == "queued"
    assert not found["report"]["audit"]["done"]
    why = "it could not be read for leaks and copies"
    assert f"Not screened: {why}" in section(server, found)
    assert screening_lines(found) == [f"  screening: not done, {why}"]


def test_a_list_that_is_too_long_to_be_screened_says_so(start):
    server = start(audit_examples=0)
    found = server.hand_in(server.team()).json()["submission"]
    assert "was not read for evaluation items" in section(server, found)
    assert screening_lines(found) == []


def test_what_a_stopped_server_left_is_screened_by_the_next(start, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(screening.Screening, "_screen_next", lambda _: False)
        first = start(audit_examples=1000)
        submission = first.hand_in(first.team()).json()["submission"]
        assert submission["state"] == "screening"
    monkeypatch.setattr(screening.Screening, "_audit", lambda *_: {"done": False, "reason": "test"})
    assert wait_until_screened(start(audit_examples=1000), submission)["state"] == "queued"
