"""`assay track new`: fork a track onto one's own pool."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.track.fork import Forked

EXAMPLES = """examples:
  assay pool build 'crawl/*.jsonl.zst' --kind text --name mycrawl
  assay track new my-web --like text --pool mycrawl --heldout 'heldout/*.jsonl.zst'
  assay select random --track my-web --scale nano --out s.npy
  assay score s.npy --track my-web --scale nano

  assay suite build clip evalsets/cifar10 evalsets/flickr --out mysuite
  assay track new my-images --pool mypairs --suite mysuite

every held-out file is one domain; each becomes two tasks: bits per byte of its text, and which of
four continuations is the document's own
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    new = actions.add_parser(
        "new",
        help="fork a track",
        description="Fork a track onto your own pool: same rules and recipes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    new.add_argument("name", help="of the new track")
    new.add_argument(
        "--like", help="track whose recipes are taken; default: text, or clip for image-text pools"
    )
    new.add_argument("--pool", required=True, help="name or folder of a pool")
    new.add_argument(
        "--heldout", nargs="+", default=[], metavar="FILE", help="text: documents not in the pool"
    )
    new.add_argument(
        "--suite",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a suite that `assay suite build` made: asked besides the held-out text (may be given several times), "
        "or, of a CLIP track, the suite",
    )
    new.add_argument(
        "--domain-bytes",
        type=int,
        default=100_000,
        help="held-out text per domain; default: 100000",
    )
    new.add_argument(
        "--items", type=int, default=100, help="continuation items per domain; default: 100"
    )
    add_common(new)


def run(args: argparse.Namespace) -> int:
    """Write the track."""
    forked = _fork(args)
    document: dict[str, Any] = {
        "track": forked.name,
        "modality": forked.modality,
        "folder": str(forked.folder),
        "scales": forked.scales,
        "items": forked.items,
        "dropped": forked.dropped,
    }
    emit(args, document, lambda: _text(document))
    return 0


def _fork(args: argparse.Namespace) -> "Forked":
    from assay.errors import TrackError
    from assay.pool import ImageTextPool, load_pool
    from assay.track.fork import fork
    from assay.track.fork_clip import fork_clip

    pool = load_pool(args.pool)
    if isinstance(pool, ImageTextPool):
        if args.heldout or len(args.suite) != 1:
            raise TrackError(
                "a pool of image-text pairs needs one --suite DIR and no --heldout; make the suite with: "
                "assay suite build clip SRC... --out DIR"
            )
        like = "clip" if args.like is None else args.like
        return fork_clip(args.name, like=like, pool=pool, suite_from=args.suite[0])
    if not args.heldout:
        raise TrackError("a text pool needs held-out documents to ask about: --heldout FILE...")
    return fork(
        args.name,
        like="text" if args.like is None else args.like,
        pool=pool,
        heldout=args.heldout,
        suites=args.suite,
        domain_bytes=args.domain_bytes,
        items=args.items,
    )


def _text(document: dict[str, Any]) -> str:
    items = ", ".join(f"{name} ({count:,})" for name, count in document["items"].items())
    noun = "held-out documents" if document["modality"] == "text" else "tasks"
    return (
        f"track {document['track']} at scales {', '.join(document['scales'])}\n{noun}: {items}\n"
        f"files: {document['folder']}\nnext: assay select random --track {document['track']} "
        f"--scale {document['scales'][0]} --out s.npy"
    )
