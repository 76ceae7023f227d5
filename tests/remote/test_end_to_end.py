"""A real server, real workers, real training: one worker is killed, the server is killed, the score is the same."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from assay.cli import main
from assay.ledger import read_ledger
from assay.record import result_digest
from assay.remote.worker import STOPPED
from assay.runner.scoring import score_given
from assay.seeds import GivenSeed
from assay.settings import compose
from assay.submission import Manifest
from assay.track.load import load

assay_board = pytest.importorskip("assay_board")
pytest.importorskip("uvicorn")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

# As `assay board serve --no-worker`, with leases that are lost sooner.
SERVE = """
import sys, uvicorn
from assay_board.app import create_app
from assay_board.settings import BoardSettings
app = create_app(BoardSettings(public_url=sys.argv[1], lease_seconds=40.0, heartbeat_seconds=1.0))
uvicorn.run(app, port=int(sys.argv[1].rsplit(":", 1)[1]), log_level="warning")
"""
AT = ["--track", "text", "--scale", "pico"]
HERE = ["device=cpu", "threads=1", "checkpoint_seconds=1"]


class Place:
    """Homes of a server, a participant and workers, and the processes that live in them."""

    def __init__(self, folder: Path):
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, home: str, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        root = str(Path(assay_board.__file__).parents[1])
        paths = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        known = {"ASSAY_HOME": str(self.folder / home), "PYTHONPATH": paths}
        with (self.folder / f"{home}.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *words],
                env=os.environ | known | environment,
                stdout=log,
                stderr=log,
            )
        self.running.append(process)
        return process

    def serve(self) -> subprocess.Popen[bytes]:
        process = self.start("server", "-c", SERVE, self.url)
        self.wait_for(lambda: self.ask("/v1/health"), process)
        return process

    def worker(self, home: str, token: str) -> subprocess.Popen[bytes]:
        words = ["-m", "assay", "worker", "--server", self.url, "--take", "text/pico", *HERE]
        return self.start(home, *words, ASSAY_WORKER_TOKEN=token)

    def token(self) -> str:
        process = self.start("server", "-m", "assay", "board", "token", "create", "--scope", "work")
        assert process.wait(60) == 0
        words = (self.folder / "server.txt").read_text().split()
        return next(word for word in words if word.startswith("assay_"))

    def ask(self, path: str) -> Any:
        try:
            return httpx.get(self.url + path).raise_for_status().json()
        except httpx.HTTPError:
            return None

    def wait_for(
        self, condition: Callable[[], Any], process: subprocess.Popen[bytes], seconds: float = 600
    ) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            on = process.poll() is None and self.first_run().get("state") != "failed"
            if not on or time.monotonic() > deadline:
                logs = [path.read_text()[-2000:] for path in sorted(self.folder.glob("*.txt"))]
                raise AssertionError("\n".join(["it did not happen", str(self.first_run()), *logs]))
            time.sleep(0.2)

    def first_run(self) -> dict[str, Any]:
        found = self.ask("/v1/submissions")
        return found["items"][0]["runs"][0] if found and found["items"] else {}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    for process in made.running:
        process.kill()
        process.wait()


def at_work(place: Place, name: str) -> bool:
    run = place.first_run()
    return bool(run.get("progress")) and run["worker"].endswith(name)


def prepared(place: Place, monkeypatch: pytest.MonkeyPatch, *homes: str) -> Path:
    """Choose a list at the participant's, and copy the pool to the others: it is the same everywhere."""
    ids = place.folder / "s.npy"
    monkeypatch.setenv("ASSAY_HOME", str(place.folder / "me"))
    assert main(["select", "random", *AT, "--out", str(ids), "--set", "fraction=0.3"]) == 0
    for home in homes:
        shutil.copytree(place.folder / "me" / "pools", place.folder / home / "pools")
    return ids


def kill_at_work(place: Place, home: str, token: str) -> None:
    """Start a worker and kill it while its run trains; the run must die with it."""
    worker = place.worker(home, token)
    place.wait_for(lambda: at_work(place, f"-{worker.pid}"), worker)
    children = psutil.Process(worker.pid).children(recursive=True)
    place.wait_for(
        lambda: list((place.folder / home / "runs").glob("*/resume.safetensors")), worker
    )
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert children
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive, "a run outlived its worker"


def test_a_killed_worker_and_a_killed_server_change_no_score(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = prepared(place, monkeypatch, "server", "one", "two")
    server = place.serve()
    token = place.token()
    capsys.readouterr()
    words = ["submit", str(ids), *AT, "--name", "third", "--seeds", "1", "--server", place.url]
    assert main([*words, "--json"]) == 0
    name = json.loads(capsys.readouterr().out)["submission"]["id"]

    kill_at_work(place, "one", token)
    second = place.worker("two", token)
    place.wait_for(lambda: at_work(place, f"-{second.pid}"), second)
    server.send_signal(signal.SIGKILL)
    server.wait()
    server = place.serve()
    place.wait_for(lambda: place.first_run().get("state") == "done", second)
    assert main(["status", name, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (record,) = document["records"]
    assert document["submission"]["runs"][0]["attempts"] in (2, 3)
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0

    # The reference goes on from where the first worker was killed; the second one began anew.
    monkeypatch.setenv("ASSAY_HOME", str(place.folder / "one"))
    seed = GivenSeed(record["seed"], **record["seed_source"])
    settings = compose([*HERE, "progress=false"])
    again = score_given(
        ids, load("text", "pico"), seed, settings=settings, manifest=Manifest(name="third")
    )
    assert "resuming at step" in capsys.readouterr().err
    assert result_digest(record) == again["result_digest"]
    assert record["metrics"] == again["metrics"]
    monkeypatch.setenv("ASSAY_HOME", str(place.folder / "server"))
    assert [kept["digest"] for kept in read_ledger("text", "pico")] == [record["digest"]]
    assert main(["ledger", "verify", str(place.folder / "server" / "ledger")]) == 0


def test_a_worker_that_is_stopped_uses_no_attempt_up(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM while a run trains, as often as there are attempts: the next worker ends it all the same."""
    ids = prepared(place, monkeypatch, "server", "one")
    place.serve()
    token = place.token()
    assert main(["submit", str(ids), *AT, "--seeds", "1", "--server", place.url]) == 0
    for _ in range(3):
        worker = place.worker("one", token)
        place.wait_for(lambda w=worker: at_work(place, f"-{w.pid}"), worker)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
        run = place.first_run()
        assert (run["state"], run["reason"]) == ("queued", STOPPED)
        assert run["attempts"] == 0
        assert not list((place.folder / "one" / "jobs").glob("*"))
    worker = place.worker("one", token)
    place.wait_for(lambda: place.first_run().get("state") == "done", worker)
    assert place.first_run()["attempts"] == 1
