"""What the first reader and the first worker would wait for, done beforehand."""

import gc
import logging
from contextlib import suppress

import httpx

from assay.errors import UserError
from assay_board.context import Board
from assay_board.pages.cache import BoardCache
from assay_board.pages.links import board_path, entry_path
from assay_board.source import BoardSource

_PATHS = ["", "submissions", "submit", "rules", "v1/tracks", "v1/boards"]
_log = logging.getLogger(__name__)


def warm(board: Board, source: BoardSource, cache: BoardCache, url: str) -> None:
    """Rank every board, open every pool that is here, ask for pages, and import what checks results.

    Meant for a thread of its own: whoever asks meanwhile finds what is done and waits for the rest.

    Args:
        board: The server.
        source: As its pages have it.
        cache: Of its pages.
        url: Where it answers; the first page of a kind takes ten times as long as the others.
    """
    snapshot = source.snapshot()
    paths = list(_PATHS)
    for table in snapshot.boards():
        cache.board(snapshot, table)
        paths += [board_path(table), f"v1/{board_path(table)}"]
        paths += [entry_path(digest) for digest in list(table.entrants)[:1]]
    try:
        board.law.open_built_pools()
    except UserError as error:
        _log.warning("%s", error)
    # A server that is stopped meanwhile needs no warmth.
    with suppress(httpx.HTTPError), httpx.Client(trust_env=False, timeout=60) as client:
        for path in paths:
            client.get(f"{url}/{path}")
    import pyarrow as pa
    import pyarrow.parquet

    # The first column that is made of a list imports pandas, where that is installed; accepting a list does it.
    pa.array(["a"])
    # torch takes seconds; `results` uses these two.
    from assay.verify import digests, outputs  # noqa: F401

    # What stays for good need not be looked through for garbage, which stops every thread for as long as it takes.
    gc.collect()
    gc.freeze()
