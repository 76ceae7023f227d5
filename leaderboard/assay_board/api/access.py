"""Who asks, and how often: the dependencies of endpoints.

Those that never wait are coroutines: of any other one, each request would take a thread.
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from assay_board.audit import Actor, note
from assay_board.context import Board
from assay_board.problems import ProblemError, bad_request
from assay_board.tokens import authenticate

MAX_PAGE = 200
MAX_BODY_BYTES = 64 << 10
"""Of a request that is no upload."""
_bearer = HTTPBearer(auto_error=False, description="A token of the scope that the endpoint names.")


class NotModifiedError(Exception):
    """The client has the newest answer already."""

    def __init__(self, etag: str):
        super().__init__(etag)
        self.etag = etag


async def board_of(request: Request) -> Board:
    """Return the server's state."""
    return request.app.state.board


AnyBoard = Annotated[Board, Depends(board_of)]


def address_of(request: Request) -> str:
    """Return where a request comes from."""
    return request.client.host if request.client else "unknown"


async def visitor(request: Request) -> Actor:
    """Return somebody without a token."""
    return Actor(address_of(request))


def _with_scope(*scopes: str) -> Callable[..., Actor]:
    """Return a dependency that asks for a token with one of these scopes."""

    def find(
        request: Request,
        board: AnyBoard,
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Actor:
        address = address_of(request)
        try:
            if given is None:
                raise ProblemError(401, "send a token: Authorization: Bearer TOKEN", "A1")
            with board.database.read() as session:
                actor = authenticate(session, board.now(), given.credentials, address)
        except ProblemError:
            # Guessing must not be cheaper than 2^256 tries at this rate.
            board.refusals.take(address)
            raise
        if actor.scope not in scopes:
            with board.database.write() as session:
                note(session, board.now(), actor, "refused", request.url.path, scope=actor.scope)
            raise ProblemError(
                403,
                f"the token has scope {actor.scope!r}; this needs {' or '.join(scopes)!r}",
                "A2",
            )
        return actor

    return find


Visitor = Annotated[Actor, Depends(visitor)]
Participant = Annotated[Actor, Depends(_with_scope("submit"))]
TeamOrAdmin = Annotated[Actor, Depends(_with_scope("submit", "admin"))]
Worker = Annotated[Actor, Depends(_with_scope("work"))]


async def uploader(board: AnyBoard, actor: Participant) -> Actor:
    """Return a participant who uploads no faster than allowed."""
    board.uploads.take(str(actor.token_id))
    board.uploads_per_address.take(actor.address)
    return actor


Uploader = Annotated[Actor, Depends(uploader)]


async def cursor_of(cursor: Annotated[str | None, Query(max_length=20)] = None) -> int | None:
    """Return where a page begins.

    Raises:
        ProblemError: Q1, if the cursor is none that an answer gave.
    """
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise bad_request("cursor: use the value of `next` in the page before")
    return int(cursor)


Cursor = Annotated[int | None, Depends(cursor_of)]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]


def page(rows: list[Any], limit: int, key: Callable[[Any], int]) -> tuple[list[Any], str | None]:
    """Cut what one more than `limit` rows gave; return the page and its `next`."""
    shown = rows[:limit]
    return shown, str(key(shown[-1])) if len(rows) > limit else None


def ledger_etag(request: Request, response: Response, board: AnyBoard) -> int:
    """Tag an answer that follows from the ledger alone; return the ledger's size.

    Raises:
        NotModifiedError: If the client has the answer for this very ledger.
    """
    size = board.refresh()
    # Weak: the same answer, compressed, is another one byte for byte.
    etag = f'W/"{board.ledger.root(size).removeprefix("sha256:")[:32]}-{size}"'
    if etag in request.headers.get("if-none-match", ""):
        raise NotModifiedError(etag)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "no-cache"
    return size


LedgerSize = Annotated[int, Depends(ledger_etag)]
