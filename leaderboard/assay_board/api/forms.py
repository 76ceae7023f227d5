"""Multipart uploads: who sends one is known before a byte of it is read, and its parts are counted."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, BinaryIO, TypeVar

from anyio.to_thread import run_sync
from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from assay_board.problems import bad_request

MAX_FIELD_BYTES = 256 << 10
Result = TypeVar("Result")


@asynccontextmanager
async def form_of(request: Request, *, files: int, fields: int) -> AsyncIterator[FormData]:
    """Read a form; large parts go to the disk, and away again when the block ends.

    Raises:
        ProblemError: Q1, if the body is no form, or has more parts than it should.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise bad_request("send multipart/form-data")
    try:
        form = await request.form(max_files=files, max_fields=fields, max_part_size=MAX_FIELD_BYTES)
    except HTTPException as error:
        if error.status_code == 413:
            raise
        raise bad_request(f"the form cannot be read: {error.detail}") from None
    try:
        yield form
    finally:
        await form.close()


async def work_on(request: Request, function: Callable[..., Result], *given: Any) -> Result:
    """Do what an upload asks for in a thread, a few at a time."""
    limiter = request.app.state.uploads
    return await run_sync(partial(function, *given), limiter=limiter)


def text_of(form: FormData, name: str) -> str | None:
    """Return a text field, or None where it is absent.

    Raises:
        ProblemError: Q1, if it is a file or is there twice.
    """
    found = form.getlist(name)
    if not found:
        return None
    if len(found) > 1 or not isinstance(found[0], str):
        raise bad_request(f"{name}: one text, please")
    return found[0]


def required(form: FormData, name: str) -> str:
    """Return a text field.

    Raises:
        ProblemError: Q1, if it is absent.
    """
    found = text_of(form, name)
    if found is None:
        raise bad_request(f"{name} is missing")
    return found


def file_of(form: FormData, name: str) -> tuple[BinaryIO, str]:
    """Return a file and what its sender calls it.

    Raises:
        ProblemError: Q1, if it is absent or no file.
    """
    found = form.getlist(name)
    if len(found) != 1 or not isinstance(found[0], UploadFile):
        raise bad_request(f"{name} is missing; send it as a file")
    return found[0].file, found[0].filename or ""


def form_schema(
    files: tuple[str, ...], texts: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the `openapi_extra` of an endpoint that takes such a form."""
    properties: dict[str, Any] = {
        name: {"type": "string", "format": "binary"} for name in files
    } | {name: {"type": "string"} for name in texts}
    schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }
