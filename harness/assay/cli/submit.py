"""`assay submit`: hand a list in to a leaderboard, after the checks that the server will make."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.remote.upload import OwnRun, Upload
    from assay.submission import Manifest, Report
    from assay.track.load import LoadedScale

EXAMPLES = """examples:
  assay submit s.npy --track clip --scale nano --name "my filter" --server https://board.example.org
  assay submit s.npy --track text --scale nano --name "my filter" --seeds 3 --watch
  assay submit s.npy --track text --scale nano --json
  assay submit s.npy --track text --scale 7b-1x --record 3f9a12c0 91d4e77b   # runs of assay score that you made

The first time, a team is registered and its token kept under ASSAY_HOME for the next. The same list on the same
track and scale is one submission, however often it is handed in. Without --server: the leaderboard used last.

With --record nothing is queued: each run is listed below the ranked ones, as `checked` where its per-item outputs
and losses are on this machine and give its numbers again, as `reported` where they are not.
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
    parser.add_argument(
        "--record",
        nargs="+",
        metavar="RECORD",
        help="runs that you trained, instead of asking for any: files or first digits, as assay verify takes them",
    )
    parser.add_argument("--server", help="URL of the leaderboard; default: the one used last")
    parser.add_argument("--team", help="to register as, the first time; default: your user name")
    parser.add_argument("--token", help="of a team that exists; kept for the next time")
    parser.add_argument("--watch", action="store_true", help="follow it to its score")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Check, upload, answer."""
    from assay.cli.status import exit_code, follow, results
    from assay.errors import RemoteError
    from assay.remote.client import Client, warn_in_the_clear
    from assay.remote.upload import find_submission, hand_in, report_runs, sign_in
    from assay.track.load import load

    url = _server(args)
    warn_in_the_clear(url)
    loaded = load(args.track, args.scale)
    report = _checked(args, loaded)
    document: dict[str, Any] = {"server": url, "report": report and report.plain()}
    if report and not report.ok:
        return _refused(args, document, report, loaded)
    own = _own_runs(args, report)
    upload = _upload(args, report, own)
    server = sign_in(url, args.team, args.token, Client)
    document["team"] = server.team
    with Client(server.url, server.token) as client:
        try:
            submission, document["new"] = hand_in(client, upload)
        except RemoteError as error:
            if not error.findings:
                raise
            document |= {"error": str(error), "findings": list(error.findings)}
            return _refused(args, document, report, loaded)
        if own:
            document["reported"] = report_runs(client, submission["id"], own)
            submission = find_submission(client, submission["id"])
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


def _own_runs(args: argparse.Namespace, report: "Report | None") -> "list[OwnRun]":
    """Find the records of `--record`, and what this machine has of their runs.

    Raises:
        RunError: If a record is not of this list, track and scale, or options say otherwise than records do.
    """
    from assay.errors import RunError

    if not args.record:
        return []
    if args.seeds is not None or args.name or args.author:
        raise RunError(
            "--record: the records say seeds, name and authors; leave these options away"
        )
    own = [_own_run(word) for word in args.record]
    for run in own:
        track, submission = run.record["track"], run.record["submission"]
        digits, of = run.record["digest"][7:19], f"{track['name']}/{track['scale']}"
        if of != f"{args.track}/{args.scale}":
            raise RunError(
                f"record {digits} is of {of}, not {args.track}/{args.scale}; give its own"
            )
        if report and report.submission and submission["digest"] != report.submission.digest:
            raise RunError(
                f"record {digits} is of list {submission['digest'][7:19]}, and {args.submission} is "
                f"{report.submission.digest[7:19]}; hand in the list that was scored"
            )
        if submission["manifest"] != own[0].record["submission"]["manifest"]:
            raise RunError(
                f"record {digits} has another name or manifest than the first one; a list has one: hand in those "
                "that were scored under it"
            )
    return own


def _own_run(word: str) -> "OwnRun":
    from assay.console import say
    from assay.remote.upload import OwnRun
    from assay.runner.scoring import OUTPUTS_FILE
    from assay.runner.training import TRACE_FILE
    from assay.verify import find_record
    from assay.verify.case import Case
    from assay.verify.report import AbsentError

    record, path = find_record(word)
    case = Case(record, path)
    try:
        parts = {"outputs": case.artifact(OUTPUTS_FILE), "trace": case.artifact(TRACE_FILE)}
    except AbsentError as error:
        say(f"note: {error}; record {record['digest'][7:19]} is handed in alone")
        parts = {}
    return OwnRun(record, parts)


def _upload(args: argparse.Namespace, report: "Report | None", own: "list[OwnRun]") -> "Upload":
    from assay.cli.score import declared
    from assay.remote.upload import Upload

    manifest = _manifest_of(own) if own else declared(args)
    if report and report.submission:
        known = report.submission
        manifest = replace(manifest, unit=known.unit, digest=known.digest)
    seeds = 0 if own else args.seeds
    return Upload(args.submission, manifest, args.track, args.scale, seeds)


def _manifest_of(own: "list[OwnRun]") -> "Manifest":
    """Return the manifest that records were made with.

    Raises:
        SubmissionError: M1, if it is none.
    """
    from assay.errors import SubmissionError
    from assay.submission.manifest import check_manifest

    submission = own[0].record["submission"]
    manifest, findings = check_manifest(submission["manifest"])
    if findings:
        raise SubmissionError(findings[0].rule, findings[0].message)
    return replace(manifest, unit=submission["unit"], digest=submission["digest"])


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
        lines += [_listed(answer) for answer in document.get("reported", ())]
        lines += _before(submission, document["new"])
        lines += ["", f"follow it with: assay status {submission['id']} --watch"]
    return "\n".join(lines)


def _before(submission: dict[str, Any], queued: bool) -> list[str]:
    """Say that a list was handed in before, and whether runs of it were queued now: --seeds has a default."""
    from assay.console import one_line

    if queued and submission["created"] == submission["updated"]:
        return []
    more = "; runs of it that failed, or that --seeds asks for beyond those before, are queued now"
    told = f"handed in before: the same list is the same submission, of team {submission['team']!r}, with "
    runs = f"{len(submission['runs'])} runs{more if queued else ''}"
    return ["  " + one_line(told + runs)]


def _listed(answer: dict[str, Any]) -> str:
    from assay.console import one_line

    told = f"record {answer['record'][7:19]}: {answer['level']}, listed without a rank, entry {answer['entry']}"
    return "  " + one_line(told)


def _finding(finding: dict[str, Any]) -> str:
    from assay.console import one_line

    where = "" if finding.get("row") is None else f" row {finding['row']}"
    told = f"{finding.get('severity', 'error'):5s} {finding.get('rule')}{where}: {finding.get('message')}"
    return "  " + one_line(told)
