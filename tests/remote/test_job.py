"""What a worker believes of a server: nothing that it can check."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from assay.errors import RemoteError
from assay.remote.execute import main as execute
from assay.remote.executors import Ended
from assay.remote.job import FAILURE_FILE
from fake_leaderboard import FakeExecutor, FakeLeaderboard, worker_of


@pytest.fixture
def server(tiny_home: Path) -> FakeLeaderboard:
    return FakeLeaderboard(tiny_home)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epoch", "x"), ("seed", -1), ("seed", "5"), ("track", "../../etc"), ("seal", None), ("submission", {}),
        ("scale", ["nano"]),
    ],
)  # fmt: skip
def test_a_job_in_odd_words_is_refused(server: FakeLeaderboard, key: str, value: Any) -> None:
    server.job[key] = value
    worker, _ = worker_of(server, FakeExecutor(lambda _: None))
    with pytest.raises(RemoteError, match="in words that this version does not know"):
        worker.run_once()


def test_a_lease_cannot_name_a_folder_elsewhere(server: FakeLeaderboard) -> None:
    server.answers[""] = lambda: httpx.Response(
        201, json={"id": "../../x", "secret": "s", "heartbeat_seconds": 1, "job": server.job}
    )
    worker, _ = worker_of(server, FakeExecutor(lambda _: None))
    with pytest.raises(RemoteError, match="in words that this version does not know"):
        worker.run_once()


@pytest.mark.parametrize(("key", "what"), [("seal", "law"), ("pool", "pool")])
def test_another_law_or_pool_is_never_run(server: FakeLeaderboard, key: str, what: str) -> None:
    """The process of a run itself refuses, so that no worker can send a score of something else."""
    server.job[key] = "sha256:" + "0" * 64
    found: dict[str, Any] = {}

    def play(folder: Path) -> Ended:
        code = execute(folder)
        found.update(json.loads((folder / FAILURE_FILE).read_text()))
        return Ended(code, "")

    worker, _ = worker_of(server, FakeExecutor(play))
    assert worker.run_once() is False
    assert f"{what} 000000000000 on the server" in found["reason"]
    assert found["retryable"]
