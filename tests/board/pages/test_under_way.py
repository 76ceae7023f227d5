"""What a server's pages say of its queue: whether anybody works, what it can score, what was objected to."""

import pytest

from assay_board import law
from tiny import SCALE, TRACK


@pytest.fixture
def submission(sqlite_server):
    return sqlite_server.hand_in(sqlite_server.team()).json()["submission"]


def shown(server, path):
    answer = server.client.get(path)
    assert answer.status_code == 200
    return answer.text


def test_the_time_left_is_not_told_while_nobody_works(sqlite_server, submission, clock):
    path = f"/submissions/{submission['id']}"
    assert "<dd>no worker has asked for work yet</dd>" in shown(sqlite_server, path)
    assert "no worker has asked for work yet." in shown(sqlite_server, "/submissions")
    sqlite_server.lease(sqlite_server.token("work"))
    for wait, told in ((6, False), (7200, True)):
        clock.now += wait
        for page in (shown(sqlite_server, path), shown(sqlite_server, "/submissions")):
            assert "no worker has asked" not in page
            assert ("a worker was last heard 2 h ago" in page) == told


def test_scales_that_cannot_be_scored_here_are_offered_nowhere(start, monkeypatch):
    monkeypatch.setattr(
        law, "list_scales", lambda: [(TRACK, SCALE), ("text", "nano"), ("text", "7b-2x")]
    )
    server = start()
    assert len(server.get("/v1/tracks")["items"]) == 3
    assert '<option value="text/nano">' in shown(server, "/submit")
    assert "7b-2x" not in shown(server, "/submit") + shown(server, "/")
    assert "accepted" in shown(server, "/boards/text/nano")
    assert server.client.get("/boards/text/7b-2x").status_code == 404


def test_an_objection_is_shown_before_there_is_a_record(sqlite_server, submission):
    path = f"/submissions/{submission['id']}"
    assert "What was said of it" not in shown(sqlite_server, path)
    said = {"text": "It <b>copies</b> ours."}
    critic = sqlite_server.team("critics")
    answer = sqlite_server.client.post(f"/v1{path}/objections", json=said, headers=critic)
    assert answer.status_code == 201
    page = shown(sqlite_server, path)
    assert "<strong>objection</strong>" in page
    assert 'by critics: <span class="prose">It &lt;b&gt;copies&lt;/b&gt; ours.</span>' in page
    answer = sqlite_server.bring(worker := sqlite_server.token("work"), sqlite_server.lease(worker))
    assert answer.status_code == 201
    entry = shown(sqlite_server, f"/entries/{submission['digest'][7:]}")
    assert 'by critics: <span class="prose">It &lt;b&gt;copies' in entry
