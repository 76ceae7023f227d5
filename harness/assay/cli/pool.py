"""`assay pool`: build, show or verify a pool."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit
from assay.cli.pools import NOUNS, align, megabytes

if TYPE_CHECKING:
    from assay.pool import ImageTextPool, Pool
    from assay.pool.summary import PairSummary, Summary

BUILD_EXAMPLES = """SRC is a file, a folder, a glob, or any of these at a URL (s3://, hf://, https://, ...).
text: .jsonl, .json, .ndjson (plain, .gz, .zst), .parquet, .arrow, and datasets saved with save_to_disk.
image-text: webdataset .tar files (DataComp, img2dataset) and folders of images with captions, both read
where they lie from then on; .parquet and .arrow files with images in them, which are copied.

examples:
  assay pool build crawl/*.jsonl.zst --kind text --name mine
  assay pool build s3://bucket/crawl/ --kind text --out /data/mine --tokenizer tokenizer.json
  assay pool build notes.parquet --kind text --name notes --text-field body --id-field doc
  assay pool build shards/ --kind image-text --metadata metadata/ --name datacomp
  assay pool build photos/ --kind image-text --name photos

killed or interrupted, the same command goes on where it stopped
"""

TEXT_ONLY = ("tokenizer", "vocab_size", "text_field")
PAIRS_ONLY = ("metadata", "verify_sha256", "caption_field", "image_field")
"""Options of one kind of pool; absent, they are None or False."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the three verbs below `assay pool`."""
    parser.epilog = "example: assay pool build notes.jsonl --kind text --name notes"
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    build = verbs.add_parser(
        "build",
        help="build a pool from files",
        description="Build a pool from files.",
        epilog=BUILD_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_build_arguments(build)
    for name, summary in (
        ("show", "say what is in a pool: sizes, columns, hosts, sources, problems"),
        ("verify", "read a whole pool again and compare it with its manifest"),
    ):
        verb = verbs.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=f"example: assay pool {name} foundry-text-4000",
        )
        verb.add_argument("pool", metavar="POOL", help="name, folder or URL; see: assay pools")
        add_common(verb)


def _add_build_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", metavar="SRC", nargs="+", help="what to read")
    parser.add_argument(
        "--kind", choices=["text", "image-text"], default="text", help="modality (default: text)"
    )
    parser.add_argument("--out", metavar="DIR", help="folder of the pool")
    parser.add_argument("--name", help="what commands call the pool; without --out, where it goes")
    parser.add_argument(
        "--id-field", metavar="F", help="field of the own id; `none` derives ids from content"
    )
    parser.add_argument("--licence", default="", metavar="L", help="noted in the manifest")
    text = parser.add_argument_group("--kind text")
    pieces = text.add_mutually_exclusive_group()
    pieces.add_argument("--tokenizer", type=Path, metavar="FILE", help="a tokenizers JSON to use")
    pieces.add_argument(
        "--vocab-size", type=int, metavar="N", help="of a trained one (default: 2048)"
    )
    text.add_argument("--text-field", metavar="F", help="(default: text)")
    pairs = parser.add_argument_group("--kind image-text")
    pairs.add_argument(
        "--metadata",
        metavar="M",
        nargs="+",
        help="Parquet files of candidates to join by uid (DataComp's), a folder or glob of them",
    )
    pairs.add_argument(
        "--verify-sha256",
        action="store_true",
        help="leave out images whose bytes do not have the `sha256` of their metadata",
    )
    pairs.add_argument(
        "--caption-field", metavar="F", help="(default: caption file, caption, text)"
    )
    pairs.add_argument("--image-field", metavar="F", help="of a table (default: image, jpg, ...)")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Do one of the three."""
    return {"build": _build, "show": _show, "verify": _verify}[args.verb](args)


def _build(args: argparse.Namespace) -> int:
    from assay.errors import PoolError
    from assay.pool import build_image_text_pool, build_pool, pool_path
    from assay.pool.registry import check_free, check_name, register
    from assay.pool.sources import is_url

    if is_url(args.out or ""):
        raise PoolError(f"--out {args.out}: build into a local folder, then copy it to that URL")
    if not (args.out or args.name):
        raise PoolError("where to? give --name NAME (kept with assay's state) or --out DIR")
    name = check_name(args.name or Path(args.out).absolute().name)
    out = Path(args.out) if args.out else pool_path(name)
    check_free(name, out)
    _refuse_options(args, PAIRS_ONLY if args.kind == "text" else TEXT_ONLY)
    shared = {"name": name, "id_field": args.id_field, "licence": args.licence}
    if args.kind == "text":
        pool = build_pool(
            args.sources,
            out,
            tokenizer=args.tokenizer,
            vocab_size=2048 if args.vocab_size is None else args.vocab_size,
            text_field=args.text_field or "text",
            **shared,
        )
    else:
        pool = build_image_text_pool(
            args.sources,
            out,
            metadata=args.metadata or (),
            verify_sha256=args.verify_sha256,
            caption_field=args.caption_field,
            image_field=args.image_field,
            **shared,
        )
    register(name, pool.path)
    emit(args, describe(pool), lambda: f"{name}\t{pool.root}\t{pool.path}")
    return 0


def _refuse_options(args: argparse.Namespace, names: Sequence[str]) -> None:
    """Refuse options that another kind of pool has.

    Raises:
        PoolError: If one is given.
    """
    from assay.errors import PoolError

    for name in names:
        if getattr(args, name) not in (None, False):
            other = "image-text" if args.kind == "text" else "text"
            raise PoolError(
                f"--{name.replace('_', '-')} is for --kind {other}, and this is --kind {args.kind}; see: "
                "assay pool build --help"
            )


def _show(args: argparse.Namespace) -> int:
    from assay.pool import Pool, load_pool
    from assay.pool.summary import summarise, summarise_pairs
    from assay.spec import plain

    pool = load_pool(args.pool)
    if isinstance(pool, Pool):
        summary = summarise(pool)
        page = render(pool, summary)
    else:
        summary = summarise_pairs(pool)
        page = render_pairs(pool, summary)
    emit(args, describe(pool) | {"summary": plain(summary)}, lambda: page)
    return 0


def _verify(args: argparse.Namespace) -> int:
    from assay.pool import load_pool, verify_pool
    from assay.spec import plain

    pool = load_pool(args.pool)
    found = verify_pool(pool)
    document = {"pool": pool.name, "path": str(pool.path), **plain(found)}
    verdict = (
        f"{pool.name}: verified, {found.num_files} files, {found.num_examples:,} {NOUNS[pool.kind]}"
    )
    emit(args, document, lambda: f"{verdict}\n{pool.root}" if found.ok else f"{pool.name}: BAD")
    if not found.ok:
        assert found.file is not None
        file = found.file if "://" in found.file else pool.path / found.file
        sys.stderr.write(
            f"assay: {file} does not verify: {found.finding}; restore that file, or "
            "remove the folder and build the pool again\n"
        )
    return 0 if found.ok else 2


def describe(pool: "Pool | ImageTextPool") -> dict[str, Any]:
    """Return a pool's manifest for machines, its shards counted and not listed."""
    from assay.pool.manifest import REPORT_FILE
    from assay.spec import plain

    manifest = plain(pool.manifest)
    del manifest["files"]
    return manifest | {
        "shards": len(pool.manifest.shards),
        "path": str(pool.path),
        "report_path": str(pool.path / REPORT_FILE),
    }


def render(pool: "Pool", summary: "Summary") -> str:
    """Return the page of a pool of documents, for people."""
    manifest = pool.manifest
    most = max(count for _, count in summary.tokens_histogram)
    bars = [
        (f"{least:,}+", f"{count:,}", "#" * round(40 * count / most))
        for least, count in summary.tokens_histogram
    ]
    lines = [
        f"documents  {pool.n:,} ({summary.stored - pool.n:,} repeated ids left out)",
        f"tokens     {pool.num_tokens:,} of {pool.vocab_size:,} kinds, {summary.bytes_per_token} bytes each",
        f"text       {megabytes(manifest.num_bytes)} in {len(manifest.shards)} shards",
    ]
    more = [f"\ntokens of a document: {_percentiles(summary.tokens_percentiles)}", align(bars)]
    return _page(pool, lines, more, summary)


def render_pairs(pool: "ImageTextPool", summary: "PairSummary") -> str:
    """Return the page of a pool of pairs, for people."""
    manifest = pool.manifest
    of = "" if manifest.candidates is None else f" of {manifest.candidates:,} candidates"
    lines = [
        f"pairs      {pool.n:,}{of} ({summary.stored - pool.n:,} repeated ids left out)",
        f"captions   {megabytes(manifest.num_bytes)} in {len(manifest.shards)} shards",
        f"images     {megabytes(manifest.image_bytes)} in {summary.payload_files:,} files",
        f"embeddings {', '.join(f'{e.name} ({e.width})' for e in manifest.embeddings) or 'none'}",
    ]
    more = [
        f"\ncharacters of a caption: {_percentiles(summary.caption_percentiles)}",
        f"pixels of a shorter side: {_percentiles(summary.side_percentiles)}",
        f"bytes of an image: {_percentiles(summary.image_percentiles)}",
    ]
    return _page(pool, lines, more, summary)


def _page(
    pool: "Pool | ImageTextPool",
    lines: list[str],
    more: list[str],
    summary: "Summary | PairSummary",
) -> str:
    manifest = pool.manifest
    problems = [f"{count:,} {kind}" for kind, count in sorted(manifest.report.items())]
    sections = [
        f"{pool.name} ({manifest.kind})  {pool.path}",
        f"root       {pool.root}",
        *lines,
        f"licence    {manifest.licence or '(not given)'}",
        f"columns    {', '.join(f'{c.name} ({c.type})' for c in manifest.columns)}",
        f"problems   {', '.join(problems) or 'none'}",
        *(f"{heading}: {text}" for heading, text in manifest.card.items()),
        *more,
        *_ranking("hosts", summary.hosts),
        *_ranking("sources", summary.sources),
    ]
    return "\n".join(sections)


def _percentiles(values: dict[str, int]) -> str:
    return ", ".join(f"{q} %: {v:,}" for q, v in values.items())


def _ranking(title: str, pairs: list[tuple[str, int]]) -> list[str]:
    if not pairs:
        return []
    return [f"\n{title}", align([(f"{count:,}", name) for name, count in pairs])]
