import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.artifact import create_durable
from assay.ledger import Ledger, entry_path, read_entry, verify_ledger
from assay.ledger.entry import read_head
from ledgers import filled, open_ledger, record

APPENDER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from assay.record import record_digest
from assay.ledger.entry import read_head
from ledgers import open_ledger, record
ledger = open_ledger(Path(sys.argv[1]))
for seed in range(int(sys.argv[3])):
    print(ledger.append("run", record(sys.argv[2], seed), "rerun").index, flush=True)
"""


def appender(folder: Path, name: str, count: int) -> subprocess.Popen:
    program = APPENDER.format(tests=str(Path(__file__).parents[1]))
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder), name, str(count)], stdout=subprocess.PIPE, text=True
    )  # fmt: skip


def test_processes_and_threads_append_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    processes = [appender(tmp_path, name, 20) for name in ("a", "b")]
    acknowledged: list[int] = []

    def run(name: str) -> None:
        for seed in range(10):
            acknowledged.append(ledger.append("run", record(name, seed), "rerun").index)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("c", "d", "e")]
    for thread in threads:
        thread.start()
    for process in processes:
        acknowledged += [int(line) for line in process.communicate(timeout=120)[0].split()]
    for thread in threads:
        thread.join()
    assert sorted(acknowledged) == list(range(70))
    assert {entry.body["digest"] for entry in ledger.entries()} == {
        record(name, seed)["digest"]
        for name, count in (("a", 20), ("b", 20), ("c", 10), ("d", 10), ("e", 10))
        for seed in range(count)
    }
    report = verify_ledger(tmp_path / "ledger")
    assert (report.ok, report.size, report.head_size) == (True, 70, 70)


@pytest.mark.slow
def test_killed_at_twenty_random_moments_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    delays = np.random.default_rng(20).uniform(0, 0.15, 20)
    acknowledged: set[int] = set()
    for number, delay in enumerate(delays):
        process = appender(tmp_path, f"m{number}", 1000)
        assert process.stdout is not None
        first = process.stdout.readline()
        try:
            process.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0]
        assert process.returncode == -signal.SIGKILL
        acknowledged |= {
            int(line) for line in [first, *rest.splitlines(keepends=True)] if "\n" in line
        }
        report = verify_ledger(tmp_path / "ledger")
        assert report.ok, report.finding
        assert acknowledged <= set(range(report.size))
    size = verify_ledger(tmp_path / "ledger").size
    assert size >= 20
    assert open_ledger(tmp_path).head().size == size


STEPS = """
import os, shutil, sys
from itertools import count
from pathlib import Path
sys.path.insert(0, {tests!r})
from assay.record import record_digest
from assay.ledger.entry import read_head
from ledgers import open_ledger, record

home = Path(sys.argv[1])
names = ("open", "fsync", "link", "unlink", "mkdir", "replace", "rename")

def die_at(number):
    seen = count(1)
    def armed(function):
        def call(*args, **kwargs):
            if next(seen) == number:
                os.kill(os.getpid(), 9)
            return function(*args, **kwargs)
        return call
    for name in names:
        setattr(os, name, armed(getattr(os, name)))

for start in (0, 2):
    for number in count(1):
        folder = home / f"{{start}}-{{number}}"
        for seed in range(start):
            open_ledger(folder).append("run", record("m", seed), "rerun")
        child = os.fork()
        if not child:
            die_at(number)
            open_ledger(folder).append("run", record("m", start), "rerun")
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            break
    print(number)
"""


@pytest.mark.slow
def test_killed_before_every_call_that_changes_the_disk_it_goes_on(tmp_path: Path) -> None:
    program = STEPS.format(tests=str(Path(__file__).parents[1]))
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    steps = [int(line) for line in done.stdout.split()]
    assert min(steps) > 10
    seen: set[tuple[int, int | None]] = set()
    for start, last in zip((0, 2), steps, strict=True):
        for number in range(1, last + 1):
            home = tmp_path / f"{start}-{number}"
            if (home / "ledger" / "head.json").is_file():
                before = verify_ledger(home / "ledger")
                assert before.ok, (number, before.finding)
                seen.add((before.size, before.head_size))
            ledger = open_ledger(home)
            ledger.append("run", record("m", start), "rerun")
            ledger.append("run", record("m", start + 1), "rerun")
            report = verify_ledger(home / "ledger")
            assert (report.ok, report.size, report.head_size) == (True, start + 2, start + 2)
            assert list((home / "ledger" / "entries").rglob(".*")) == []
    # Both sides of the moment between an entry and the head over it were met.
    assert {(2, 2), (3, 2), (3, 3)} <= seen


def test_an_append_is_on_disk_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = filled(tmp_path, 1)
    synced: list[str] = []
    real = os.fsync

    def spy(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    monkeypatch.setattr(os, "fsync", spy)
    entry = ledger.append("run", record("m", 1), "rerun")
    folder = entry_path(ledger.folder, entry.index).parent
    assert synced[:2] == [str(ledger.folder / "entries" / ".draft"), str(folder)]
    assert read_entry(entry_path(ledger.folder, 1)) == entry


def test_a_head_that_lags_is_signed_before_the_next_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = filled(tmp_path, 1)
    head = (ledger.folder / "head.json").read_bytes()
    ledger.append("run", record("m", 1), "rerun")
    (ledger.folder / "head.json").write_bytes(head)
    sizes: list[int] = []

    def spy(path: Path, *rest: Any) -> None:
        sizes.append(read_head(ledger.folder / "head.json").size)
        create_durable(path, *rest)

    monkeypatch.setattr("assay.ledger.log.create_durable", spy)
    Ledger(ledger.folder, ledger.key_file).append("run", record("m", 2), "rerun")
    assert sizes == [2]
    assert verify_ledger(ledger.folder).head_size == 3
