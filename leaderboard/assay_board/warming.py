"""What the first reader and the first worker would wait for, done beforehand."""

import logging

from assay.errors import UserError
from assay_board.context import Board
from assay_board.pages.cache import BoardCache
from assay_board.source import BoardSource

_log = logging.getLogger(__name__)


def warm(board: Board, source: BoardSource, cache: BoardCache) -> None:
    """Rank every board, open every pool that is here, and import what checks results.

    Meant for a thread of its own: whoever asks meanwhile finds what is done and waits for the rest.
    """
    snapshot = source.snapshot()
    for table in snapshot.boards():
        cache.board(snapshot, table)
    try:
        board.law.open_built_pools()
    except UserError as error:
        _log.warning("%s", error)
    # torch takes seconds; `publishing` uses these two.
    from assay.verify import digests, outputs  # noqa: F401
