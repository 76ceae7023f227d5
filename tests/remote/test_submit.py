"""`assay submit` and `assay status` as a person has them, against a server that is a function."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from assay.cli import main
from assay.pool import Pool
from assay.remote.client import Client
from assay.remote.servers import known_servers
from scored import metrics, text_task
from tiny import SCALE, TRACK

URL = "http://board.example.org"
DIGEST = "sha256:" + "d" * 64
RUN = {
    "seed_index": 0, "state": "queued", "level": "rerun", "attempts": 0, "worker": "", "heartbeat_age_seconds": None,
    "progress": None, "reason": "", "record": None,
}  # fmt: skip
RECORD = {
    "digest": DIGEST, "track": {"modality": "text"}, "metrics": metrics("text", {"a": text_task(1.5, 0.5)})
}  # fmt: skip


class Server:
    """Knows one submission, whose `states` it goes through, one a look."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, bytes]] = []
        self.tokens: list[str | None] = []
        self.refusal: httpx.Response | None = None
        self.seen = False
        self.states: list[dict[str, Any]] = [
            {"state": "queued", "position": 2, "eta_seconds": 300.0}
        ]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.calls.append((request.method, path, request.read()))
        self.tokens.append(request.headers.get("Authorization"))
        if path == "/v1/teams":
            name = json.loads(request.content)["name"]
            if name == "taken":
                return httpx.Response(409, json={"detail": "there is a team of that name"})
            return httpx.Response(
                201, json={"team": {"id": 1, "name": name}, "token": f"t-{name}", "expires": ""}
            )
        if path == "/v1/submissions":
            if self.refusal:
                return self.refusal
            status = 200 if self.seen else 202
            self.seen = True
            return httpx.Response(status, json={"submission": self._submission(self.states[0])})
        if path == "/v1/submissions/5e1f":
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return httpx.Response(200, json=self._submission(state))
        if path == "/v1/submissions/5e1f/log":
            line = {
                "seed_index": 0,
                "attempt": 2,
                "time": "2026-01-01T00:00:00+00:00",
                "line": "a\x1b[2Jb",
            }
            return httpx.Response(200, json={"items": [line], "next": None})
        if path == f"/v1/records/{DIGEST}":
            return httpx.Response(200, json={"record": RECORD, "entry": {}})
        return httpx.Response(404, json={"detail": "there is no such thing"})

    def _submission(self, state: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": "5e1f", "digest": DIGEST, "track": TRACK, "scale": SCALE, "position": None, "eta_seconds": None,
            "team": "a", "runs": [RUN], "url": f"{URL}/submissions/5e1f", "created": "2026-01-01T00:00:00+00:00",
            "updated": "2026-01-01T00:00:00+00:00",
        } | state  # fmt: skip

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.calls]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    connect = partial(Client, transport=httpx.MockTransport(made), sleep=lambda _: None)
    monkeypatch.setattr("assay.remote.client.Client", connect)
    monkeypatch.setattr("assay.remote.upload.WATCH_SECONDS", 0.0)
    monkeypatch.setattr("assay.remote.upload.default_team", lambda: "me")
    return made


@pytest.fixture
def ids(tiny_home: Path) -> Path:
    path = tiny_home / "my list.npy"
    np.save(path, Pool.open("tiny-pool").uids[::3])
    return path


def submit(ids: Path, *words: str) -> int:
    return main(["submit", str(ids), "--track", TRACK, "--scale", SCALE, "--server", URL, *words])


def test_a_list_is_handed_in(server: Server, ids: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert submit(ids, "--name", "third", "--seeds", "2") == 0
    told = capsys.readouterr().out
    assert "my list.npy: accepted for tiny/pico@1" in told
    assert "submission 5e1f: tiny/pico, queued, number 2 in the queue; done in about 5 min" in told
    assert f"{URL}/submissions/5e1f" in told
    assert told.endswith("follow it with: assay status 5e1f --watch\n")
    body = server.calls[-1][2]
    parts = dict(
        re.findall(rb'name="(\w+)"(?:; filename="[^"]*")?(?:\r\n[^\r]+)*\r\n\r\n([^\r]*)', body)
    )
    assert (parts[b"track"], parts[b"scale"], parts[b"seeds"]) == (b"tiny", b"pico", b"2")
    manifest = json.loads(parts[b"manifest"])
    assert (manifest["name"], manifest["unit"]) == ("third", "document")
    assert b'filename="my list.npy"' in body
    assert str(ids.parent).encode() not in body
    assert ids.read_bytes() in body


def test_a_team_is_registered_once(server: Server, ids: Path) -> None:
    assert submit(ids) == submit(ids) == 0
    assert server.paths() == ["/v1/teams", "/v1/submissions", "/v1/submissions"]
    assert server.tokens == [None, "Bearer t-me", "Bearer t-me"]
    assert main(["submit", str(ids), "--track", TRACK, "--scale", SCALE]) == 0
    assert server.paths()[-1] == "/v1/submissions"
    assert len(known_servers()) == 1


def test_another_team_can_be_named(server: Server, ids: Path) -> None:
    submit(ids)
    submit(ids, "--team", "us")
    assert server.tokens[-1] == "Bearer t-us"
    submit(ids, "--token", "given")
    submit(ids)
    assert server.tokens[-1] == "Bearer given"


def test_a_taken_name_says_what_to_do(
    server: Server, ids: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit(ids, "--team", "taken") == 2
    assert "register as another with --team NAME" in capsys.readouterr().err
    assert known_servers() == []


def test_the_same_list_is_the_same_submission(
    server: Server, ids: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(ids, "--json")
    first = json.loads(capsys.readouterr().out)
    submit(ids, "--json")
    second = json.loads(capsys.readouterr().out)
    assert (first["new"], second["new"]) == (True, False)
    assert first["submission"] == second["submission"]
    assert first["report"]["ok"]
    submit(ids)
    told = capsys.readouterr().out
    assert "handed in before" in told
    assert "queued now" not in told


def test_runs_that_are_added_to_a_list_from_before_are_said(
    server: Server, ids: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(ids)
    assert "handed in before" not in capsys.readouterr().out
    server.seen = False  # as it answers where it queued something
    server.states[0] |= {"updated": "2026-01-02T00:00:00+00:00", "runs": [RUN] * 3}
    submit(ids)
    told = capsys.readouterr().out
    assert "with 3 runs; runs of it that failed, or that --seeds asks for" in told


def test_what_breaks_a_rule_is_never_sent(
    server: Server, ids: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uids = Pool.open("tiny-pool").uids[:30].copy()
    uids["f1"][3] ^= 1
    np.save(ids, uids)
    assert submit(ids) == 2
    assert "error S2" in capsys.readouterr().out
    assert server.calls == []


def test_what_the_server_finds_is_shown(
    server: Server, ids: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = {"rule": "S2", "severity": "error", "message": "one id is\x1b[2J unknown", "row": 7}
    problem = {"detail": "S2: refused", "rule": "S2", "findings": [finding]}
    server.refusal = httpx.Response(422, json=problem)
    assert submit(ids) == 2
    assert "error S2 row 7: one id is?[2J unknown" in capsys.readouterr().out
    assert submit(ids, "--json") == 2
    assert json.loads(capsys.readouterr().out)["findings"] == [finding]


def test_a_refusal_without_findings_is_one_line(
    server: Server, ids: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.refusal = httpx.Response(
        429, json={"detail": "the week's runs are used up", "rule": "R1"}
    )
    assert submit(ids, "--json") == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"].startswith(
        f"{URL} refuses: R1: the week's runs are used up"
    )


def test_watching_ends_with_the_score(
    server: Server, ids: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = {"unit": "tok", "done": 10.0, "total": 100.0, "rate": 5.0}
    server.states = [
        {"state": "queued", "position": 1},
        {"state": "running", "runs": [RUN | {"state": "running", "worker": "w-1", "attempts": 1}]},
        {"state": "running", "runs": [RUN | {"state": "running", "worker": "w-1", "attempts": 1, "progress": running}]},
        {"state": "running", "runs": [RUN | {"state": "running", "worker": "w-2", "attempts": 2, "progress": None}]},
        {"state": "done", "runs": [RUN | {"state": "done", "attempts": 2, "record": DIGEST}]},
    ]  # fmt: skip
    assert submit(ids, "--watch", "--json") == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["submission"]["state"] == "done"
    assert document["records"] == [RECORD]
    for line in ("seed 1: running on w-1", "seed 1: running on w-2, attempt 2", "seed 1: done"):
        assert captured.err.count(f"  {line}") >= 1


@pytest.mark.parametrize(
    ("state", "code"), [("done", 0), ("running", 0), ("failed", 1), ("withdrawn", 1)]
)
def test_status_says_where_it_is(
    server: Server, tiny_home: Path, capsys: pytest.CaptureFixture[str], state: str, code: int
) -> None:
    run = RUN | {
        "state": state,
        "attempts": 3,
        "reason": "worker w\x1b[2J was not heard of",
        "heartbeat_age_seconds": 4.2,
    }
    server.states = [
        {"state": state, "runs": [run | {"record": DIGEST if state == "done" else None}]}
    ]
    assert main(["status", "5e1f", "--server", URL, "--log"]) == code
    told = capsys.readouterr().out
    assert "attempt 3, worker w?[2J was not heard of; heard of 4 s ago" in told
    assert "seed 1.2 a?[2Jb" in told
    assert ("1.5000 bits/byte" in told) == (state == "done")


def test_status_takes_a_url_and_never_leaves_its_place(server: Server, tiny_home: Path) -> None:
    assert main(["status", f"{URL}/submissions/5e1f/", "--server", URL]) == 0
    assert main(["status", "../../admin?x=", "--server", URL]) == 2
    assert server.paths()[-1] == "/v1/submissions/admin?x="


def test_without_any_server_it_says_so(
    tiny_home: Path, capsys: pytest.CaptureFixture[str], ids: Path
) -> None:
    assert main(["status", "5e1f"]) == 2
    assert "has not used a leaderboard yet" in capsys.readouterr().err
    assert main(["submit", str(ids), "--track", TRACK, "--scale", SCALE]) == 2
    assert "assay board serve" in capsys.readouterr().err


def test_what_screening_found_is_told_in_two_lines(
    server: Server, tiny_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overlap = {
        "submission": DIGEST,
        "name": "an\x1b[2J earlier",
        "scale": "pico",
        "jaccard": 0.9987,
        "contained": 1.0,
    }
    audit = {
        "done": True, "leaked_items": 7, "matches": 1234, "overlaps": [overlap],
        "duplicates": {"exact": {"redundant": 40}, "near": {"redundant": 55}},
        "issues": ["40 examples (1.0%) are exact copies of others", "7 examples hold evaluation items"],
    }  # fmt: skip
    server.states = [{"state": "queued", "report": {"ok": True, "audit": audit}}]
    assert main(["status", "5e1f", "--server", URL]) == 0
    told = capsys.readouterr().out
    assert (
        "  screening: 7 leaks of evaluation items, 1,234 matches with shared phrases; 40 exact copies, "
        "55 with near-copies; nearest earlier list an?[2J earlier at pico, Jaccard index 0.9987\n"
        "  issues: 40 examples (1.0%) are exact copies of others; 7 examples hold evaluation items\n"
    ) in told
