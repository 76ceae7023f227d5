"""The pages on a server: addresses and query strings. What they show is in `views`."""

import json
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from assay.canonical import canonical_json, digest_json
from assay_board.pages.answers import FRAMED, HEADERS, absent, answer, links_of, page_route
from assay_board.pages.cache import BoardCache
from assay_board.pages.compose import Find, FindPool, Pages, current_path, find_table
from assay_board.pages.downloads import FORMATS
from assay_board.pages.links import board_path
from assay_board.pages.queue import QueuePages
from assay_board.pages.render import assets, render
from assay_board.pages.snapshot import Snapshot
from assay_board.pages.source import Source, scored_here
from assay_board.pages.views.board import Board
from assay_board.pages.views.listing import SORTS, compact
from assay_board.pages.views.listing import Query as Asked

MOST_WORDS = 20
EMPTY = "Lists for this scale are accepted; the first run that ends opens its board."
MEDIA = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def pages_router(
    source: Source, public_url: str = "", list_path: Find | None = None,
    trace_path: Find | None = None, pool_of: FindPool | None = None, cache: BoardCache | None = None,
) -> APIRouter:  # fmt: skip
    """Return every page as a router to include at the root, after the API.

    Args:
        source: Of what is shown.
        public_url: As participants reach the server, for commands that are copied.
        list_path: Where the list of a submission lies, by its digest.
        trace_path: Where the losses of a run lie as `.npy`, by the digest of its record.
        pool_of: The pool of a board, for comparing what submissions are made of.
        cache: Of boards; None for one of their own.
    """
    pages = Pages(public_url.rstrip("/"), list_path, trace_path, pool_of, cache or BoardCache())
    ledger, queue = LedgerPages(pages, source), QueuePages(pages.public, source)
    router = APIRouter(include_in_schema=False, route_class=page_route(source.snapshot))
    for path, endpoint in {
        "/": ledger.home,
        "/boards/{track}/{scale}": ledger.board,
        "/boards/{track}/{scale}/{key}.rows.json": ledger.rows,
        "/boards/{track}/{scale}/{key}.{ending}": ledger.download,
        "/boards/{track}/{scale}/{key}": ledger.board,
        "/compare/{track}/{scale}/{key}": ledger.compare,
        "/progress/{track}/{scale}/{key}": ledger.progress,
        "/embed/{track}/{scale}": ledger.embed,
        "/scaling/{track}": ledger.scaling,
        "/entries/{digest}": ledger.entry,
        "/records/{digest}.json": ledger.record,
        "/badges/{digest}.svg": ledger.badge,
        "/records.atom": ledger.feed,
        "/rules": ledger.rules,
        "/submissions": queue.submissions,
        "/submissions/{submission_id}": queue.submission,
        "/submit": queue.submit,
        "/static/{name:path}": _static,
        "/{path:path}": _nowhere,
    }.items():
        router.add_api_route(path, endpoint, methods=["GET"])
    return router


class LedgerPages:
    """Pages that follow from the ledger alone."""

    def __init__(self, pages: Pages, source: Source):
        self._pages = pages
        self._source = source

    def home(self, request: Request) -> Response:
        """Answer with the home page."""
        snapshot, version = self._now()
        known = [(one["track"], one["scale"]) for one in scored_here(self._source)]
        pairs = [{"track": track, "scale": scale} for track, scale in known]
        text = self._pages.home(links_of(request), snapshot, pairs)
        if version is not None:
            version = f"{version}-{digest_json(known)[7:19]}"
        return answer(request, text, version)

    def board(
        self, request: Request, track: str, scale: str, key: str | None = None, sort: str = "rank",
        down: str = "", q: str = "", level: str = "", page: str = "1",
    ) -> Response:  # fmt: skip
        """Answer with a board, or with the newest one of a scale."""
        snapshot, version = self._now()
        if key is None and not snapshot.boards(track, scale) and self._takes(track, scale):
            title = f"{track}/{scale}: no runs yet"
            text = render("error", links_of(request), snapshot, title=title, detail=EMPTY)
            return answer(request, text)
        found = self._board(snapshot, request, track, scale, key)
        path = board_path(found.table) if key else current_path(found.table)
        asked = _asked(sort, down, q, level, page)
        text = self._pages.board(links_of(request), snapshot, found, asked, path)
        return answer(request, text, version)

    def download(self, request: Request, track: str, scale: str, key: str, ending: str) -> Response:
        """Answer with a board as a file."""
        found = self._board(self._source.snapshot(), request, track, scale, key)
        if ending not in FORMATS:
            raise absent(request)
        return answer(request, _download(found, ending), found.size, media=FORMATS[ending][0])

    def rows(self, request: Request, track: str, scale: str, key: str) -> Response:
        """Answer with every row of a board, for the script that sorts them in the browser."""
        found = self._board(self._source.snapshot(), request, track, scale, key)
        return answer(request, _rows(found), found.size, media="application/json")

    def compare(
        self, request: Request, track: str, scale: str, key: str,
        entry: Annotated[list[str], Query(default_factory=list)],
    ) -> Response:  # fmt: skip
        """Answer with a comparison of the named submissions."""
        snapshot, version = self._now()
        found = self._board(snapshot, request, track, scale, key)
        words = entry[:MOST_WORDS]
        text = self._pages.compare(links_of(request), snapshot, found, words)
        return answer(request, text, version)

    def progress(self, request: Request, track: str, scale: str, key: str) -> Response:
        """Answer with a board's record over time."""
        snapshot, version = self._now()
        found = self._board(snapshot, request, track, scale, key)
        return answer(request, self._pages.progress(links_of(request), snapshot, found), version)

    def embed(self, request: Request, track: str, scale: str) -> Response:
        """Answer with a board for somebody else's page: the one page that may be framed."""
        snapshot, version = self._now()
        found = self._board(snapshot, request, track, scale, None)
        text = self._pages.embed(links_of(request), snapshot, found)
        return answer(request, text, version, headers=FRAMED)

    def scaling(self, request: Request, track: str) -> Response:
        """Answer with a track across scales."""
        snapshot, version = self._now()
        text = self._pages.scaling(links_of(request), snapshot, track)
        return answer(request, text, version)

    def entry(self, request: Request, digest: str) -> Response:
        """Answer with a submission's page."""
        snapshot, version = self._now()
        text = self._pages.entry(links_of(request), snapshot, f"sha256:{digest}")
        return answer(request, text, version)

    def record(self, request: Request, digest: str) -> Response:
        """Answer with a record alone, as `assay verify` reads it."""
        run = self._source.snapshot().run(f"sha256:{digest}")
        content = None if run is None else canonical_json(run.record()) + b"\n"
        # A record never changes.
        return answer(request, content, digest, media="application/json")

    def badge(self, request: Request, digest: str) -> Response:
        """Answer with a submission's badge."""
        snapshot, version = self._now()
        text = self._pages.badge(snapshot, f"sha256:{digest}")
        return answer(request, text, version, media=MEDIA["svg"])

    def feed(self, request: Request) -> Response:
        """Answer with the feed of new records."""
        snapshot = self._source.snapshot()
        text = self._pages.feed(links_of(request), snapshot)
        return answer(request, text, snapshot.size, media="application/atom+xml; charset=utf-8")

    def rules(self, request: Request) -> Response:
        """Answer with the rules."""
        snapshot = self._source.snapshot()
        return answer(request, self._pages.rules(links_of(request), snapshot), snapshot.size)

    def _now(self) -> tuple[Snapshot, int | str | None]:
        """Return the ledger, and the version of what is shown of it.

        None while a large board is ranked anew: it is shown as it was, and must not be taken for the present one.
        """
        snapshot = self._source.snapshot()
        return snapshot, snapshot.size if self._pages.cache.is_settled(snapshot) else None

    def _takes(self, track: str, scale: str) -> bool:
        return any((t["track"], t["scale"]) == (track, scale) for t in scored_here(self._source))

    def _board(
        self, snapshot: Snapshot, request: Request, track: str, scale: str, key: str | None
    ) -> Board:
        table = find_table(snapshot, track, scale, key)
        if table is None:
            raise absent(request)
        return self._pages.cache.board(snapshot, table)


def _static(request: Request, name: str) -> Response:
    media = MEDIA.get(name.rpartition(".")[2], "text/plain; charset=utf-8")
    headers = HEADERS | {"Cache-Control": "public, max-age=3600"}
    return answer(request, assets().get(name), 0, media=media, headers=headers)


def _nowhere(request: Request) -> Response:
    raise absent(request)


def _asked(sort: str, down: str, q: str, level: str, page: str) -> Asked:
    """Read an address that people may have typed: what makes no sense is the default."""
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 9 else 1
    return Asked(sort if sort in SORTS else "rank", down == "1", q[:200], level, max(number, 1))


@lru_cache(maxsize=8)
def _rows(board: Board) -> bytes:
    return json.dumps(compact(board), ensure_ascii=False, separators=(",", ":")).encode()


@lru_cache(maxsize=8)
def _download(board: Board, ending: str) -> bytes:
    return FORMATS[ending][1](board)
