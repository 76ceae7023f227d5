"""Progress that another program watches, and settings of executors, which no score depends on."""

import json
from pathlib import Path

import numpy as np
import pytest

from assay.console import PROGRESS_FILE, progress
from assay.errors import SettingsError
from assay.pool import Pool
from assay.remote.lease import MAX_COLUMNS, MAX_LINES, LogReader, read_progress
from assay.runner.plan import make_plan, read_plan, write_plan
from assay.settings import compose
from assay.submission import read_submission
from assay.track.load import load
from tiny import SCALE, TRACK


def test_a_bar_is_a_file_where_somebody_watches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "progress.json"
    monkeypatch.setenv(PROGRESS_FILE, str(path))
    assert read_progress(path) is None
    with progress("training", 100, "tok", initial=20) as bar:
        assert read_progress(path) == {"unit": "tok", "done": 20, "total": 100, "rate": 0.0}
        bar.update(80)
    document = json.loads(path.read_text())
    assert (document["doing"], document["done"], document["total"]) == ("training", 100, 100)
    assert document["rate"] > 0
    assert list(tmp_path.iterdir()) == [path]
    assert capsys.readouterr().err.strip() == ""


def test_a_log_is_read_by_whole_lines_and_in_pieces(tmp_path: Path) -> None:
    log = LogReader(tmp_path / "log")
    assert log.peek() == []
    (tmp_path / "log").write_bytes(b"one\ntw")
    assert log.peek() == log.peek() == ["one"]
    log.advance()
    assert log.peek() == []
    with (tmp_path / "log").open("ab") as stream:
        stream.write(b"o\n\xff\xfe\n")
    assert log.peek() == ["two", "\ufffd\ufffd"]
    log.advance()
    with (tmp_path / "log").open("ab") as stream:
        stream.write(b"".join(b"%d\n" % i for i in range(MAX_LINES + 5)))
    assert len(log.peek()) == MAX_LINES
    log.advance()
    assert log.peek() == [str(MAX_LINES + i) for i in range(5)]
    log.advance()
    with (tmp_path / "log").open("ab") as stream:
        stream.write(b"x" * (3 * MAX_LINES * MAX_COLUMNS) + b"\nend\n")
    found: list[str] = []
    for _ in range(6):
        found += log.peek()
        log.advance()
    assert found[-1] == "end"


def test_executors_are_settings() -> None:
    assert compose([]).executor.kind == "local"
    slurm = compose(["executor=slurm", "executor.minutes=60"], clusters=True).executor
    assert (slurm.kind, slurm.minutes, slurm.gpus, slurm.slots) == ("slurm", 60, 1, 8)
    ray = compose(["executor=ray", "executor.address=auto"], clusters=True).executor
    assert ray.address == "auto"
    with pytest.raises(SettingsError, match="only assay worker hands runs to a cluster"):
        compose(["executor=ray"])
    for word in (
        "executor=kubernetes",
        "executor.kind=bash",
        "executor.slots=-1",
        "executor.seed=1",
    ):
        with pytest.raises(SettingsError):
            compose([word], clusters=True)


def test_no_run_depends_on_its_executor(tiny_home: Path) -> None:
    path = tiny_home / "s.npy"
    np.save(path, Pool.open("tiny-pool").uids[::3])
    submission, loaded, pool = read_submission(path), load(TRACK, SCALE), Pool.open("tiny-pool")
    plans = [
        make_plan(loaded, submission, pool, 0, compose(["device=cpu", *words], clusters=True))
        for words in (
            [],
            ["executor=slurm", "executor.cpus=64"],
            ["executor=ray", "executor.gpus=8"],
        )
    ]
    assert len({plan.key for plan in plans}) == 1
    settings = compose(["device=cpu", "executor=slurm"], clusters=True)
    write_plan(plans[0], submission, settings)
    assert read_plan(plans[0].folder) == (plans[0], settings)
