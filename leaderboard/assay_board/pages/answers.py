"""How pages answer: headers, tags, and errors that are pages themselves."""

import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from assay import __version__
from assay_board.pages.links import Links
from assay_board.pages.render import POLICY, render
from assay_board.pages.snapshot import Snapshot

_log = logging.getLogger(__name__)
API = "/v1/"
HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
FRAMED = HEADERS | {"Content-Security-Policy": f"{POLICY}; frame-ancestors *"}
HTML = "text/html; charset=utf-8"


def links_of(request: Request) -> Links:
    """Return the links of a request's page."""
    return Links(str(request.scope.get("root_path", "")).rstrip("/"))


def answer(
    request: Request, content: str | bytes | None, version: int | str | None = None, *,
    media: str = HTML, headers: Mapping[str, str] = HEADERS,
) -> Response:  # fmt: skip
    """Return a page.

    Args:
        request: That it answers.
        content: Of the page; None where there is no such page.
        version: Size of the ledger that the page is a function of: the same reader is not sent it
            twice, and it is not made twice. None for a page that depends on more.
        media: Its type.
        headers: To send.

    Raises:
        HTTPException: 404, where there is none.
    """
    if content is None:
        raise absent(request)
    sent = dict(headers)
    if version is not None:
        sent["ETag"] = f'W/"{__version__}-{version}"'
        if request.headers.get("if-none-match") == sent["ETag"]:
            return Response(status_code=304, headers=sent)
    return Response(content, media_type=media, headers=sent)


def absent(request: Request) -> HTTPException:
    """Return the error for an address that leads nowhere."""
    return HTTPException(404, f"{request.url.path[:200]} is not on this board.")


def page_route(snapshot: Callable[[], Snapshot]) -> type[APIRoute]:
    """Return the class of routes whose errors are pages, and which never answer for the API."""

    class PageRoute(APIRoute):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            if scope["path"].startswith(API):
                return Match.NONE, {}
            return super().matches(scope)

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handler = super().get_route_handler()

            async def handle(request: Request) -> Response:
                try:
                    return await handler(request)
                except HTTPException as error:
                    return _error(request, error.status_code, str(error.detail))
                except RequestValidationError:
                    return _error(request, 404, "This address is not one of this board's.")
                except Exception:
                    _log.exception("GET %s", request.url.path)
                    return _error(
                        request, 500, "The page failed; the ledger is not touched by that."
                    )

            return handle

    def _error(request: Request, status: int, detail: str) -> Response:
        title = "Not here" if status == 404 else "Something went wrong"
        text = render("error", links_of(request), snapshot(), title=title, detail=detail)
        return HTMLResponse(text, status, HEADERS)

    return PageRoute
