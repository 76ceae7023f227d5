"""`assay status`: where a submission is in a leaderboard's queue, what came of it, and what its team says of it."""

import argparse
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from tqdm import tqdm

    from assay.remote.client import Client

EXAMPLES = """examples:
  assay status 1f0c33 --server https://board.example.org --json
  assay status 1f0c33 --watch
  assay status 1f0c33 --log
  assay status 1f0c33 --withdraw                          # end what has not ended
  assay status 1f0c33 --retract "a bug in our filter"     # its scores count no more, and stay to be seen
  assay status 1f0c33 --object "it holds evaluation items"

without --server: the leaderboard that this machine handed something in to last
exit code 0: scored, still on its way, or done what was asked; 1: failed, refused or withdrawn
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("submission", help="id, as assay submit prints it")
    parser.add_argument("--server", help="URL of the leaderboard; default: the one used last")
    parser.add_argument("--watch", action="store_true", help="follow it to its end")
    parser.add_argument("--log", action="store_true", help="print what the workers logged")
    said = parser.add_mutually_exclusive_group()
    said.add_argument("--withdraw", action="store_true", help="your own: end its runs")
    said.add_argument("--retract", metavar="REASON", help="your own: let its scores count no more")
    said.add_argument("--object", metavar="TEXT", help="anybody's: say for good what is wrong")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Ask and answer."""
    from assay.errors import RemoteError
    from assay.remote.client import Client, server_url
    from assay.remote.servers import find_server
    from assay.remote.upload import find_submission

    known = find_server(server_url(args.server) if args.server else None)
    url = known.url if known else args.server
    if url is None:
        raise RemoteError(
            "this machine has not used a leaderboard yet; name one, such as --server https://board.example.org"
        )
    name = _id(args.submission)
    with Client(url, known.token if known else "") as client:
        acted = act(client, name, args)
        found = follow(client, name) if args.watch else find_submission(client, name)
        document = {"server": client.url, "submission": found, "records": results(client, found)}
        if args.log:
            document["log"] = list(client.items(f"/v1/submissions/{name}/log"))
    emit(args, document, lambda: _text(document))
    return 0 if acted else exit_code(found)


def act(client: "Client", name: str, args: argparse.Namespace) -> bool:
    """Tell the server what is asked of it, if anything is; say whether it was."""
    path = f"/v1/submissions/{name}"
    if args.withdraw:
        client.call("POST", f"{path}/withdraw")
    elif args.retract is not None:
        client.call("POST", f"{path}/retraction", json={"reason": args.retract})
    elif args.object is not None:
        client.call("POST", f"{path}/objections", json={"text": args.object})
    else:
        return False
    return True


def _id(word: str) -> str:
    """Return the id of a submission, of which a person may have pasted the whole URL."""
    from urllib.parse import quote

    return quote(word.rstrip("/").rsplit("/", 1)[-1], safe="")


def exit_code(submission: dict[str, Any]) -> int:
    """Return 1 for a submission that will have no score."""
    return 1 if submission["state"] in ("failed", "refused", "withdrawn") else 0


def results(client: "Client", submission: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records of the runs that are done."""
    digests = [run["record"] for run in submission["runs"] if run["record"]]
    return [client.get(f"/v1/records/{digest}")["record"] for digest in digests]


def follow(client: "Client", name: str) -> dict[str, Any]:
    """Show a submission's way on stderr, and return it as it ended."""
    from assay.console import say
    from assay.remote.upload import watch

    told: dict[Any, str] = {}
    bars: dict[int, _Bar] = {}
    found: dict[str, Any] = {}
    for found in watch(client, name):
        news = {"submission": headline(found)} | {
            run["seed_index"]: run_line(run) for run in found["runs"]
        }
        for run in found["runs"]:
            bars.setdefault(run["seed_index"], _Bar(run["seed_index"])).show(run)
        for key, line in news.items():
            # Progress and heartbeats change all the time: they are the bar's.
            if told.get(key) != (line := line.split(";")[0]):
                say(line)
            told[key] = line
    return found


class _Bar:
    """The bar of one run; a new one for every stage of it."""

    def __init__(self, seed_index: int):
        self._name = f"seed {seed_index + 1}"
        self._stage: tuple[Any, Any] | None = None
        self._stack = ExitStack()
        self._bar: tqdm[Any] | None = None

    def show(self, run: dict[str, Any]) -> None:
        """Move the bar to where the run is."""
        from assay.console import progress

        now = run["progress"] if run["state"] == "running" else None
        stage = (now["unit"], now["total"]) if now else None
        if stage != self._stage:
            self._stack.close()
            self._stage, self._bar = stage, None
            if now:
                shown = progress(self._name, now["total"], now["unit"], initial=now["done"])
                self._bar = self._stack.enter_context(shown)
        if self._bar is not None and now:
            self._bar.update(now["done"] - self._bar.n)


def headline(submission: dict[str, Any]) -> str:
    """Say in one line where a submission is."""
    from assay.cli.tracks import duration
    from assay.console import one_line

    line = f"submission {submission['id']}: {submission['track']}/{submission['scale']}, {submission['state']}"
    if submission["position"] is not None:
        line += f", number {submission['position']} in the queue"
    if submission["eta_seconds"] is not None:
        line += f"; done in about {duration(submission['eta_seconds'])}"
    return one_line(line)


def run_line(run: dict[str, Any]) -> str:
    """Say in one line where a run is."""
    from assay.console import one_line

    line = f"seed {run['seed_index'] + 1}: {run['state']}"
    if run["state"] == "running":
        line += f" on {run['worker']}"
    if run["attempts"] > 1:
        line += f", attempt {run['attempts']}"
    if run["reason"]:
        line += f", {run['reason']}"
    if now := run["progress"]:
        total, rate = now["total"] or 0, now["rate"] or 0
        line += f"; {now['done']:,.0f} of {total:,.0f} {now['unit']} at {rate:,.0f} a second"
    if run["heartbeat_age_seconds"] is not None:
        line += f"; heard of {run['heartbeat_age_seconds']:.0f} s ago"
    return "  " + one_line(line)


def _text(document: dict[str, Any]) -> str:
    submission = document["submission"]
    lines = [headline(submission), f"  {submission['url']}"]
    lines += screening_lines(submission)
    lines += [run_line(run) for run in submission["runs"]]
    lines += [result_line(record) for record in document["records"]]
    lines += [log_line(line) for line in document.get("log", [])]
    return "\n".join(lines)


def screening_lines(submission: dict[str, Any]) -> list[str]:
    """Say in two lines what a list holds of evaluation items and copies, and what to be warned of."""
    from assay.console import one_line

    audit = (submission.get("report") or {}).get("audit")
    if not audit:
        return []
    if not audit["done"]:
        return ["  " + one_line(f"screening: not done, {audit['reason']}")]
    exact, near = (audit["duplicates"][kind]["redundant"] for kind in ("exact", "near"))
    found = (
        f"screening: {audit['leaked_items']:,} leaks of evaluation items, {audit['matches']:,} matches with shared "
        f"phrases; {exact:,} exact copies, {near:,} with near-copies"
    )
    if audit["overlaps"]:
        nearest = audit["overlaps"][0]
        found += f"; nearest earlier list {nearest['name'] or nearest['submission'][7:19]}"
        found += f" at {nearest['scale']}, Jaccard index {nearest['jaccard']:.4f}"
    issues = "; ".join(audit["issues"]) or "none"
    return ["  " + one_line(found), "  " + one_line(f"issues: {issues}")]


def log_line(line: dict[str, Any]) -> str:
    """Return a line of a worker's log."""
    from assay.console import one_line

    return one_line(
        f"{line['time']}  seed {line['seed_index'] + 1}.{line['attempt']}  {line['line']}"
    )


def result_line(record: dict[str, Any]) -> str:
    """Return a record's primary metrics, and its digest."""
    from assay.board import headline as metrics

    return f"  {metrics(record)}  record {record['digest'][7:19]}"
