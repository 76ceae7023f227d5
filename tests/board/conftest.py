import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from assay.home import run_folder
from assay.runner.scoring import OUTPUTS_FILE, score_given
from assay.runner.training import TRACE_FILE
from assay.seeds import GivenSeed
from assay.settings import compose
from assay.submission import Manifest
from assay.submission.manifest import check_manifest
from assay.track.load import load
from assay_board import epochs, law
from assay_board.app import create_app
from assay_board.audit import OPERATOR
from assay_board.context import Board
from assay_board.database import Database
from assay_board.settings import BoardSettings, Rate
from assay_board.tokens import mint
from postgres_cluster import cluster
from tiny import SCALE, TRACK
from tiny_lists import a_list

START = 1_800_000_000.0
FREE = Rate(burst=100_000, per_minute=1e6)
Headers = dict[str, str]


@dataclass
class Clock:
    """Time that moves when a test says so."""

    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Server:
    """A server in this process."""

    client: TestClient
    board: Board
    clock: Clock
    results: Callable[[dict[str, Any]], dict[str, bytes]] = field(repr=False)

    def team(self, name: str = "team") -> Headers:
        answer = self.client.post("/v1/teams", json={"name": name})
        assert answer.status_code == 201, answer.text
        return {"Authorization": f"Bearer {answer.json()['token']}"}

    def token(self, scope: str, lasts: float = 1e6) -> Headers:
        expires = self.clock() + lasts
        with self.board.database.write() as session:
            token = mint(session, self.clock(), OPERATOR, scope=scope, expires=expires)
        return {"Authorization": f"Bearer {token}"}

    def hand_in(
        self, who: Headers, data: bytes | None = None, name: str = "s.npy", **fields: Any
    ) -> httpx.Response:
        path = fields.pop("path", "/v1/submissions")
        form = {"track": TRACK, "scale": SCALE, "seeds": "1"} | fields
        form = {key: value for key, value in form.items() if value is not None}
        files = {"list": (name, a_list() if data is None else data)}
        return self.client.post(path, headers=who, data=form, files=files)

    def transport(self) -> httpx.MockTransport:
        """Return the way to the server for a client of its own."""

        def reach(request: httpx.Request) -> httpx.Response:
            answer = self.client.request(
                request.method, request.url.raw_path.decode(),
                # The test's client would unpack what the caller unpacks as well.
                headers=dict(request.headers) | {"accept-encoding": "identity"}, content=request.content,
            )  # fmt: skip
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )

        return httpx.MockTransport(reach)

    def lease(self, who: Headers, worker: str = "w1", **asked: Any) -> dict[str, Any] | None:
        answer = self.client.post("/v1/leases", headers=who, json={"worker": worker} | asked)
        if answer.status_code == 204:
            return None
        assert answer.status_code == 201, answer.text
        return answer.json()

    def bring(self, who: Headers, lease: dict[str, Any], **parts: bytes) -> httpx.Response:
        made = (self.results(lease["job"]) if len(parts) < 3 else {}) | parts
        return self.client.post(
            f"/v1/leases/{lease['id']}/result",
            headers=who | {"Assay-Lease": lease["secret"]},
            files={name: (name, data) for name, data in made.items()},
        )

    def call(self, who: Headers, lease: dict[str, Any], what: str, **body: Any) -> httpx.Response:
        return self.client.post(
            f"/v1/leases/{lease['id']}/{what}",
            headers=who | {"Assay-Lease": lease["secret"]},
            json=body,
        )

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(autouse=True)
def quick_and_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds are the same in every test, so that what was trained once serves them all; two scales do."""
    # Reading all twenty scales takes longer than most of these tests.
    monkeypatch.setattr(law, "list_scales", lambda: [(TRACK, SCALE), ("text", "nano")])
    monkeypatch.setattr(epochs, "new_key", lambda: b"\x07" * epochs.KEY_BYTES)


@pytest.fixture(scope="session")
def trained() -> dict[str, dict[str, bytes]]:
    """What was trained in this session, by job."""
    return {}


@pytest.fixture
def results(trained: dict[str, dict[str, bytes]], tiny_home: Path) -> Callable[..., Any]:
    """What an honest worker brings for a job; one seed of the tiny track takes a second."""

    def run(job: dict[str, Any]) -> dict[str, bytes]:
        submission = job["submission"]
        key = json.dumps([submission["digest"], submission["manifest"], job["seed"]])
        if key not in trained:
            trained[key] = _train(job, tiny_home)
        return dict(trained[key])

    return run


def _train(job: dict[str, Any], home: Path) -> dict[str, bytes]:
    submission = job["submission"]
    path = home / "board" / "submissions" / submission["digest"][7:] / "list.parquet"
    manifest, _ = check_manifest(submission["manifest"])
    record = score_given(
        path,
        load(job["track"], job["scale"]),
        GivenSeed(job["seed"], job["epoch"], job["seed_index"]),
        settings=compose(["device=cpu", "threads=1", "progress=false"]),
        manifest=Manifest(**manifest.plain() | {"authors": tuple(manifest.authors)}),
        unit=submission["unit"],
    )
    folder = run_folder(record["digests"]["run"])
    return {
        "record": json.dumps(record).encode(),
        "outputs": (folder / OUTPUTS_FILE).read_bytes(),
        "trace": (folder / TRACE_FILE).read_bytes(),
    }


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return ""
    return request.getfixturevalue("postgres")()


@pytest.fixture
def start(
    tiny_home: Path, clock: Clock, results: Callable[..., Any]
) -> Iterator[Callable[..., Server]]:
    """Start servers; all of them end with the test."""
    running: list[TestClient] = []

    def begin(database_url: str = "", **changes: Any) -> Server:
        usual = {
            "audit_examples": 0,
            "uploads": FREE,
            "uploads_per_address": FREE,
            "registrations": FREE,
            "refusals": FREE,
        }
        settings = BoardSettings(database_url=database_url, clock=clock, **(usual | changes))
        app = create_app(settings)
        client = TestClient(app, raise_server_exceptions=False)
        client.__enter__()
        running.append(client)
        return Server(client, app.state.board, clock, results)

    yield begin
    for client in running:
        client.__exit__(None, None, None)


@pytest.fixture
def server(start: Callable[..., Server], database_url: str) -> Server:
    """A server on SQLite, then one on PostgreSQL."""
    return start(database_url)


@pytest.fixture
def sqlite_server(start: Callable[..., Server]) -> Server:
    """A server on SQLite, for what the database has no part in."""
    return start()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Makes an empty database at each call."""
    with cluster() as make:
        yield make


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    found = Database(database_url or f"sqlite:///{tmp_path / 'board.sqlite'}")
    yield found
    found.close()
