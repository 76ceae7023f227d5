"""`assay audit`: what a submission holds, and what that says about its score."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.audit.membership import Membership
    from assay.audit.report import Audit

EXAMPLES = """examples:
  assay audit s.npy --track text --scale nano
  assay audit s.npy --track text --scale nano --out report --workers 2
  assay audit s.npy --track text --scale nano --checkpoint          # Min-K%++ on this submission's newest run
  assay audit pairs.npy --track clip --scale nano --records --json

leaked: an item stands in a selected document whole, or 80 % of a long passage of it does, or its image
does. overlap: a shared 13-gram, or 50 characters of a short item; common phrases do that too. Of images:
alike but for colours, or mirrored; drawings that are alike are, too. Cropped and grey copies are not found.
--out writes audit.json, matches.jsonl, card.md and card.json
"""

NEWEST = "newest run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("submission", type=Path, help=".npy, .parquet, .csv or .txt list of ids")
    parser.add_argument("--track", required=True, help="such as text")
    parser.add_argument("--scale", required=True, help="such as nano; see: assay tracks")
    parser.add_argument(
        "--unit", choices=("words128", "tokens512", "tokens1024"), help="what chunk ids count"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the report and a data card")
    parser.add_argument(
        "--records", action="store_true", help="list every match with its uid, not the first twenty"
    )
    parser.add_argument(
        "--checkpoint",
        nargs="?",
        const=NEWEST,
        metavar="DIR",
        help="text: also Min-K%%++ on a model trained on the list (default: of its newest run here)",
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="processes that read examples (default 1)"
    )
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Audit and answer."""
    from assay.audit.document import audit_document, write_audit
    from assay.audit.report import audit_file
    from assay.audit.text import audit_text
    from assay.spec import plain
    from assay.track.load import load

    loaded = load(args.track, args.scale)
    audit = audit_file(args.submission, loaded, unit=args.unit, workers=args.workers)
    evidence = _membership(audit, args.checkpoint) if args.checkpoint else None
    document = audit_document(audit, all_matches=args.records)
    document["membership"] = plain(evidence)
    written = write_audit(audit, document, args.out) if args.out else []
    document["files"] = [str(path) for path in written]
    emit(args, document, lambda: audit_text(document, all_matches=args.records))
    return 0


def _membership(audit: "Audit", checkpoint: str) -> "Membership":
    from assay.audit.contamination import flagged_items
    from assay.audit.report import own_checkpoint
    from assay.errors import RunError
    from assay.pool import ImageTextPool
    from assay.suite.clip import ClipSuite

    suite, pool = audit.loaded.suite, audit.pool
    if isinstance(suite, ClipSuite) or isinstance(pool, ImageTextPool):
        raise RunError(
            "--checkpoint asks a language model, and this is a track of images; leave it out"
        )
    folder = own_checkpoint(audit) if checkpoint == NEWEST else Path(checkpoint)
    if folder is None or not (folder / "config.json").is_file():
        where = "of this submission" if folder is None else f"in {folder}"
        raise RunError(
            f"there is no checkpoint {where}; make one with: assay score SUBMISSION --track "
            f"{audit.loaded.track} --scale {audit.loaded.scale}"
        )
    from assay.audit.membership import membership

    return membership(
        folder,
        pool,
        suite,
        audit.loaded.suite_folder,
        leaked=flagged_items(audit.content.matches, leaked_only=True),
        selected=audit.selected.rows,
    )
