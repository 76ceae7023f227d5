"""An export has what the server has: curves, overlaps and compositions too, where the files lie in the home."""

import json
import re
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assay.cli import main
from assay.verify.fetch import PARTS
from assay_board import site
from assay_board.evidence import Evidence
from assay_board.pages.snapshot import Snapshot
from assay_board.site import build_site
from tiny import SCALE, TRACK
from tiny_lists import a_list


@pytest.fixture
def scored(sqlite_server):
    """A server with two submissions of one run each."""
    team, worker = sqlite_server.team(), sqlite_server.token("work")
    for first in (0, 100):
        assert sqlite_server.hand_in(team, a_list(first)).status_code == 202
        assert sqlite_server.bring(worker, sqlite_server.lease(worker)).status_code == 201
    return sqlite_server


@pytest.fixture
def table(scored):
    (found,) = Snapshot().extended(scored.board.ledger.entries()).boards()
    return found


def test_an_export_has_the_curves_and_the_composition_of_the_server(scored, table, tmp_path):
    out = tmp_path / "site"
    build_site(scored.board.ledger.folder, out)
    for digest in table.entrants:
        exported = (out / "entries" / f"{digest[7:]}.html").read_text()
        served = scored.client.get(f"/entries/{digest[7:]}").text
        curves = re.findall(r"<polyline[^>]*>", served)
        assert len(curves) == 1
        assert re.findall(r"<polyline[^>]*>", exported) == curves
    compared = (out / "compare" / TRACK / SCALE / f"{table.key}.html").read_text()
    assert "Composition by host" in compared
    assert "not on this machine" not in compared


def test_an_export_finds_what_the_server_finds(scored, table):
    assert site._pool_of(table).root == scored.client.app.state.source.pool_of(table).root
    evidence = Evidence(scored.board.settings)
    for digest, entrant in table.entrants.items():
        (run,) = entrant.runs
        assert None not in (
            evidence.list_path(digest), evidence.outputs_path(run.digest), evidence.trace_path(run.digest)
        )  # fmt: skip
    nothing = {evidence.list_path("sha256:00"), evidence.outputs_path("sha256:00")}
    assert nothing | {evidence.trace_path("sha256:00")} == {None}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(scored, tmp_path):
    """Where an export is served by what `python -m http.server` runs, in a folder of that server."""
    build_site(scored.board.ledger.folder, tmp_path / "www" / "site")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "www"))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/site"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def elsewhere(address, tiny_template, tmp_path, monkeypatch):
    """Another machine: the track and its pool, no ledger, no run."""
    shutil.copytree(tiny_template, tmp_path / "elsewhere")
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "elsewhere"))


def verified(capsys, address):
    capsys.readouterr()
    code = main(["verify", address, "--json"])
    found = json.loads(capsys.readouterr().out)
    return code, found["level"], {check["name"]: check["status"] for check in found["checks"]}


def test_every_number_of_an_export_is_computed_again_from_the_export_alone(
    table, address, elsewhere, capsys
):
    for entrant in table.entrants.values():
        (run,) = entrant.runs
        code, level, checks = verified(capsys, f"{address}/records/{run.digest[7:]}.json")
        assert (code, level) == (7, "metrics")
        statuses = {
            status: {n for n, s in checks.items() if s == status} for status in checks.values()
        }
        # No server keeps a checkpoint, and while an epoch lasts nobody can compute its seeds.
        assert statuses["skipped"] == {"plan", "weights", "evaluation"}
        assert statuses["pending"] == {"seed"}
        assert set(statuses) == {"ok", "skipped", "pending"}


def test_an_export_that_was_changed_is_caught(table, address, elsewhere, tmp_path, capsys):
    digests = [run.digest for entrant in table.entrants.values() for run in entrant.runs]
    folders = [tmp_path / "www" / "site" / "v1" / "records" / digest for digest in digests]
    assert {path.name for path in folders[0].iterdir()} == set(PARTS)
    for name in ("list", "outputs"):
        shutil.copyfile(folders[1] / name, folders[0] / name)
    (folders[0] / "trace").unlink()
    code, level, checks = verified(capsys, f"{address}/records/{digests[0][7:]}.json")
    assert (code, level) == (3, None)
    assert (checks["submission"], checks["outputs"], checks["trace"]) == (
        "failed",
        "failed",
        "skipped",
    )


def test_the_seeds_of_an_epoch_that_has_ended_follow_from_an_export(
    scored, table, tiny_template, tmp_path, monkeypatch, capsys, request
):
    board = scored.board
    run = next(iter(table.entrants.values())).runs[0]
    with board.database.write() as session:
        board.epochs.reveal(session, run.record()["seed_source"]["epoch"], board.now())
    address = request.getfixturevalue("address")
    request.getfixturevalue("elsewhere")
    _, _, checks = verified(capsys, f"{address}/records/{run.digest[7:]}.json")
    assert checks["seed"] == "ok"


def test_an_export_goes_without_a_pool_that_is_not_of_the_board(scored, table, monkeypatch):
    table.digests["pool"] = "sha256:00"
    assert site._pool_of(table) is None
    monkeypatch.setattr(site, "pool_path", lambda name: scored.board.settings.home / "nowhere")
    monkeypatch.setattr(site, "open_pool", lambda loaded: pytest.fail("an export builds no pool"))
    assert site._pool_of(table) is None
