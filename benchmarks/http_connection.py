"""HTTP/1.1 over one kept connection, in as little time as can be: it shares the machine with what it measures."""

import asyncio
from dataclasses import dataclass
from typing import Self

BOUNDARY = "assay-benchmark-boundary"


@dataclass(frozen=True)
class Answer:
    """An answer.

    Attributes:
        status: Of HTTP.
        headers: By name in small letters.
        body: All of it.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """Asks one thing after the other; a connection that the server closed is opened again."""

    def __init__(self, port: int, timeout_seconds: float):
        self._port, self._timeout = port, timeout_seconds
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()

    async def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Send a request and return its answer.

        Raises:
            OSError: If the connection breaks.
            EOFError: If it breaks within an answer.
            TimeoutError: If no answer comes in time.
        """
        sent = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        try:
            async with asyncio.timeout(self._timeout):
                if self._streams is None:
                    self._streams = await asyncio.open_connection("127.0.0.1", self._port)
                reader, writer = self._streams
                writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
                answer = await self._answer(reader)
        except BaseException:
            self._close()
            raise
        if answer.headers.get("connection") == "close":
            self._close()
        return answer

    @staticmethod
    async def _answer(reader: asyncio.StreamReader) -> Answer:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(first.split()[1]), headers, body)

    def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def multipart(fields: dict[str, str], files: dict[str, tuple[str, bytes]]) -> tuple[bytes, str]:
    """Return a form's body and its content type."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, (filename, data) in files.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
        parts.append(f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(
        [*parts, f"--{BOUNDARY}--\r\n".encode()]
    ), f"multipart/form-data; boundary={BOUNDARY}"
