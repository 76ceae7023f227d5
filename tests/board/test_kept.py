"""Answers from memory: the same as fresh ones, and never of a state that is past."""

import asyncio

import pytest

from assay.ledger import machine_ledger
from assay_board.kept import MOST_BYTES, KeptAnswers
from tiny import SCALE, TRACK
from tiny_lists import a_list

BOARD = f"/v1/boards/{TRACK}/{SCALE}"


class App:
    """Counts what it is asked, and answers with the count."""

    def __init__(self, tagged=True, status=200, pieces=1, size=10):
        self.asked, self.tagged, self.status, self.pieces, self.size = (
            0,
            tagged,
            status,
            pieces,
            size,
        )

    async def __call__(self, scope, receive, send):
        self.asked += 1
        body = b"%d" % self.asked * self.size
        await asyncio.sleep(0.01)
        headers = [(b"content-length", b"10"), (b"etag", b'"t"')][: 1 + self.tagged]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for piece in range(self.pieces):
            more = piece + 1 < self.pieces
            await send({"type": "http.response.body", "body": body, "more_body": more})


async def ask(app, path="/a", method="GET", query=b"", **headers):
    sent = []

    async def send(message):
        sent.append(message)

    pairs = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": pairs,
    }
    await app(scope, None, send)
    return sent[0]["status"], b"".join(m["body"] for m in sent[1:]), dict(sent[0]["headers"])


def test_a_tagged_answer_is_made_once_for_a_stamp():
    app, stamp = App(), [1]
    kept = KeptAnswers(app, lambda _: stamp[0], ())

    async def go():
        first = await ask(kept)
        assert await ask(kept) == first
        assert app.asked == 1
        assert (await ask(kept, if_none_match='W/"x", "t"'))[:2] == (304, b"")
        assert b"content-length" not in (await ask(kept, if_none_match='"t"'))[2]
        assert (await ask(kept, query=b"q=1"))[1] != first[1]
        assert (await ask(kept, path="/b"))[1] != first[1]
        stamp[0] = 2
        assert (await ask(kept))[1] == b"4" * 10

    asyncio.run(go())


@pytest.mark.parametrize(
    ("app", "asked"),
    [
        (App(tagged=False), {}), (App(status=404), {}), (App(pieces=2), {}),
        (App(), {"method": "POST"}), (App(), {"authorization": "Bearer x"}),
    ],
)  # fmt: skip
def test_what_may_differ_is_asked_every_time(app, asked):
    kept = KeptAnswers(app, lambda _: 1, ("/untagged",))

    async def go():
        await ask(kept, **asked)
        await ask(kept, **asked)

    asyncio.run(go())
    assert app.asked == 2


def test_those_who_ask_at_once_wait_for_one_answer():
    app = App(tagged=False)
    kept = KeptAnswers(app, lambda _: 1, ("/untagged",))

    async def go():
        answers = await asyncio.gather(*(ask(kept, "/untagged/x") for _ in range(50)))
        assert {body for _, body, _ in answers} == {b"1" * 10}

    asyncio.run(go())
    assert app.asked == 1


def test_whoever_waited_for_an_answer_that_failed_asks_again():
    async def fails(scope, receive, send):
        await asyncio.sleep(0.01)
        raise ZeroDivisionError

    kept = KeptAnswers(fails, lambda _: 1, ())

    async def go():
        asked = (ask(kept) for _ in range(3))
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in found] == [ZeroDivisionError] * 3

    asyncio.run(go())


def test_memory_is_bounded_and_the_least_used_goes_first():
    app = App(size=MOST_BYTES // 3)
    kept = KeptAnswers(app, lambda _: 1, ())

    async def go():
        for path in ("/1", "/2", "/3", "/1", "/4"):
            await ask(kept, path)
        assert app.asked == 4
        await ask(kept, "/1")
        assert app.asked == 4
        await ask(kept, "/2")
        assert app.asked == 5

    asyncio.run(go())


def test_readers_see_what_was_acknowledged_before(server):
    """Whatever was asked before, the next answer knows of the write that came between."""
    team, worker = server.team(), server.token("work")
    paths = [
        "/submissions",
        "/v1/submissions",
        "/v1/boards",
        BOARD,
        "/",
        f"/boards/{TRACK}/{SCALE}",
    ]

    def texts():
        return {path: server.client.get(path).text for path in paths}

    before = texts()
    assert texts() == before
    submission = server.hand_in(team, manifest='{"name": "newcomer"}').json()["submission"]
    own = [f"/submissions/{submission['id']}", f"/v1/submissions/{submission['id']}"]
    handed_in = texts()
    assert "newcomer" in handed_in["/submissions"]
    assert "newcomer" in handed_in["/v1/submissions"]
    paths += own
    waiting = texts()
    other = server.hand_in(team, a_list(5)).json()["submission"]
    assert server.get(own[1])["position"] == 1
    assert server.get(f"/v1/submissions/{other['id']}")["position"] == 2
    lease = server.lease(worker)
    running = texts()
    assert all(running[path] != waiting[path] for path in own)
    assert server.get(f"/v1/submissions/{other['id']}")["position"] == 1
    server.clock.now += 7
    assert server.get(own[1])["runs"][0]["heartbeat_age_seconds"] == 7
    assert server.bring(worker, lease).status_code == 201
    done = texts()
    assert all("newcomer" in done[path] for path in (BOARD, "/", f"/boards/{TRACK}/{SCALE}"))


def test_what_another_process_appends_is_seen_at_once(sqlite_server):
    sqlite_server.hand_in(sqlite_server.team())
    before = sqlite_server.get("/v1/ledger/head")["size"]
    target = sqlite_server.get("/v1/submissions")["items"][0]["digest"]
    machine_ledger().append("objection", {"target": target, "text": "no", "contact": "", "by": "x"})
    assert sqlite_server.get("/v1/ledger/head")["size"] == before + 1
