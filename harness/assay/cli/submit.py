"""`assay submit`: hand a list in to a leaderboard, after the checks that the server will make."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.submission import Report
    from assay.track.load import LoadedScale

EXAMPLES = """examples:
  assay submit s.npy --track clip --scale nano --name "my filter" --server https://board.example.org
  assay submit s.npy --track text --scale nano --name "my filter" --seeds 3 --watch
  assay submit s.npy --track text --scale nano --json

The first time, a team is registered and its token kept under ASSAY_HOME for the next. The same list on the same
track and scale is one submission, however often it is handed in. Without --server: the leaderboard used last.
exit code 0: accepted (with --watch: scored); 1: failed; 2: refused
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("submission", type=Path, help=".npy, .parquet, .csv or .txt list of ids")
    parser.add_argument("--track", required=True, help="such as text")
    parser.add_argument("--scale", required=True, help="such as nano; see: assay tracks")
    parser.add_argument("--name", help="name on the board")
    parser.add_argument("--author", action="append", help="may be given several times")
    parser.add_argument(
        "--unit", help="what chunk ids (uid#k) count, where no manifest says: words128, ..."
    )
    parser.add_argument("--seeds", type=int, help="runs to ask for; default: as the server has it")
    parser.add_argument("--server", help="URL of the leaderboard; default: the one used last")
    parser.add_argument("--team", help="to register as, the first time; default: your user name")
    parser.add_argument("--token", help="of a team that exists; kept for the next time")
    parser.add_argument("--watch", action="store_true", help="follow it to its score")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Check, upload, answer."""
    from assay.cli.score import declared
    from assay.cli.status import exit_code, follow, results
    from assay.errors import RemoteError
    from assay.remote.client import Client
    from assay.remote.upload import Upload, hand_in, sign_in
    from assay.track.load import load

    url = _server(args)
    loaded = load(args.track, args.scale)
    report = _checked(args, loaded)
    document: dict[str, Any] = {"server": url, "report": report and report.plain()}
    if report and not report.ok:
        return _refused(args, document, report, loaded)
    manifest = declared(args)
    if report and report.submission:
        known = report.submission
        manifest = replace(manifest, unit=known.unit, digest=known.digest)
    server = sign_in(url, args.team, args.token, Client)
    document["team"] = server.team
    upload = Upload(args.submission, manifest, args.track, args.scale, args.seeds)
    with Client(server.url, server.token) as client:
        try:
            submission, document["new"] = hand_in(client, upload)
        except RemoteError as error:
            if not error.findings:
                raise
            document |= {"error": str(error), "findings": list(error.findings)}
            return _refused(args, document, report, loaded)
        document["submission"] = submission
        if args.watch:
            _announce(document, report, args, loaded)
            document["submission"] = submission = follow(client, submission["id"])
            document["records"] = results(client, submission)
    emit(args, document, lambda: _text(document, report, args, loaded))
    return exit_code(submission)


def _server(args: argparse.Namespace) -> str:
    from assay.errors import RemoteError
    from assay.remote.client import server_url
    from assay.remote.servers import find_server

    if args.server:
        return server_url(args.server)
    if last := find_server(None):
        return last.url
    raise RemoteError(
        "no --server given, and this machine has not used one yet; such as --server "
        "https://board.example.org, or start your own with: assay board serve"
    )


def _checked(args: argparse.Namespace, loaded: "LoadedScale") -> "Report | None":
    """Validate as the server will; None where the scale's pool is not on this machine."""
    from assay.console import say
    from assay.pool import pool_path
    from assay.pool.manifest import MANIFEST_FILE
    from assay.submission import validate_file
    from assay.track.pools import open_pool

    ref = loaded.spec.pool
    if ref.size is None and not (pool_path(ref.name) / MANIFEST_FILE).is_file():
        say(
            f"note: pool {ref.name} is not on this machine; the list is checked by the server alone"
        )
        return None
    pool = open_pool(loaded)
    return validate_file(args.submission, pool, loaded.rules, loaded.recipe.budget, args.unit)


def _refused(
    args: argparse.Namespace,
    document: dict[str, Any],
    report: "Report | None",
    loaded: "LoadedScale",
) -> int:
    emit(args, {"ok": False} | document, lambda: _text(document, report, args, loaded))
    return 2


def _announce(
    document: dict[str, Any],
    report: "Report | None",
    args: argparse.Namespace,
    loaded: "LoadedScale",
) -> None:
    """Say what was accepted before it is watched for minutes."""
    from assay.console import say

    say(_text(document, report, args, loaded))


def _text(
    document: dict[str, Any],
    report: "Report | None",
    args: argparse.Namespace,
    loaded: "LoadedScale",
) -> str:
    from assay.cli.status import headline, result_line
    from assay.cli.validate import render

    if "records" in document:
        lines = [headline(document["submission"])]
        return "\n".join(lines + [result_line(record) for record in document["records"]])
    lines = [render(report, args.submission.name, loaded.label)] if report else []
    if "findings" in document:
        lines.append(f"REFUSED by {document['server']}")
        lines += [_finding(finding) for finding in document["findings"]]
    if "submission" in document:
        submission = document["submission"]
        lines += ["", headline(submission), f"  {submission['url']}"]
        if not document["new"]:
            lines.append(
                f"  handed in before: the same list is the same submission, of team {submission['team']!r}, "
                f"with {len(submission['runs'])} runs"
            )
        lines += ["", f"follow it with: assay status {submission['id']} --watch"]
    return "\n".join(lines)


def _finding(finding: dict[str, Any]) -> str:
    from assay.console import one_line

    where = "" if finding.get("row") is None else f" row {finding['row']}"
    told = f"{finding.get('severity', 'error'):5s} {finding.get('rule')}{where}: {finding.get('message')}"
    return "  " + one_line(told)
