"""`assay pools`: list the pools that this machine knows."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.pool.registry import PoolListing
    from assay.track.clip_spec import PairPoolRef
    from assay.track.spec import PoolRef

NOUNS = {"text": "documents", "image-text": "pairs"}
"""What pools of a kind hold."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `assay pools` takes."""
    parser.epilog = "example: assay pools --json"
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """List."""
    from assay.spec import plain

    pools = known_pools()
    emit(args, {"pools": plain(pools)}, lambda: render(pools))
    return 0


def known_pools() -> "list[PoolListing]":
    """Return named pools, and embedded ones that nobody has built yet, smallest first."""
    from assay.pool.registry import PoolListing, list_pools, pool_path
    from assay.track.load import embedded_pools

    found = list_pools()
    names = {pool.name for pool in found}
    absent = [
        PoolListing(
            ref.name, "not built yet", str(pool_path(ref.name)), _kind_of(ref), ref.size or 0
        )
        for ref in embedded_pools()
        if ref.name not in names
    ]
    return found + absent


def _kind_of(ref: "PoolRef | PairPoolRef") -> str:
    from assay.track.spec import PoolRef

    return "text" if isinstance(ref, PoolRef) else "image-text"


def render(pools: "list[PoolListing]") -> str:
    """Return the table for people."""
    if not pools:
        return "no pools yet; build one with: assay pool build SRC... --kind text --name NAME"
    head = ("name", "status", "kind", "examples", "tokens", "text", "root", "path")
    rows = [
        (
            pool.name,
            pool.status,
            pool.kind or "-",
            f"{pool.n:,} {NOUNS[pool.kind]}" if pool.n else "-",
            f"{pool.num_tokens:,}" if pool.num_tokens else "-",
            megabytes(pool.num_bytes) if pool.num_bytes else "-",
            pool.root.removeprefix("sha256:")[:12] or "-",
            pool.path,
        )
        for pool in pools
    ]
    return align([head, *rows])


def align(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as lines, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def megabytes(num_bytes: int) -> str:
    """Return a size for people."""
    return f"{num_bytes / 1e6:,.1f} MB"
