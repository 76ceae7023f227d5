"""`assay ledger`: verify, show, prove, retract, correct, export, import."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.ledger import Entry, LedgerReport

EXAMPLES = """examples:
  assay ledger show
  assay ledger verify                                  # the ledger of this machine
  assay ledger verify mirror/ --since sha256:5dc9...   # a copy, which must continue what you saw before
  assay ledger prove 3f9a12c0 > proof.json && assay ledger verify proof.json
  assay ledger retract 3f9a12c0 --reason "trained on evaluation items"
  assay ledger correct 3f9a12c0 --name "my filter, v2" --reason "wrong name"
  assay ledger export mirror/ --git && git -C mirror push
  assay ledger export copy/ --server http://HOST:8080   # a leaderboard's, verified; again for what is new
"""
VERIFY = """exit code: 0 everything holds; 2 bad usage, or no ledger there; otherwise by the first thing that is wrong:
   3 edited      an entry's digest is not that of its content, or it is not canonical JSON
   4 missing     an entry is not there although later ones are, or the signed head counts it
   5 order       an entry is at another one's place, or does not follow the one before it
   6 signature   an entry's signature is not its key's
   7 key         an entry or the head is signed by a key that is not listed (with --key: not named)
   8 content     an entry says what it cannot: a record with wrong digests, a seed key or suite that was not committed
   9 head        the signed head is not over these entries
  10 fork        the ledger never had the root that --since names

A proof that `assay ledger prove` wrote is checked as well; it exits with 2 where it does not hold.
"""
PROSE = ("name", "method", "code", "licence")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs below `assay ledger`."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verify = _add(verbs, "verify", "check every digest, signature and proof of a ledger", VERIFY)
    verify.add_argument(
        "ledger", nargs="?", type=Path, help="folder of a ledger or mirror, or a proof"
    )
    verify.add_argument("--since", metavar="ROOT", help="a root seen earlier: it must have grown")
    verify.add_argument(
        "--key",
        metavar="NAME",
        action="append",
        default=[],
        help="the only key that may have signed",
    )
    show = _add(verbs, "show", "say what a ledger holds, newest entries last")
    show.add_argument("ledger", nargs="?", type=Path, help="default: that of this machine")
    show.add_argument("--last", type=int, default=20, metavar="N", help="entries (default: 20)")
    show.add_argument("--kind", help="only run, retraction, correction, epoch, suite or objection")
    prove = _add(verbs, "prove", "print a proof that the ledger holds a record")
    prove.add_argument("record", help="the first digits of its digest")
    retract = _add(verbs, "retract", "append that a record or submission counts no more")
    correct = _add(verbs, "correct", "append that prose of a manifest was wrong")
    for verb in (retract, correct):
        verb.add_argument("target", help="the first digits of a record's or submission's digest")
        verb.add_argument("--reason", required=True, help="for everybody to read")
        verb.add_argument("--by", default="operator", help="who says so (default: operator)")
    for name in PROSE:
        correct.add_argument(f"--{name}", help=f"the right {name}")
    correct.add_argument("--author", action="append", help="may be given several times")
    export = _add(verbs, "export", "bring a mirror of a ledger up to date")
    export.add_argument("out", type=Path, help="folder of the mirror")
    export.add_argument(
        "--server", metavar="URL", help="of that leaderboard (default: of this machine's ledger)"
    )
    export.add_argument("--git", action="store_true", help="commit it, with the signed head")
    older = _add(verbs, "import", "take in records TRACK/SCALE/DIGEST.json of an older ledger")
    older.add_argument("folder", type=Path, help="the folder `ledger` of an ASSAY_HOME you trust")


def _add(verbs: Any, name: str, summary: str, epilog: str = "") -> argparse.ArgumentParser:
    verb = verbs.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(verb)
    return verb


def run(args: argparse.Namespace) -> int:
    """Do one of them."""
    verbs = {"verify": _verify, "show": _show, "prove": _prove, "retract": _retract}
    return (verbs | {"correct": _correct, "export": _export, "import": _import})[args.verb](args)


def _verify(args: argparse.Namespace) -> int:
    from assay.ledger import ledger_folder, verify_ledger

    if args.ledger is not None and args.ledger.is_file():
        return _verify_proof(args)
    report = verify_ledger(args.ledger or ledger_folder(), args.since, args.key)
    emit(args, report.plain(), lambda: _report_text(report))
    return report.exit_code


def _verify_proof(args: argparse.Namespace) -> int:
    import json

    from assay.errors import LedgerError
    from assay.ledger import check_proof

    try:
        document = json.loads(args.ledger.read_bytes())
    except (ValueError, RecursionError):
        raise LedgerError(f"{args.ledger} is neither a ledger's folder nor a proof") from None
    entry, head = check_proof(document)
    if args.since or (args.key and head.key not in args.key):
        raise LedgerError(
            f"{args.ledger} is a proof, signed by {head.key}; --since needs the whole ledger, and --key has "
            "to name that key"
        )
    answer = {"ok": True, "index": entry.index, "digest": entry.digest, "head": head.plain()}
    emit(
        args,
        answer,
        lambda: (
            f"entry {entry.index}, {_what(entry)}, is in the ledger that {head.key} signed at "
            f"{head.size} entries, root {head.root}"
        ),
    )
    return 0


def _report_text(report: "LedgerReport") -> str:
    if report.finding is not None:
        return f"{report.finding.fault}: {report.finding.message}\n{report.size} entries before that hold"
    lines = [f"{report.size} entries hold, signed by {', '.join(report.keys) or 'nobody yet'}"]
    lines.append(f"root {report.root}")
    if report.head_size != report.size:
        lines.append("the last entry awaits its signed head; the next append signs one")
    if report.since_size is not None:
        lines.append(f"it continues the ledger of {report.since_size} entries with that root")
    return "\n".join(lines)


def _show(args: argparse.Namespace) -> int:
    from assay.errors import LedgerError
    from assay.ledger import Ledger, machine_ledger

    if args.last < 1:
        raise LedgerError(f"--last {args.last}: show at least one entry; try --last 20")
    ledger = machine_ledger() if args.ledger is None else Ledger.open(args.ledger)
    marks = ledger.marks()
    wanted = [index for index, mark in enumerate(marks) if args.kind in (None, mark.kind)]
    entries = [ledger.read(index) for index in wanted[-args.last :]]
    head = ledger.head().plain() if marks else None
    document = {
        "folder": str(ledger.folder),
        "size": len(marks),
        "head": head,
        "entries": [entry.plain() for entry in entries],
    }
    emit(args, document, lambda: _show_text(document, entries))
    return 0


def _show_text(document: dict[str, Any], entries: list["Entry"]) -> str:
    head = document["head"]
    if head is None:
        return f"{document['folder']} has no entry yet; make one with: assay score"
    lines = [f"{document['folder']}: {document['size']} entries, signed by {head['key']}"]
    lines += [f"root {head['root']} of {head['size']} entries at {head['time']}", ""]
    lines += [f"{entry.index:>7}  {entry.time[:19]}  {_what(entry)}" for entry in entries]
    return "\n".join(lines)


def _what(entry: "Entry") -> str:
    """Say in one line what an entry is about; a mirror, and its texts, may come from anybody."""
    from assay.console import one_line

    body = entry.body
    if entry.kind == "run":
        track, submission = body["track"], body["submission"]
        name = one_line(str(submission["manifest"].get("name", ""))) or submission["digest"][7:19]
        where = f"{track['name']}/{track['scale']}@{track['version']}"
        return f"{entry.level} run {body['digest'][7:19]} {where} seed {body['seed']}, {name}"
    if entry.kind == "epoch":
        return f"epoch {body['epoch'][7:19]} {'revealed' if 'key' in body else 'committed'}"
    if entry.kind == "suite":
        if "definition" not in body:
            return f"suite {body['suite'][7:19]} committed"
        found = body["definition"]
        name = one_line(f"{found.get('name')}@{found.get('version')}")
        return f"suite {body['suite'][7:19]} revealed: {name}"
    told = body["text"] if entry.kind == "objection" else f"{body['reason']} ({body['by']})"
    return f"{entry.kind} of {body['target'][7:19]}: {one_line(told)}"


def _prove(args: argparse.Namespace) -> int:
    import json

    from assay.errors import LedgerError
    from assay.ledger import find_records, machine_ledger, prove_record

    ledger = machine_ledger()
    found = find_records(args.record.removeprefix("sha256:")) if len(args.record) > 3 else []
    if len(found) != 1:
        raise LedgerError(
            f"{args.record!r} begins the digests of {len(found)} records, not of one; see: assay ledger show"
        )
    document = prove_record(ledger, found[0][0])
    emit(args, document, lambda: json.dumps(document, indent=2, ensure_ascii=False))
    return 0


def _retract(args: argparse.Namespace) -> int:
    from assay.errors import LedgerError
    from assay.ledger import find_target, ledger_standing, machine_ledger

    target = find_target(args.target)
    if found := ledger_standing(machine_ledger()).retracted.get(target):
        raise LedgerError(
            f"{target[7:19]} is retracted since entry {found.index}; see: assay ledger show"
        )
    return _state(args, "retraction", {"target": target})


def _correct(args: argparse.Namespace) -> int:
    from assay.errors import LedgerError
    from assay.ledger import find_target
    from assay.submission.manifest import check_manifest

    changes = {name: getattr(args, name) for name in PROSE if getattr(args, name) is not None}
    if args.author:
        changes["authors"] = args.author
    if not changes:
        raise LedgerError(
            'say what is right: assay ledger correct TARGET --name "..." --reason ...'
        )
    checked, findings = check_manifest(changes)
    if findings:
        raise LedgerError(f"{findings[0].rule}: {findings[0].message}")
    changes = {name: checked.plain()[name] for name in changes}
    return _state(args, "correction", {"target": find_target(args.target), "manifest": changes})


def _state(args: argparse.Namespace, kind: str, body: dict[str, Any]) -> int:
    """Append what somebody states, and answer with the entry."""
    from assay.ledger import machine_ledger

    entry = machine_ledger().append(kind, body | {"reason": args.reason, "by": args.by})
    emit(args, entry.plain(), lambda: f"entry {entry.index}: {_what(entry)}")
    return 0


def _export(args: argparse.Namespace) -> int:
    from assay.ledger import export_ledger, machine_ledger

    if args.server:
        from assay.remote.client import Client
        from assay.remote.mirror import mirror_server

        with Client(args.server) as client:
            copied, head = mirror_server(client, args.out, args.git)
    else:
        copied, head = export_ledger(machine_ledger(), args.out, args.git)
    document = {"folder": str(args.out), "copied": copied, "head": head.plain()}
    emit(
        args,
        document,
        lambda: (
            f"{args.out}: {copied} entries copied, {head.size} in all\nroot {head.root}\n"
            f"to check it anywhere: assay ledger verify {args.out} --key {head.key}"
        ),
    )
    return 0


def _import(args: argparse.Namespace) -> int:
    from assay.ledger import import_records, machine_ledger

    ledger = machine_ledger()
    new, known = import_records(ledger, args.folder)
    document = {"folder": str(ledger.folder), "appended": new, "known": known}
    emit(args, document, lambda: f"{new} records appended, {known} were there already")
    return 0
