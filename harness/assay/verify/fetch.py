"""Fetch a record from a leaderboard, with what the server keeps of its run, as a run's folder."""

import re
from pathlib import Path
from typing import Any

import httpx

from assay.errors import RemoteError, RunError
from assay.remote.client import Client
from assay.runner.plan import SUBMISSION_FILE
from assay.runner.scoring import OUTPUTS_FILE
from assay.runner.training import TRACE_FILE
from assay.verify.case import EPOCH_FILE
from assay.verify.find import find_record

ATTEMPTS = 3
MAX_RECORD_BYTES = 1 << 20
PARTS = {
    "list": (SUBMISSION_FILE, 4 << 30),
    "outputs": (OUTPUTS_FILE, 1 << 30),
    "trace": (TRACE_FILE, 64 << 20),
    "epoch": (EPOCH_FILE, 1 << 20),
}
"""What a server may have of a record: the file that it becomes, and how many bytes are taken at most."""

_PATH = re.compile(r"(.*)/records/(?:sha256:)?([0-9a-f]{64})(?:\.json)?/?")


def is_address(word: str) -> bool:
    """Whether a word names a record on a server, and not a file or a digest."""
    return word.startswith(("http://", "https://"))


def fetch_record(address: str, folder: Path) -> tuple[dict[str, Any], Path]:
    """Return a record and its file, with what else the server has of it beside it.

    Args:
        address: `https://HOST/records/DIGEST.json` or `https://HOST/v1/records/DIGEST`.
        folder: Where the files go; empty.

    Raises:
        RemoteError: If the address is none of a record, nobody answers, or an answer is too large.
        RunError: If what is there is no record.
    """
    server, digest = read_address(address)
    path = folder / "record.json"
    with Client(server, attempts=ATTEMPTS) as client:
        client.download(f"/records/{digest}.json", path, max_bytes=MAX_RECORD_BYTES)
        for name, (file, most) in PARTS.items():
            try:
                client.download(
                    f"/v1/records/sha256:{digest}/{name}", folder / file, max_bytes=most
                )
            except RemoteError as error:
                # The check that needs it says what is lacking.
                if error.status != 404:
                    raise
    try:
        record, _ = find_record(str(path))
    except RunError as error:
        raise RunError(str(error).replace(str(path), address)) from None
    if record["digest"] != f"sha256:{digest}":
        raise RemoteError(
            f"{server} answers with record {record['digest'][7:19]} for {digest[:12]}; ask whoever runs it"
        )
    return record, path


def read_address(address: str) -> tuple[str, str]:
    """Return the server's URL and the record's digest, 64 hex digits.

    Raises:
        RemoteError: If it is no address of a record.
    """
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL("")
    found = _PATH.fullmatch(url.path)
    if found is None:
        raise RemoteError(
            f"{address!r} is no address of a record; copy the command on an entry's page, such as assay verify "
            "https://board.example.org/records/DIGEST.json"
        )
    return str(url.copy_with(path=found[1].removesuffix("/v1") or "/", query=None)), found[2]
