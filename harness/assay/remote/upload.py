"""Hand a list in: a team on first use, the upload with a progress bar, and what became of it."""

import contextlib
import getpass
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm.utils import CallbackIOWrapper

from assay.canonical import canonical_json
from assay.console import progress
from assay.errors import RemoteError
from assay.remote.client import Client
from assay.remote.servers import Server, find_server, remember
from assay.submission import Manifest

FINAL = ("done", "refused", "failed", "withdrawn")
"""States of a submission that stay as they are."""

WATCH_SECONDS = 2.0


@dataclass(frozen=True)
class Upload:
    """What is handed in.

    Attributes:
        path: The list; its name says the format, and only its name is sent.
        manifest: What is declared about it.
        track: Name.
        scale: Name.
        seeds: Runs that are asked for, 0 where records follow; None leaves it to the server.
    """

    path: Path
    manifest: Manifest
    track: str
    scale: str
    seeds: int | None = None


@dataclass(frozen=True)
class OwnRun:
    """A run that was trained on this machine, to be listed and not ranked.

    Attributes:
        record: As its ledger has it.
        parts: `outputs` and `trace`, where this machine has them; else empty.
    """

    record: dict[str, Any]
    parts: dict[str, Path]


def default_team() -> str:
    """Return a name for a team that nobody named: the user's."""
    with contextlib.suppress(OSError, KeyError):
        if name := re.sub(r"[^\w .-]", "", getpass.getuser()).strip():
            return name
    return "someone"


def sign_in(
    url: str, team: str | None, token: str | None, connect: Callable[[str, str], Client]
) -> Server:
    """Return who this machine is on a server; a team is registered where it is nobody there yet.

    Args:
        url: Of the server, as `server_url` gives it.
        team: Name to register under; None takes the user's, and any team that is known already.
        token: Of a team that exists; kept from here on.
        connect: Makes a client of a URL and a token.

    Raises:
        RemoteError: If the server takes no registrations, or the name is another team's.
    """
    known = find_server(url)
    if token:
        known = Server(url, team or "", token)
    elif known is None or team not in (None, known.team):
        with connect(url, "") as visitor:
            known = _register(visitor, team or default_team())
    # Kept before it is used: a token is shown once.
    remember(known)
    return known


def _register(client: Client, team: str) -> Server:
    try:
        answer = client.call("POST", "/v1/teams", json={"name": team}).json()
    except RemoteError as error:
        if error.status != 409:
            raise
        raise RemoteError(
            f"{client.url} has a team {team!r} already; register as another with --team NAME, or hand over "
            "that one's token with --token",
            error.status,
        ) from None
    return Server(client.url, answer["team"]["name"], answer["token"])


def hand_in(
    client: Client, upload: Upload, show_progress: bool = True
) -> tuple[dict[str, Any], bool]:
    """Upload a list; return the submission and whether it is new.

    Raises:
        RemoteError: If the server refuses; its findings say why.
    """
    fields = {"track": upload.track, "scale": upload.scale}
    if upload.seeds is not None:
        fields["seeds"] = str(upload.seeds)
    manifest = json.dumps(upload.manifest.plain(), ensure_ascii=False, allow_nan=False)
    size = upload.path.stat().st_size
    with (
        upload.path.open("rb") as stream,
        progress("uploading", size, "B", enabled=show_progress) as bar,
    ):
        # Where the bytes are: a call that is tried again begins at the first one.
        read = CallbackIOWrapper(lambda _: bar.update(stream.tell() - bar.n), stream)
        answer = client.call(
            "POST",
            "/v1/submissions",
            data=fields | {"manifest": manifest},
            files={"list": (upload.path.name, read)},
        )
    return answer.json()["submission"], answer.status_code != 200


def report_runs(client: Client, submission: str, runs: Sequence[OwnRun]) -> list[dict[str, Any]]:
    """Hand in runs of a submission; return of each its record's digest, its entry, and its level.

    Raises:
        RemoteError: If the server refuses one; those before it are listed.
    """
    answers = []
    path = f"/v1/submissions/{submission}/reported"
    with progress("records", len(runs), "record") as bar:
        for run in runs:
            with contextlib.ExitStack() as stack:
                files: dict[str, Any] = {
                    name: (part.name, stack.enter_context(part.open("rb")))
                    for name, part in run.parts.items()
                }
                files["record"] = ("record.json", canonical_json(run.record), "application/json")
                answers.append(client.call("POST", path, files=files).json())
            bar.update(1)
    return answers


def find_submission(client: Client, submission: str) -> dict[str, Any]:
    """Return a submission as it is now."""
    return client.get(f"/v1/submissions/{submission}")


def watch(client: Client, submission: str) -> Iterator[dict[str, Any]]:
    """Yield a submission as it changes, until it has come to its end."""
    before = None
    while True:
        found = find_submission(client, submission)
        if found != before:
            yield found
        if found["state"] in FINAL:
            return
        before = found
        time.sleep(WATCH_SECONDS)
