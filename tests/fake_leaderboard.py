"""A leaderboard that is a function: it gives out one run of the tiny track and notes what comes of it."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from assay.pool import Pool
from assay.remote.client import Client
from assay.remote.executors import Ended, Task
from assay.remote.worker import Worker
from assay.settings import Settings
from assay.submission import read_submission
from assay.track.load import load
from tiny import SCALE, TRACK

SETTINGS = Settings(device="cpu", threads=1)


class FakeLeaderboard:
    """Answers as the contract says; `answers` replaces what it says, by the last word of the path."""

    def __init__(self, home: Path):
        path = home / "s.npy"
        np.save(path, Pool.open("tiny-pool").uids[::3])
        loaded, submission = load(TRACK, SCALE), read_submission(path)
        self.list = path.read_bytes()
        self.job: dict[str, Any] = {
            "run": 7, "track": TRACK, "scale": SCALE, "label": loaded.label, "seal": loaded.seal,
            "pool": Pool.open("tiny-pool").root, "seed": 12345, "seed_index": 0, "epoch": "sha256:" + "e" * 64,
            "submission": {"id": "s", "digest": submission.digest, "unit": "document", "name": "third",
                           "manifest": {"name": "third"}},
        }  # fmt: skip
        self.left = 1
        self.calls: list[tuple[str, Any]] = []
        self.answers: dict[str, Callable[[], httpx.Response]] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        what = request.url.path.removeprefix("/v1/leases").lstrip("/").removeprefix("l-1/")
        if what:
            assert request.headers["Assay-Lease"] == "secret"
        is_json = request.headers.get("Content-Type") == "application/json"
        self.calls.append((what, json.loads(request.content) if is_json else request.content))
        if what in self.answers:
            return self.answers[what]()
        if what == "":
            if not self.left:
                return httpx.Response(204)
            self.left -= 1
            document = {
                "id": "l-1",
                "secret": "secret",
                "expires": "",
                "heartbeat_seconds": 0.05,
                "job": self.job,
            }
            return httpx.Response(201, json=document)
        if what == "list":
            return httpx.Response(200, content=self.list)
        return httpx.Response(201 if what == "result" else 200, json={"record": "d", "entry": 1})

    def bodies(self, what: str) -> list[Any]:
        return [body for name, body in self.calls if name == what]


class FakeExecutor:
    """An executor and its only task: `play` writes what a run would, and says when it has ended."""

    slots = 1

    def __init__(self, play: Callable[[Path], Ended | None]):
        self.play, self.cancelled = play, False
        self.tasks: list[Task] = []

    def submit(self, task: Task) -> "FakeExecutor":
        self.tasks.append(task)
        return self

    def poll(self) -> Ended | None:
        return self.play(Path(self.tasks[-1].command[-1]))

    def cancel(self) -> None:
        self.cancelled = True


def worker_of(server: FakeLeaderboard, executor: FakeExecutor) -> tuple[Worker, threading.Event]:
    stopping = threading.Event()
    client = Client("http://b", "t", transport=httpx.MockTransport(server), sleep=lambda _: None)
    made = Worker(
        client, executor, SETTINGS, name="w", capabilities={"tracks": []}, stopping=stopping
    )
    return made, stopping
