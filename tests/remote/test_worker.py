"""The worker's manners, against a server that is a function and runs that are files."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from assay.errors import RemoteError
from assay.remote.executors import Ended
from assay.remote.job import FAILURE_FILE, JOB_FILE, LOG_FILE, PROGRESS_FILE, RECORD_FILE
from assay.remote.worker import STOPPED, Worker
from fake_leaderboard import FakeExecutor, FakeLeaderboard, worker_of


@pytest.fixture
def server(tiny_home: Path) -> FakeLeaderboard:
    return FakeLeaderboard(tiny_home)


def in_background(worker: Worker) -> threading.Thread:
    thread = threading.Thread(target=worker.run)
    thread.start()
    return thread


def wait_for(condition: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def succeed(home: Path) -> Callable[[Path], Ended]:
    """Leave what a run leaves: a record, and in the run's folder outputs and trace."""
    run = home / "runs" / ("a" * 20)

    def play(folder: Path) -> Ended:
        run.mkdir(parents=True, exist_ok=True)
        (run / "outputs.parquet").write_bytes(b"the outputs")
        (run / "trace.npy").write_bytes(b"the trace")
        (folder / LOG_FILE).write_bytes(
            b"one\r\n\x1b[31mtwo\n\n" + "drei ü".encode() + b"\nunfinished"
        )
        (folder / PROGRESS_FILE).write_text(
            '{"doing": "training", "unit": "tok", "done": 3, "total": 9, "rate": 1.5}'
        )
        (folder / RECORD_FILE).write_text(json.dumps({"digests": {"run": "sha256:" + "a" * 64}}))
        return Ended(0, "exit status 0")

    return play


def test_a_run_is_carried_out_and_delivered(server: FakeLeaderboard, tiny_home: Path) -> None:
    executor = FakeExecutor(succeed(tiny_home))
    worker, _ = worker_of(server, executor)
    assert worker.run_once() is True
    (result,) = server.bodies("result")
    for part in (
        b'name="record"',
        b'name="outputs"',
        b'name="trace"',
        b"the outputs",
        b"the trace",
    ):
        assert part in result
    assert not server.bodies("failure")
    beats = server.bodies("heartbeat")
    assert [line for beat in beats for line in beat["log"]] == ["one", "?[31mtwo", "drei ü"]
    assert beats[-1]["progress"] == {"unit": "tok", "done": 3, "total": 9, "rate": 1.5}
    assert executor.tasks[0].environment["ASSAY_HOME"] == str(tiny_home)
    assert list((tiny_home / "jobs").iterdir()) == []


def test_an_empty_queue_is_nothing_to_do(server: FakeLeaderboard) -> None:
    server.left = 0
    worker, _ = worker_of(server, FakeExecutor(lambda _: None))
    assert worker.run_once() is None


def test_a_lost_lease_ends_the_run_and_nothing_is_said_of_it(
    server: FakeLeaderboard, tiny_home: Path
) -> None:
    executor = FakeExecutor(lambda _: None)
    server.answers["heartbeat"] = lambda: httpx.Response(410, json={"detail": "lost"})
    worker, _ = worker_of(server, executor)
    assert worker.run_once() is False
    assert executor.cancelled
    assert not server.bodies("failure")
    assert not server.bodies("result")
    assert list((tiny_home / "jobs").iterdir()) == []


def test_a_heartbeat_that_crosses_the_result_takes_nothing_back(
    server: FakeLeaderboard, tiny_home: Path
) -> None:
    """From the moment that the server has the result, the lease has ended; the answer comes later."""
    ended = threading.Event()

    def result() -> httpx.Response:
        ended.set()
        time.sleep(0.5)
        return httpx.Response(201, json={"record": "d", "entry": 1})

    server.answers["result"] = result
    server.answers["heartbeat"] = lambda: httpx.Response(410 if ended.is_set() else 200, json={})
    worker, _ = worker_of(server, FakeExecutor(succeed(tiny_home)))
    assert worker.run_once() is True
    assert not server.bodies("failure")


def test_a_server_that_is_away_does_not_end_a_run(server: FakeLeaderboard, tiny_home: Path) -> None:
    """Heartbeats fail, then the server is back, and every line of the log arrives once."""
    away = threading.Event()
    away.set()
    arrived: list[str] = []

    def beat() -> httpx.Response:
        if away.is_set():
            raise httpx.ConnectError("away")
        arrived.extend(server.bodies("heartbeat")[-1]["log"])
        return httpx.Response(200, json={})

    server.answers["heartbeat"] = beat
    written = succeed(tiny_home)
    begun = time.monotonic()

    def play(folder: Path) -> Ended | None:
        if not (folder / LOG_FILE).is_file():
            written(folder)
        if time.monotonic() - begun < 1:
            return None
        away.clear()
        return Ended(0, "exit status 0")

    worker, _ = worker_of(server, FakeExecutor(play))
    assert worker.run_once() is True
    assert len(server.bodies("result")) == 1
    assert arrived == ["one", "?[31mtwo", "drei ü"]


def test_a_refused_heartbeat_is_repeated_without_words(
    server: FakeLeaderboard, tiny_home: Path
) -> None:
    """A log that the server does not like must not cost the lease."""

    def beat() -> httpx.Response:
        said = server.bodies("heartbeat")[-1]["log"]
        return httpx.Response(422 if said else 200, json={"detail": "no such words"})

    server.answers["heartbeat"] = beat
    worker, _ = worker_of(server, FakeExecutor(succeed(tiny_home)))
    assert worker.run_once() is True
    assert {"progress": None, "log": []} in server.bodies("heartbeat")


def test_stopping_hands_the_run_back_and_uses_no_attempt_up(
    server: FakeLeaderboard, tiny_home: Path
) -> None:
    executor = FakeExecutor(lambda _: None)
    worker, stopping = worker_of(server, executor)
    thread = in_background(worker)
    wait_for(lambda: executor.tasks)
    stopping.set()
    thread.join(20)
    assert not thread.is_alive()
    assert executor.cancelled
    assert server.bodies("return") == [{"reason": STOPPED}]
    assert not server.bodies("failure")


def test_a_run_that_dies_of_the_stop_is_handed_back_too(server: FakeLeaderboard) -> None:
    """Ctrl-C reaches every process of a terminal: the run may be gone before the worker ends it."""
    stopping = threading.Event()

    def play(_: Path) -> Ended:
        stopping.set()
        return Ended(-2, "killed by SIGINT")

    worker, its = worker_of(server, FakeExecutor(play))
    stopping.set = its.set
    assert worker.run_once() is False
    assert server.bodies("return") == [{"reason": STOPPED}]
    assert not server.bodies("failure")


def test_a_machine_that_is_taken_away_uses_no_attempt_up(server: FakeLeaderboard) -> None:
    ended = Ended(None, "Slurm job 7 is PREEMPTED", preempted=True)
    worker, _ = worker_of(server, FakeExecutor(lambda _: ended))
    assert worker.run_once() is False
    (handed,) = server.bodies("return")
    assert handed["reason"].endswith("Slurm job 7 is PREEMPTED")
    assert not server.bodies("failure")


@pytest.mark.parametrize("retryable", [True, False])
def test_a_failure_is_passed_on_with_its_reason(
    server: FakeLeaderboard, retryable: bool, tiny_home: Path
) -> None:
    failure = {"reason": "S2: an id is\nunknown", "retryable": retryable}

    def play(folder: Path) -> Ended:
        (folder / FAILURE_FILE).write_text(json.dumps(failure))
        return Ended(1, "exit status 1")

    worker, _ = worker_of(server, FakeExecutor(play))
    assert worker.run_once() is False
    assert server.bodies("failure") == [{"reason": "S2: an id is unknown", "retryable": retryable}]
    assert (tiny_home / "jobs" / "l-1" / JOB_FILE).is_file(), "what failed is kept for a look"


def test_a_run_that_is_killed_says_by_what(server: FakeLeaderboard) -> None:
    worker, _ = worker_of(server, FakeExecutor(lambda _: Ended(-9, "killed by SIGKILL")))
    assert worker.run_once() is False
    (failure,) = server.bodies("failure")
    assert failure == {
        "reason": "the run ended without a word: killed by SIGKILL",
        "retryable": True,
    }


def test_another_list_than_the_leased_one_is_not_trained_on(server: FakeLeaderboard) -> None:
    server.job["submission"]["digest"] = "sha256:" + "0" * 64
    executor = FakeExecutor(lambda _: None)
    worker, _ = worker_of(server, executor)
    assert worker.run_once() is False
    assert not executor.tasks
    assert "the list that came has digest" in server.bodies("failure")[0]["reason"]


def test_a_bug_here_gives_the_run_back(server: FakeLeaderboard) -> None:
    def play(folder: Path) -> Ended:
        raise ZeroDivisionError("oops")

    executor = FakeExecutor(play)
    worker, _ = worker_of(server, executor)
    assert worker.run_once() is False
    assert executor.cancelled
    assert server.bodies("failure") == [{"reason": "ZeroDivisionError: oops", "retryable": True}]


def test_a_refused_result_is_a_failure(server: FakeLeaderboard, tiny_home: Path) -> None:
    server.answers["result"] = lambda: httpx.Response(
        422, json={"detail": "no such seed", "rule": "W3"}
    )
    worker, _ = worker_of(server, FakeExecutor(succeed(tiny_home)))
    assert worker.run_once() is False
    assert "W3: no such seed" in server.bodies("failure")[0]["reason"]


def test_a_result_is_sent_until_the_server_is_back(
    server: FakeLeaderboard, tiny_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.remote.worker.LONGEST_IDLE", 0.01)
    tries = []

    def answer() -> httpx.Response:
        tries.append(1)
        if len(tries) < 20:
            raise httpx.ConnectError("away")
        return httpx.Response(201, json={"record": "d", "entry": 1})

    server.answers["result"] = answer
    worker, _ = worker_of(server, FakeExecutor(succeed(tiny_home)))
    assert worker.run_once() is True
    assert len(tries) == 20


def test_a_refused_token_ends_the_worker(server: FakeLeaderboard) -> None:
    server.answers[""] = lambda: httpx.Response(401, json={"detail": "the token is revoked"})
    worker, _ = worker_of(server, FakeExecutor(lambda _: None))
    with pytest.raises(RemoteError, match="the token is revoked"):
        worker.run()


def test_after_a_failure_the_worker_pauses(
    server: FakeLeaderboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.left = 3
    executor = FakeExecutor(lambda _: Ended(-9, "killed by SIGKILL"))
    worker, stopping = worker_of(server, executor)
    thread = in_background(worker)
    wait_for(lambda: server.bodies("failure"))
    time.sleep(0.5)
    assert len(server.bodies("failure")) == 1
    stopping.set()
    thread.join(20)
