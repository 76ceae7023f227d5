"""Results that workers bring over HTTP: how many a second, and whether a longer ledger makes them slower.

    PYTHONPATH=tests python benchmarks/board_results.py [RESULTS] [ENTRIES]

One run of a tiny track is trained; it is brought again and again as what other leases asked for, with digests
made to match, which a server cannot tell from a run. Between two rounds of RESULTS the ledger is filled up with
ENTRIES made-up runs of the same board's scale. The server is asked for its board after every result, as readers do.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from fastapi.testclient import TestClient

from assay.home import run_folder
from assay.ledger import machine_ledger
from assay.runner.scoring import OUTPUTS_FILE, score_given
from assay.runner.training import TRACE_FILE
from assay.seeds import GivenSeed
from assay.settings import compose
from assay.submission import Manifest
from assay.track.load import load
from assay_board import operating
from assay_board.app import create_app
from assay_board.settings import BoardSettings, Rate
from forgery import forged
from synthetic_entries import many
from tiny import SCALE, TRACK, make_tiny_track
from tiny_lists import a_list

FREE = Rate(burst=10**6, per_minute=1e9)


def trained(job: dict, path: Path) -> tuple[dict, dict[str, bytes]]:
    """Train what a lease asks for; return its record, and what goes with it."""
    seed = GivenSeed(job["seed"], job["epoch"], job["seed_index"])
    settings = compose(["device=cpu", "threads=1", "progress=false"])
    law = load(TRACK, SCALE)
    record = score_given(path, law, seed, settings=settings, manifest=Manifest())
    folder = run_folder(record["digests"]["run"])
    outputs = (folder / OUTPUTS_FILE).read_bytes()
    return record, {"outputs": outputs, "trace": (folder / TRACE_FILE).read_bytes()}


def bring(client: TestClient, worker: dict[str, str], board: str, count: int, known: dict) -> dict:
    """Bring so many results; return milliseconds of each kind of call."""
    seconds = {"lease": 0.0, "result": 0.0, "board": 0.0, "status": 0.0}

    def timed(what: str, method: str, path: str, **request):
        start = time.perf_counter()
        answer = client.request(method, path, **request)
        seconds[what] += time.perf_counter() - start
        assert answer.is_success, answer.text
        return answer

    for _ in range(count):
        lease = timed("lease", "POST", "/v1/leases", headers=worker, json={"worker": "w"}).json()
        job = lease["job"]
        if not known:
            home = Path(os.environ["ASSAY_HOME"]) / "board" / "submissions"
            path = home / job["submission"]["digest"][7:] / "list.parquet"
            known["record"], known["parts"] = trained(job, path)
        source = {"epoch": job["epoch"], "index": job["seed_index"]}
        changes = {"submission__manifest": job["submission"]["manifest"], "seed_source": source}
        record = forged(known["record"], seed=job["seed"], **changes)
        parts = known["parts"] | {"record": json.dumps(record).encode()}
        files = {name: (name, data) for name, data in parts.items()}
        secret = worker | {"Assay-Lease": lease["secret"]}
        timed("result", "POST", f"/v1/leases/{lease['id']}/result", headers=secret, files=files)
        timed("board", "GET", board)
        timed("status", "GET", f"/v1/submissions/{job['submission']['id']}")
    return {what: round(1e3 * total / count, 1) for what, total in seconds.items()}


def fill(count: int) -> None:
    """Append made-up runs, all under one seal."""
    for entry in many(count, seeds=1, scale=SCALE, track="text"):
        machine_ledger().append("run", entry.body, "rerun")


def main() -> None:
    given = [int(word) for word in sys.argv[1:]]
    count, entries = (*given, *(200, 2000)[len(given) :])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ASSAY_HOME"] = folder
        make_tiny_track(Path(folder))
        free = {"uploads": FREE, "uploads_per_address": FREE, "max_seeds": 3 * count}
        settings = BoardSettings(audit_examples=0, runs_per_week=10**6, **free)
        with TestClient(create_app(settings)) as client:
            with operating.opened("") as board:
                team = operating.create_token(board, "submit", "team", "", 1.0)["token"]
                work = operating.create_token(board, "work", None, "", 1.0)["token"]
            form = {"track": TRACK, "scale": SCALE, "seeds": str(min(999, 2 * count + 1))}
            headers = {"Authorization": f"Bearer {team}"}
            files = {"list": ("s.npy", a_list())}
            client.post("/v1/submissions", headers=headers, data=form, files=files)
            worker, known = {"Authorization": f"Bearer {work}"}, {}
            bring(client, worker, "/", 1, known)
            for page, more in ((f"/boards/{TRACK}/{SCALE}", entries), (f"/boards/text/{SCALE}", 0)):
                found = bring(client, worker, page, count, known)
                print(json.dumps({"ledger": machine_ledger().size, "page": page, "ms": found}))
                fill(more)
                start = time.perf_counter()
                client.get("/v1/health")
                print(json.dumps({"followed": more, "s": round(time.perf_counter() - start, 2)}))


if __name__ == "__main__":
    main()
