"""`assay pool`: build, show or verify a pool."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit
from assay.cli.pools import align, megabytes

if TYPE_CHECKING:
    from assay.pool import Pool
    from assay.pool.summary import Summary

BUILD_EXAMPLES = """SRC is a file, a folder, a glob, or any of these at a URL (s3://, hf://, https://, ...):
.jsonl, .json, .ndjson (plain, .gz, .zst), .parquet, .arrow, and datasets saved with save_to_disk.

examples:
  assay pool build crawl/*.jsonl.zst --kind text --name mine
  assay pool build s3://bucket/crawl/ --kind text --out /data/mine --tokenizer tokenizer.json
  assay pool build notes.parquet --kind text --name notes --text-field body --id-field doc

killed or interrupted, the same command goes on where it stopped
"""


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
    parser.add_argument("--kind", choices=["text"], default="text", help="modality (default: text)")
    parser.add_argument("--out", metavar="DIR", help="folder of the pool")
    parser.add_argument("--name", help="what commands call the pool; without --out, where it goes")
    pieces = parser.add_mutually_exclusive_group()
    pieces.add_argument("--tokenizer", type=Path, metavar="FILE", help="a tokenizers JSON to use")
    pieces.add_argument(
        "--vocab-size", type=int, default=2048, metavar="N", help="of a trained one (default: 2048)"
    )
    parser.add_argument(
        "--id-field", metavar="F", help="field of the own id; `none` derives ids from url and text"
    )
    parser.add_argument("--text-field", default="text", metavar="F", help="(default: text)")
    parser.add_argument("--licence", default="", metavar="L", help="noted in the manifest")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Do one of the three."""
    return {"build": _build, "show": _show, "verify": _verify}[args.verb](args)


def _build(args: argparse.Namespace) -> int:
    from assay.errors import PoolError
    from assay.pool import build_pool, pool_path
    from assay.pool.registry import check_free, check_name, register
    from assay.pool.sources import is_url

    if is_url(args.out or ""):
        raise PoolError(f"--out {args.out}: build into a local folder, then copy it to that URL")
    if not (args.out or args.name):
        raise PoolError("where to? give --name NAME (kept with assay's state) or --out DIR")
    name = check_name(args.name or Path(args.out).absolute().name)
    out = Path(args.out) if args.out else pool_path(name)
    check_free(name, out)
    pool = build_pool(
        args.sources,
        out,
        name=name,
        tokenizer=args.tokenizer,
        vocab_size=args.vocab_size,
        id_field=args.id_field,
        text_field=args.text_field,
        licence=args.licence,
    )
    register(name, pool.path)
    emit(args, describe(pool), lambda: f"{name}\t{pool.root}\t{pool.path}")
    return 0


def _show(args: argparse.Namespace) -> int:
    from assay.pool import Pool
    from assay.pool.summary import summarise
    from assay.spec import plain

    pool = Pool.open(args.pool)
    summary = summarise(pool)
    emit(args, describe(pool) | {"summary": plain(summary)}, lambda: render(pool, summary))
    return 0


def _verify(args: argparse.Namespace) -> int:
    from assay.pool import Pool, verify_pool
    from assay.spec import plain

    pool = Pool.open(args.pool)
    found = verify_pool(pool)
    document = {"pool": pool.name, "path": str(pool.path), **plain(found)}
    verdict = f"{pool.name}: verified, {found.num_files} files, {found.num_documents:,} documents"
    emit(args, document, lambda: f"{verdict}\n{pool.root}" if found.ok else f"{pool.name}: BAD")
    if not found.ok:
        sys.stderr.write(
            f"assay: {pool.path}/{found.file} does not verify: {found.finding}; restore that file, or "
            "remove the folder and build the pool again\n"
        )
    return 0 if found.ok else 2


def describe(pool: "Pool") -> dict[str, Any]:
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
    """Return the page for people."""
    manifest = pool.manifest
    percentiles = ", ".join(f"{q} %: {v:,}" for q, v in summary.tokens_percentiles.items())
    most = max(count for _, count in summary.tokens_histogram)
    bars = [
        (f"{least:,}+", f"{count:,}", "#" * round(40 * count / most))
        for least, count in summary.tokens_histogram
    ]
    problems = [f"{count:,} {kind}" for kind, count in sorted(manifest.report.items())]
    sections = [
        f"{pool.name} ({manifest.kind})  {pool.path}",
        f"root       {pool.root}",
        f"documents  {pool.n:,} ({summary.stored - pool.n:,} repeated ids left out)",
        f"tokens     {pool.num_tokens:,} of {pool.vocab_size:,} kinds, {summary.bytes_per_token} bytes each",
        f"text       {megabytes(manifest.num_bytes)} in {len(manifest.shards)} shards",
        f"licence    {manifest.licence or '(not given)'}",
        f"columns    {', '.join(f'{c.name} ({c.type})' for c in manifest.columns)}",
        f"problems   {', '.join(problems) or 'none'}",
        *(f"{heading}: {text}" for heading, text in manifest.card.items()),
        f"\ntokens of a document: {percentiles}",
        align(bars),
        *_ranking("hosts", summary.hosts),
        *_ranking("sources", summary.sources),
    ]
    return "\n".join(sections)


def _ranking(title: str, pairs: list[tuple[str, int]]) -> list[str]:
    if not pairs:
        return []
    return [f"\n{title}", align([(f"{count:,}", name) for name, count in pairs])]
