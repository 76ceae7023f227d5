"""Two submissions of a server side by side, with their lists and the pool at hand."""

import csv
import html
import io
import re
from urllib.parse import unquote

import pyarrow.parquet as pq

from assay.audit.composition import breakdowns
from assay.audit.scan import Selected
from assay.pool import Pool
from assay.selection import select_rows
from assay.submission import read_submission
from assay_board.pages.snapshot import Snapshot
from tiny import SCALE, TRACK
from tiny_lists import a_list


def test_lists_are_broken_down_by_what_the_pool_says_of_them(sqlite_server):
    server = sqlite_server
    team, worker = server.team(), server.token("work")
    for first in (0, 100):
        assert server.hand_in(team, a_list(first)).status_code == 202
        assert server.bring(worker, server.lease(worker)).status_code == 201
    snapshot = Snapshot().extended(server.board.ledger.entries())
    (table,) = snapshot.boards()
    words = "&".join(f"entry={digest[7:]}" for digest in table.entrants)
    address = f"/compare/{TRACK}/{SCALE}/{table.key}?{words}"
    page = server.client.get(address)
    assert page.status_code == 200
    assert "Composition by host" in page.text
    assert "not on this machine" not in page.text
    pool = Pool.open("tiny-pool")
    for digest in table.entrants:
        submission = read_submission(server.board.list_path(digest))
        found = breakdowns(pool, Selected.of(select_rows(submission, pool), pool))
        share = found["host"].top[0]
        cell = rf"<td>{re.escape(str(share.value))}</td>\s*<td>{share.share:.1%}</td>"
        assert re.search(cell, page.text), cell
        # The same with every number in full, as a file.
        link = re.search(
            r'href="data:text/csv;charset=utf-8,([^"]*)" download="[^"]*host', page.text
        )
        rows = csv.DictReader(io.StringIO(unquote(html.unescape(link[1]))))
        assert repr(share.share) in {number for row in rows for number in row.values()}
    # Without a list it is said why there is nothing.
    server.board.list_path(next(iter(table.entrants))).unlink()
    assert "not on this machine" in server.client.get(f"{address}&entry=x").text


def test_downloads_of_pages_and_of_the_api_are_one(sqlite_server):
    server = sqlite_server
    worker = server.token("work")
    server.hand_in(server.team(), seeds="2")
    for _ in range(2):
        assert server.bring(worker, server.lease(worker)).status_code == 201
    (table,) = Snapshot().extended(server.board.ledger.entries()).boards()
    page, api = f"/boards/{TRACK}/{SCALE}/{table.key}", f"/v1/boards/{TRACK}/{SCALE}"
    assert server.client.get(f"{page}.csv").content == server.client.get(f"{api}.csv").content
    rows = [
        pq.read_table(io.BytesIO(server.client.get(f"{path}.parquet").content)).to_pylist()
        for path in (page, api)
    ]
    assert rows[0] == rows[1]
    (row,) = csv.DictReader(io.StringIO(server.client.get(f"{api}.csv").text))
    assert row["name"] == rows[0][0]["name"]
    (shown,) = server.get(api)["tables"]
    assert float(row["bits_per_byte"]) == shown["rows"][0]["estimates"]["bits_per_byte"]["mean"]
