"""Answers that are given again until something changes: the same pages are asked for by everybody."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 64 << 20
"""Of all kept answers together; the one that was not asked for longest makes room."""
_OF_BODIES = (b"content-length", b"content-type")

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Kept:
    """An answer and what it followed from."""

    stamp: Hashable
    headers: Headers
    body: bytes

    @property
    def etag(self) -> bytes | None:
        """Return its tag."""
        return dict(self.headers).get(b"etag")


class KeptAnswers:
    """Answers a GET from memory where the answer is known, tagged, and still follows from the same stamp.

    What carries an `ETag` depends on its address, on whether it may be compressed, and on the stamp alone, and
    so does what begins with one of `untagged`; everything else, and everything that is asked with a token,
    goes through. Runs on the event loop, before any thread is taken.
    """

    def __init__(self, app: ASGIApp, stamp: Callable[[str], Hashable], untagged: tuple[str, ...]):
        self._app = app
        self._stamp = stamp
        self._untagged = untagged
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._making: dict[Hashable, asyncio.Event] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return await self._app(scope, receive, send)
        headers, stamp = dict(scope["headers"]), self._stamp(scope["path"])
        if b"authorization" in headers:
            return await self._app(scope, receive, send)
        packed = b"gzip" in headers.get(b"accept-encoding", b"")
        key = (scope.get("root_path", ""), scope["path"], scope["query_string"], packed)
        making = self._making.get((key, stamp))
        if making is not None:
            # Somebody asked for the very same just before: one of them is enough.
            await making.wait()
        known = self._kept.get(key)
        if known is not None and known.stamp == stamp:
            self._kept.move_to_end(key)
            return await _give(known, headers.get(b"if-none-match", b""), send)
        tagless = scope["path"].startswith(self._untagged)
        recorder = _Recorder(self, key, stamp, tagless, send)
        if making is not None:
            return await self._app(scope, receive, recorder)
        making = self._making[key, stamp] = asyncio.Event()
        try:
            return await self._app(scope, receive, recorder)
        finally:
            del self._making[key, stamp]
            making.set()

    def keep(self, key: Hashable, kept: Kept) -> None:
        """Keep an answer."""
        if former := self._kept.pop(key, None):
            self._bytes -= len(former.body)
        self._kept[key] = kept
        self._bytes += len(kept.body)
        while self._bytes > MOST_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.body)


async def _give(known: Kept, wanted: bytes, send: Send) -> None:
    """Send a kept answer, or that the asker has it."""
    status, headers, body = 200, known.headers, known.body
    if known.etag and known.etag in wanted:
        status, body = 304, b""
        headers = [pair for pair in known.headers if pair[0] not in _OF_BODIES]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Recorder:
    """Passes an answer on, and keeps it if it is whole."""

    def __init__(
        self, kept: KeptAnswers, key: Hashable, stamp: Hashable, tagless: bool, send: Send
    ):
        self._kept, self._key, self._stamp, self._tagless = kept, key, stamp, tagless
        self._send = send
        self._headers: Headers | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            tagged = self._tagless or any(name == b"etag" for name, _ in headers)
            self._headers = headers if message["status"] == 200 and tagged else None
        elif self._headers is not None and message["type"] == "http.response.body":
            if not message.get("more_body"):
                self._kept.keep(self._key, Kept(self._stamp, self._headers, message["body"]))
            self._headers = None  # what comes in pieces is a file, and as quick from the disk
        await self._send(message)
