"""An export has what the server has: curves, overlaps and compositions too, where the files lie in the home."""

import re

import pytest

from assay_board import site
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
    source = scored.client.app.state.source
    for digest, entrant in table.entrants.items():
        assert site._list_path(digest) == source.list_path(digest) is not None
        (run,) = entrant.runs
        assert site._trace_path(run.digest) == source.trace_path(run.digest) is not None
    assert site._pool_of(table).root == source.pool_of(table).root
    assert site._list_path("sha256:00") is site._trace_path("sha256:00") is None


def test_an_export_goes_without_a_pool_that_is_not_of_the_board(scored, table, monkeypatch):
    table.digests["pool"] = "sha256:00"
    assert site._pool_of(table) is None
    monkeypatch.setattr(site, "pool_path", lambda name: scored.board.settings.home / "nowhere")
    monkeypatch.setattr(site, "open_pool", lambda loaded: pytest.fail("an export builds no pool"))
    assert site._pool_of(table) is None
