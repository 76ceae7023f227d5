"""SIGKILL at any moment of a busy run: what was acknowledged is there, and the ledger verifies."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from assay.artifact import write_atomic
from assay.ledger import machine_ledger
from assay.ledger.verify import verify_ledger
from assay.seeds import epoch_digest
from assay_board import operating
from assay_board.epochs import KEY_BYTES
from tiny import SCALE, TRACK
from tiny_lists import a_list

LEADERBOARD = Path(__file__).parents[2] / "leaderboard"
KILLS = int(os.environ.get("ASSAY_KILLS", "4"))
"""Each takes some 15 seconds; ASSAY_KILLS=20 is for a long look."""


PATIENCE_SECONDS = 600.0
"""For something new of a busy server, on a machine with much else to do."""


@dataclass
class Acknowledged:
    """What servers said is done."""

    submissions: set[str] = field(default_factory=set)
    entries: dict[int, str] = field(default_factory=dict)
    leases: set[str] = field(default_factory=set)
    results: int = 0


@contextmanager
def serving(database_url: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [
        sys.executable,
        "-m",
        "assay",
        "board",
        "serve",
        "--port",
        "0",
        "--no-worker",
        "--json",
        "--runs-per-week",
        "1000000",
    ]
    environment = os.environ | {"PYTHONPATH": str(LEADERBOARD), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command + (["--db", database_url] if database_url else []),
        env=environment, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "}\n")
            yield process, json.loads("".join(lines) + "}")["url"]
        finally:
            process.kill()


def submit_for_ever(
    url: str, headers: dict[str, str], first: Iterator[int], done: Acknowledged, pause: float
) -> None:
    """Hand new lists in, and object to each, until nobody answers."""
    with suppress(httpx.TransportError), client_of(url, headers) as client:
        while True:
            time.sleep(pause)
            number = next(first)
            form = {"track": TRACK, "scale": SCALE, "seeds": "1"}
            files = {"list": ("s.npy", a_list(number % 150, 100 + number // 150))}
            answer = client.post("/v1/submissions", data=form, files=files)
            if answer.status_code == 429:
                time.sleep(float(answer.headers["Retry-After"]))
                continue
            assert answer.status_code in (200, 202), answer.text
            found = answer.json()["submission"]
            done.submissions.add(found["id"])
            text = f"objection {number}"
            path = f"/v1/submissions/{found['id']}/objections"
            answer = client.post(path, json={"text": text})
            if answer.status_code == 201:
                done.entries[answer.json()["entry"]] = text


def work_for_ever(url: str, headers: dict[str, str], results: Any, done: Acknowledged) -> None:
    """Lease runs and bring their results, until nobody answers."""
    with suppress(httpx.TransportError), client_of(url, headers) as client:
        while True:
            answer = client.post("/v1/leases", json={"worker": "w"})
            if answer.status_code == 204:
                time.sleep(0.05)
                continue
            assert answer.status_code == 201, answer.text
            lease = answer.json()
            done.leases.add(lease["id"])
            parts = results(lease["job"])
            secret = {"Assay-Lease": lease["secret"]}
            path = f"/v1/leases/{lease['id']}/result"
            files = {name: (name, data) for name, data in parts.items()}
            answer = client.post(path, headers=secret, files=files)
            assert answer.status_code == 201, answer.text
            done.entries[answer.json()["entry"]] = answer.json()["record"]
            done.results += 1


def wait_for_more(done: Acknowledged, results_too: bool, busy: Sequence[Future[None]]) -> None:
    """Wait until a server is busy: it has acknowledged something new, on every fifth time a result."""

    def count() -> int:
        return done.results if results_too else len(done.submissions)

    before, deadline = count(), time.monotonic() + PATIENCE_SECONDS
    while count() == before:
        for future in busy:
            if future.done():
                future.result()
                raise AssertionError("the server went away before anybody killed it")
        assert time.monotonic() < deadline, f"nothing new in {PATIENCE_SECONDS:.0f} s: {done}"
        time.sleep(0.05)


def client_of(url: str, headers: dict[str, str]) -> httpx.Client:
    # A write may wait for the disk of a busy machine; that is no reason to give up.
    return httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_SECONDS)


def check_nothing_lost(url: str, done: Acknowledged) -> None:
    with httpx.Client(base_url=url) as client:
        for submission in sorted(done.submissions):
            assert client.get(f"/v1/submissions/{submission}").status_code == 200
            assert client.get(f"/v1/submissions/{submission}/list").content[:4] == b"PAR1"
    ledger = machine_ledger()
    for index, text in done.entries.items():
        assert text in (ledger.read(index).body.get("text"), ledger.read(index).body.get("digest"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_killed_server_has_lost_nothing_that_it_acknowledged(
    tiny_home: Path, database_url: str, results: Any
):
    key = b"\x07" * KEY_BYTES
    digest = epoch_digest(key)
    (tiny_home / "keys" / "epochs").mkdir(parents=True)
    write_atomic(tiny_home / "keys" / "epochs" / digest[7:], key)
    machine_ledger().append("epoch", {"epoch": digest})
    with operating.opened(database_url) as board:
        tokens = [
            operating.create_token(board, *asked)["token"]
            for asked in (("submit", "busy", "", 1.0), ("work", None, "", 1.0))
        ]
    submit, work = ({"Authorization": f"Bearer {token}"} for token in tokens)
    rng = np.random.default_rng(20)
    numbers, done = iter(range(10**6)), Acknowledged()
    for number in range(KILLS):
        with serving(database_url) as (process, url):
            check_nothing_lost(url, done)
            results_too = number % 5 == 3
            # A flood of lists would leave the training beside it no processor.
            pause = 0.25 if results_too else 0.0
            with ThreadPoolExecutor(2) as pool:
                busy = [
                    pool.submit(submit_for_ever, url, submit, numbers, done, pause),
                    pool.submit(work_for_ever, url, work, results, done),
                ]
                try:
                    wait_for_more(done, results_too, busy)
                    time.sleep(float(rng.uniform(0, 1)))
                finally:
                    process.kill()
            for future in busy:
                future.result()
    with serving(database_url) as (_, url):
        check_nothing_lost(url, done)
    assert len(done.submissions) >= KILLS
    assert done.results
    assert verify_ledger(tiny_home / "ledger").ok
    with operating.opened(database_url) as board:
        assert operating.rebuild_index(board)["identical"]
