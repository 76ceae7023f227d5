"""Servers that this person has used, each with a team and its token: `ASSAY_HOME/servers.json`, private."""

import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

import filelock

from assay.artifact import atomic_file
from assay.errors import RemoteError
from assay.home import assay_home

PRIVATE = stat.S_IRUSR | stat.S_IWUSR


@dataclass(frozen=True)
class Server:
    """A server and who one is there.

    Attributes:
        url: Without a slash at the end.
        team: Name of the team.
        token: Of scope `submit`.
    """

    url: str
    team: str
    token: str


def known_servers() -> list[Server]:
    """Return the servers that were used, the latest last.

    Raises:
        RemoteError: If the file that holds them was damaged.
    """
    path = _path()
    if not path.is_file():
        return []
    try:
        return [Server(**one) for one in json.loads(path.read_bytes())["servers"]]
    except (ValueError, KeyError, TypeError):
        raise RemoteError(
            f"{path} does not hold what assay writes there; mend it, or move it away and register again"
        ) from None


def find_server(url: str | None) -> Server | None:
    """Return the server of a URL, or without one the server that was used last; None where there is none."""
    known = known_servers()
    return next((one for one in reversed(known) if url in (None, one.url)), None)


def remember(server: Server) -> None:
    """Keep a server and its token, as the one that was used last."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(path.with_suffix(".lock")):
        others = [one for one in known_servers() if one.url != server.url]
        document = {"servers": [asdict(one) for one in (*others, server)]}
        with atomic_file(path) as stream:
            # Before the first byte: nobody else ever reads a token.
            os.fchmod(stream.fileno(), PRIVATE)
            stream.write(json.dumps(document, indent=2).encode() + b"\n")


def _path() -> Path:
    return assay_home() / "servers.json"
