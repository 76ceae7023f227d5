"""Refusals as problem+json, and the headers that every answer carries."""

import logging
import math

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.canonical import canonical_json
from assay.errors import UserError
from assay_board.api.access import NotModifiedError
from assay_board.problems import TYPE, ProblemError, bad_request
from assay_board.text import one_line

_log = logging.getLogger(__name__)
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Finish:
    """Put `HEADERS` on every answer that does not bring its own, and say in JSON that a body is too large.

    Addresses with a NUL character, which one database takes for a letter and another for an error, end here.
    """

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        replaced = False

        async def finish(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # The framework says it in plain text, from where no handler is asked.
                replaced = message["status"] == 413 and headers.get("content-type") != TYPE
                if replaced:
                    headers["content-type"] = TYPE
                    headers["content-length"] = str(len(_TOO_LARGE))
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            elif replaced:
                message = dict(message) | {"body": b"" if message.get("more_body") else _TOO_LARGE}
            await send(message)

        app = self._app
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            app = problem_answer(bad_request("an address holds no NUL character (%00)"))
        await app(scope, receive, finish)


class HeadAsGet:
    """Answers HEAD as GET, without the body: whoever checks links or sizes asks so."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""

        async def bare(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = dict(message) | {"body": b""}
            await send(message)

        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self._app(dict(scope) | {"method": "GET"}, receive, bare)
        else:
            await self._app(scope, receive, send)


_TOO_LARGE = canonical_json(
    ProblemError(413, "the upload is larger than this server takes", "F1").document()
)


def problem_answer(problem: ProblemError) -> JSONResponse:
    """Return the answer to a refusal."""
    headers = {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(problem.retry_after))
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(problem.document(), problem.status, headers, media_type=TYPE)


def add_handlers(app: FastAPI) -> None:
    """Answer every refusal and every failure with problem+json; pages catch their own before."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(NotModifiedError, _on_not_modified)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(UserError, _on_user_error)
    app.add_exception_handler(Exception, _on_failure)


async def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem_answer(error)


async def _on_not_modified(_: Request, error: Exception) -> Response:
    assert isinstance(error, NotModifiedError)
    return Response(status_code=304, headers={"ETag": error.etag, "Cache-Control": "no-cache"})


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()[0]
    where = ".".join(str(part) for part in found["loc"][1:]) or str(found["loc"][0])
    return problem_answer(bad_request(one_line(f"{where}: {found['msg']}", 300)))


async def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = problem_answer(ProblemError(error.status_code, one_line(str(error.detail), 300)))
    answer.headers.update(error.headers or {})
    return answer


async def _on_user_error(_: Request, error: Exception) -> Response:
    _log.error("%s", error)
    return problem_answer(
        ProblemError(503, "the server is not in order; its operator finds why in the log")
    )


async def _on_failure(request: Request, error: Exception) -> Response:
    _log.exception("%s %s", request.method, request.url.path, exc_info=error)
    told = "the server failed; nothing that was acknowledged is lost"
    return problem_answer(ProblemError(500, told))
