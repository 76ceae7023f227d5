"""Many readers and submitters at once against `assay board serve`: what they wait, and that nothing is lost.

    PYTHONPATH=tests python benchmarks/board_load.py [--seconds 60] [--readers 200] [--submitters 20]
        [--db URL] [--pause 0] [--no-etags]

Starts a server without a worker in a folder of its own, with a board of a hundred made-up submissions. Readers ask
for pages and for the API as browsers do: what they have, they ask for with its tag. Submitters hand in lists of
the embedded pool, each another one, and wait as long as a refusal of the rate limits says. Without `--pause` nobody
takes a breath, and what is measured is how long 220 have to wait for each other. Afterwards every list
that was acknowledged is read back. Prints one JSON document; times are milliseconds.
"""

import argparse
import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from http_connection import Answer, Connection, multipart

from assay.ledger import machine_ledger
from assay.pool import AnyPool
from assay.submission import submission_of
from assay.track.load import load
from assay.track.pools import open_pool
from assay_board import operating
from assay_board.pages.links import entry_path
from synthetic_entries import many

TRACK, SCALE = "text", "pico"
SEED = 20_261_121
FILLED = 100
LIST_SIZE = 1200
REQUEST_SECONDS = 60.0
TOGETHER = 16
"""Lists that are read back at a time."""


@dataclass
class Tally:
    """What was seen.

    Attributes:
        seconds: Of every answer, by what was asked for.
        unchanged: Answers that were 304.
        limited: Submissions that the rate limits turned away for the moment.
        accepted: Digests of acknowledged lists by the id of their submission.
        errors: In words.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    unchanged: int = 0
    limited: int = 0
    accepted: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serving(database: str) -> Iterator[tuple[int, psutil.Process]]:
    """Run a server; yield its port and process."""
    words = ["board", "serve", "--port", "0", "--no-worker", "--json", "--runs-per-week", "1000000"]
    command = [sys.executable, "-m", "assay", *words, *(["--db", database] if database else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")["url"]
            yield int(url.rpartition(":")[2]), psutil.Process(process.pid)
        finally:
            process.terminate()


def prepare(database: str, teams: int) -> tuple[AnyPool, list[str], list[str]]:
    """Fill a ledger; return the pool, addresses of pages, and a token for each team."""
    entries = list(many(FILLED, scale=SCALE, track=TRACK))
    for entry in entries:
        machine_ledger().append(entry.kind, entry.body, entry.level)
    digests = list(dict.fromkeys(entry.body["submission"]["digest"] for entry in entries))
    with operating.opened(database) as board:
        asked = ((f"team {n}", "", 1.0) for n in range(teams))
        tokens = [operating.create_token(board, "submit", *words)["token"] for words in asked]
    pages = ["/", f"/boards/{TRACK}/{SCALE}", "/submissions", "/rules", "/submit"]
    pages += [f"/{entry_path(digest)}" for digest in digests[:20]]
    pages += ["/v1/tracks", "/v1/boards", f"/v1/boards/{TRACK}/{SCALE}", "/v1/submissions?limit=20"]
    return open_pool(load(TRACK, SCALE)), pages, tokens


def kind_of(path: str) -> str:
    """Return what an address is of."""
    words = path.partition("?")[0].strip("/").split("/")
    depth = 2 if words[0] == "v1" else 1
    return "/" + "/".join([*words[:depth], *(["…"] if len(words) > depth else [])])


async def read(
    number: int, port: int, pages: list[str], until: float, given: argparse.Namespace, tally: Tally
) -> None:
    """Look at one page after the other."""
    rng = np.random.default_rng([SEED, number])
    tags: dict[str, str] = {}
    # People do not come in the same instant; it must not be the first second that is measured.
    await asyncio.sleep(float(rng.uniform(0, 1)))
    async with Connection(port, REQUEST_SECONDS) as connection:
        while time.monotonic() < until:
            path = pages[int(rng.integers(len(pages)))]
            if tally.accepted and rng.random() < 0.25:
                newest = list(tally.accepted)[-50:]
                prefix = "/v1" if rng.random() < 0.5 else ""
                path = f"{prefix}/submissions/{newest[int(rng.integers(len(newest)))]}"
            tag = {"If-None-Match": tags[path]} if path in tags and given.etags else {}
            answer = await timed(connection, tally, kind_of(path), "GET", path, tag)
            if answer is None:
                continue
            tally.unchanged += answer.status == 304
            if answer.status not in (200, 304):
                tally.errors.append(f"{path}: {answer.status} {answer.body[:200]!r}")
            if "etag" in answer.headers:
                tags[path] = answer.headers["etag"]
            await asyncio.sleep(given.pause)


async def hand_in(
    number: int, port: int, pool: AnyPool, token: str, until: float, given: argparse.Namespace, tally: Tally
) -> None:  # fmt: skip
    """Hand in one list after the other."""
    rng = np.random.default_rng([SEED, number, 1])
    await asyncio.sleep(float(rng.uniform(0, 1)))
    async with Connection(port, REQUEST_SECONDS) as connection:
        while time.monotonic() < until:
            uids = pool.uids[np.sort(rng.choice(pool.n, LIST_SIZE, replace=False))]
            stream = io.BytesIO()
            np.save(stream, uids)
            fields = {"track": TRACK, "scale": SCALE, "seeds": "3"}
            body, kind = multipart(fields, {"list": ("s.npy", stream.getvalue())})
            headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
            what, path = "submit", "/v1/submissions"
            answer = await timed(connection, tally, what, "POST", path, headers, body)
            if answer is None:
                continue
            if answer.status == 429:
                tally.limited += 1
                wait = min(float(answer.headers["retry-after"]), max(0.0, until - time.monotonic()))
                await asyncio.sleep(wait)
            elif answer.status == 202:
                found = json.loads(answer.body)["submission"]
                tally.accepted[found["id"]] = submission_of(uids).digest
                await asyncio.sleep(given.pause)
            else:
                tally.errors.append(f"submit: {answer.status} {answer.body[:200]!r}")


async def timed(
    connection: Connection, tally: Tally, kind: str, method: str, path: str,
    headers: dict[str, str], body: bytes = b"",
) -> Answer | None:  # fmt: skip
    """Ask, and note how long it took; None where no answer came."""
    start = time.perf_counter()
    try:
        answer = await connection.ask(method, path, headers, body)
    except (OSError, EOFError, TimeoutError) as error:
        tally.errors.append(f"{path}: {error!r}")
        return None
    tally.seconds[kind].append(time.perf_counter() - start)
    return answer


async def load_server(
    port: int, pool: AnyPool, pages: list[str], tokens: list[str], given: argparse.Namespace, tally: Tally
) -> None:  # fmt: skip
    """Let everybody loose for some time."""
    until = time.monotonic() + given.seconds
    async with asyncio.TaskGroup() as group:
        for number in range(given.readers):
            group.create_task(read(number, port, pages, until, given, tally))
        for number, token in enumerate(tokens):
            group.create_task(hand_in(number, port, pool, token, until, given, tally))


async def read_back(port: int, tally: Tally) -> int:
    """Return how many acknowledged lists are not there, or are not what was handed in."""
    lost = 0

    async def look(some: list[str]) -> int:
        missing = 0
        async with Connection(port, REQUEST_SECONDS) as connection:
            for name in some:
                found = await connection.ask("GET", f"/v1/submissions/{name}")
                data = await connection.ask("GET", f"/v1/submissions/{name}/list")
                same = (
                    found.status == 200 and json.loads(found.body)["digest"] == tally.accepted[name]
                )
                missing += not (same and data.status == 200 and data.body[:4] == b"PAR1")
        return missing

    names = list(tally.accepted)
    lost = await asyncio.gather(*(look(names[n::TOGETHER]) for n in range(TOGETHER)))
    return sum(lost)


def wait_until_warm(process: psutil.Process) -> None:
    """Wait until the server has nothing to do: what it does after its start is not what is measured."""
    process.cpu_percent()
    while process.cpu_percent(1.0) > 10:
        pass


def summary(seconds: list[float]) -> dict[str, float]:
    """Return count and quantiles."""
    times = 1e3 * np.array(seconds)
    half, most = np.percentile(times, [50, 99])
    return {"count": len(times), "p50": round(half, 1), "p99": round(most, 1), "worst": round(times.max(), 1)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Load a server with readers and submitters.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--submitters", type=int, default=20)
    parser.add_argument("--db", default="", help="default: SQLite in the server's folder")
    parser.add_argument(
        "--pause", type=float, default=0.0, help="of everybody before the next page or list, s"
    )
    parser.add_argument("--no-etags", dest="etags", action="store_false")
    given = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ASSAY_HOME"] = str(Path(os.environ.get("ASSAY_HOME", folder)).resolve())
        pool, pages, tokens = prepare(given.db, given.submitters)
        with serving(given.db) as (port, process):
            wait_until_warm(process)
            before = process.cpu_times()
            asyncio.run(load_server(port, pool, pages, tokens, given, tally))
            spent = process.cpu_times()
            lost = asyncio.run(read_back(port, tally))
    kinds = {kind: summary(times) for kind, times in sorted(tally.seconds.items())}
    reads = [t for kind, times in tally.seconds.items() if kind != "submit" for t in times]
    document: dict[str, Any] = vars(given) | {
        "cpus": os.cpu_count(), "load_average": os.getloadavg()[0],
        "reads": summary(reads) if reads else None, "not_modified": tally.unchanged, "by_kind": kinds,
        "accepted": len(tally.accepted), "rate_limited": tally.limited, "lost": lost,
        "errors": len(tally.errors), "first_errors": tally.errors[:5],
        "server_cpu_seconds": round(spent.user + spent.system - before.user - before.system, 1),
    }  # fmt: skip
    print(json.dumps(document, indent=2))
    sys.exit(bool(lost or tally.errors))


if __name__ == "__main__":
    main()
