"""Talk to a leaderboard: HTTP that waits and tries again where that helps, and refusals in one line."""

import ipaddress
import math
import os
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Self

import httpx

from assay import __version__
from assay.artifact import atomic_file
from assay.console import one_line, say
from assay.errors import RemoteError
from assay.order import drawn_words

ATTEMPTS = 6
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds before the second attempt, doubled from one to the next; a server that names its own wait gets it."""

LONGEST_PATIENCE = 600.0
"""Seconds that a server may ask for, all of a call's waits together; then it is believed, and the person told."""

RETRIED = (429, 500, 502, 503, 504)
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
REMEDIES = {
    401: "get another token, or hand it over with --token",
    403: "ask whoever runs the server for a token of that scope",
    404: "check the address and the id",
    413: "hand in a smaller list",
    429: "wait, then run the same command again",
}


class Client:
    """One server, and connections to it, which leaving a `with` block closes.

    Attributes:
        url: Of the server, without a slash at the end.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        transport: httpx.BaseTransport | None = None,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], Any] = time.sleep,
    ):
        """Prepare; nothing is sent.

        Args:
            url: Of the server.
            token: Bearer token.
            transport: Replaces the network.
            attempts: Of a call, before it is given up; those that the server put off do not count.
            sleep: Waits so many seconds; may return early.

        Raises:
            RemoteError: If this is no URL of a server.
        """
        self.url = server_url(url)
        self._attempts, self._sleep, self._waits = attempts, sleep, 0
        headers = {"User-Agent": f"assay/{__version__}", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            self._http = httpx.Client(
                base_url=self.url, headers=headers, timeout=TIMEOUT, transport=transport
            )
        except UnicodeEncodeError:
            raise RemoteError("the token has characters that no token has; copy it again") from None

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON of a resource."""
        given = {key: value for key, value in params.items() if value is not None}
        return self.call("GET", path, params=given).json()

    def items(self, path: str, **params: Any) -> Iterator[Any]:
        """Yield the items of all pages of a list."""
        cursor = None
        while True:
            page = self.get(path, cursor=cursor, **params)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request, again where the server or the way to it fails for the moment.

        Args:
            method: Of HTTP.
            path: Under the server's URL.
            request: As `httpx.Client.request` takes it.

        Raises:
            RemoteError: If the server refuses, or cannot be reached for long.
        """
        attempt, patience = 0, LONGEST_PATIENCE
        while True:
            last = attempt + 1 == self._attempts
            try:
                response = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                if last:
                    raise self._unreachable(error) from None
                self._wait(self._backoff(attempt))
                attempt += 1
                continue
            if response.is_success:
                return response
            asked = retry_after(response)
            patience -= asked or 0.0
            if response.status_code not in RETRIED or patience < 0 or (last and not asked):
                raise refusal(self.url, response)
            self._wait(max(asked or 0.0, self._backoff(attempt)), response)
            attempt += not asked

    def download(
        self, path: str, to: Path, *, max_bytes: int | None = None, **request: Any
    ) -> None:
        """Write a resource to a file, whole or not at all, in bounded memory.

        Args:
            path: Under the server's URL.
            to: The file.
            max_bytes: Of the resource, decoded; None for any number.
            request: As `httpx.Client.stream` takes it.

        Raises:
            RemoteError: If the server refuses, cannot be reached for long, or sends more than that.
        """
        for attempt in range(self._attempts):
            last = attempt + 1 == self._attempts
            try:
                with self._http.stream("GET", path, **request) as response:
                    if not response.is_success:
                        response.read()
                        if response.status_code not in RETRIED or last:
                            raise refusal(self.url, response)
                    else:
                        with atomic_file(to) as stream:
                            for block in response.iter_bytes(1 << 20):
                                stream.write(block)
                                if max_bytes is not None and stream.tell() > max_bytes:
                                    raise RemoteError(
                                        f"{self.url}{path} has more than {max_bytes:,} bytes, which none "
                                        "needs; check the address"
                                    )
                        return
            except httpx.TransportError as error:
                if last:
                    raise self._unreachable(error) from None
            self._wait(self._backoff(attempt))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def _unreachable(self, error: httpx.TransportError) -> RemoteError:
        told = " ".join(str(error).split()) or type(error).__name__
        return RemoteError(
            f"{self.url} cannot be reached: {told}; check the address, or whether assay board serve runs there"
        )

    def _backoff(self, attempt: int) -> float:
        """Return the wait after an attempt: doubled each time, less up to half, so that crowds thin out."""
        self._waits += 1
        part = (
            int(drawn_words(1, "assay back-off", socket.gethostname(), os.getpid(), self._waits)[0])
            / 2**64
        )
        return min(LONGEST_WAIT, FIRST_WAIT * 2**attempt) * (1 - part / 2)

    def _wait(self, seconds: float, response: httpx.Response | None = None) -> None:
        if seconds >= 5:
            told = "busy or away" if response is None else one_line(_problem(response)[1])
            say(f"{self.url}: {told}; trying again in {seconds:.0f} s")
        self._sleep(seconds)


def server_url(url: str) -> str:
    """Return a server's URL without what follows its path.

    Raises:
        RemoteError: If it is none.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise RemoteError(
            f"--server {url!r} is no URL of a server; such as --server https://board.example.org"
        )
    return str(parsed.copy_with(query=None, fragment=None)).rstrip("/")


def in_the_clear(url: str) -> bool:
    """Tell whether a token that is sent to a server can be read on the way: plain HTTP, to another machine."""
    parsed = httpx.URL(url)
    try:
        loopback = ipaddress.ip_address(parsed.host).is_loopback
    except ValueError:
        loopback = parsed.host == "localhost" or parsed.host.endswith(".localhost")
    return parsed.scheme == "http" and not loopback


def warn_in_the_clear(url: str) -> None:
    """Warn in one line before a token goes where others can read it."""
    if in_the_clear(url):
        say(
            f"warning: {url} is plain http: whoever is on the way can read your token; ask for https"
        )


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that a server asks to wait, given as a number or as a date.

    Source:
        RFC 9110, section 10.2.3.
    """
    value = response.headers.get("Retry-After", "")
    try:
        seconds = float(value)
        return seconds if math.isfinite(seconds) and seconds >= 0 else None
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def refusal(url: str, response: httpx.Response) -> RemoteError:
    """Turn a refusal into one line, with what the server found."""
    problem, told = _problem(response)
    # A server that teaches has said what to do next.
    if ";" not in told and response.status_code in REMEDIES:
        told = f"{told}; {REMEDIES[response.status_code]}"
    found = problem.get("findings")
    findings = (
        tuple(one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()
    )
    return RemoteError(f"{url} refuses: {one_line(told)}", response.status_code, findings)


def _problem(response: httpx.Response) -> tuple[dict[str, Any], str]:
    """Return problem+json, where the server sends it, and what an answer says is wrong.

    Source:
        RFC 9457, Problem Details for HTTP APIs.
    """
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    detail = problem.get("detail") or problem.get("title")
    if not isinstance(detail, str):
        detail = f"{response.status_code} {response.reason_phrase}"
        if response.has_redirect_location:
            detail += f", it moved to {response.headers['Location']}; give that as --server"
    rule = problem.get("rule")
    return problem, f"{rule}: {detail}" if isinstance(rule, str) else detail
