"""The board as a folder of files that needs no server: `assay board build`."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.artifact import atomic_folder
from assay.canonical import canonical_json
from assay.errors import SettingsError, UserError
from assay.ledger import Ledger
from assay.pool import AnyPool, pool_path
from assay.track.load import load
from assay.track.pools import open_pool
from assay_board.evidence import Evidence, readable_pool
from assay_board.pages.compose import Pages, current_path
from assay_board.pages.downloads import FORMATS
from assay_board.pages.links import Links, board_path, compare_path, entry_path, progress_path
from assay_board.pages.render import assets
from assay_board.pages.snapshot import Run, Snapshot, Table
from assay_board.pages.views.listing import Query
from assay_board.settings import BoardSettings

MARK = ".assay-board"
"""In every export, so that a folder of something else is never replaced."""


def build_site(ledger_folder: Path, out: Path) -> Path:
    """Write the pages of a ledger, and beside them the ledger and what its records rest on.

    Lists, per-item outputs and losses are those under `assay_home()`, as a server there has them. They and the
    records stand at the addresses that a server gives them, so that `assay verify` reads an export as it reads one.

    The folder appears whole; an earlier export there is replaced once the new one is written.

    Args:
        ledger_folder: A ledger.
        out: Folder to write to.

    Returns:
        The home page.

    Raises:
        SettingsError: If `out` holds something that is no export.
        LedgerError: If the ledger cannot be read.
    """
    if out.exists() and not (out / MARK).is_file():
        raise SettingsError(
            f"{out} exists and is no earlier export of a board; choose another --out"
        )
    ledger = Ledger.open(ledger_folder)
    snapshot = Snapshot().extended(ledger.entries())
    with atomic_folder(out) as folder:
        for path, content in _files(snapshot, _epochs(ledger)):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, file)
            else:
                file.write_bytes(content)
        if ledger_folder.is_dir():
            ignored = shutil.ignore_patterns("*.lock", ".*")
            shutil.copytree(ledger_folder, folder / "ledger", ignore=ignored)
        if out.exists():
            shutil.rmtree(out)
    return out / "index.html"


def _epochs(ledger: Ledger) -> dict[str, list[dict[str, Any]]]:
    """Return the entries that commit to keys of seeds or publish them, by epoch."""
    found: dict[str, list[dict[str, Any]]] = {}
    for index, mark in enumerate(ledger.marks()):
        if mark.kind == "epoch":
            entry = ledger.read(index)
            found.setdefault(entry.body["epoch"], []).append(entry.plain())
    return found


def _files(
    snapshot: Snapshot, epochs: dict[str, list[dict[str, Any]]]
) -> Iterator[tuple[str, bytes | Path]]:
    """Yield every file's path and its content, or where that lies."""
    evidence = Evidence(BoardSettings())
    pages = Pages("", evidence.list_path, evidence.trace_path, _pool_of)
    yield MARK, b"An export of a board; `assay board build` may replace this folder.\n"
    yield "index.html", pages.home(Links.of_file("index"), snapshot, ()).encode()
    yield "rules.html", pages.rules(Links.of_file("rules"), snapshot).encode()
    yield "records.atom", pages.feed(Links.of_file("records"), snapshot).encode()
    for name, content in assets().items():
        yield f"static/{name}", content
    for track in {table.track for table in snapshot.tables.values()}:
        path = f"scaling/{track}"
        yield f"{path}.html", (pages.scaling(Links.of_file(path), snapshot, track) or "").encode()
    newest = {(t.track, t.scale): t.key for t in reversed(snapshot.boards())}
    for table in snapshot.tables.values():
        yield from _board(pages, snapshot, table, newest[table.track, table.scale] == table.key)
        for entrant in table.entrants.values():
            for run in entrant.runs:
                yield from _record(run, evidence, epochs)
    for digest in {d: None for table in snapshot.tables.values() for d in table.entrants}:
        path = entry_path(digest)
        yield f"{path}.html", (pages.entry(Links.of_file(path), snapshot, digest) or "").encode()
        badge = pages.badge(snapshot, digest) or ""
        yield f"badges/{digest.removeprefix('sha256:')}.svg", badge.encode()


def _record(
    run: Run, evidence: Evidence, epochs: dict[str, list[dict[str, Any]]]
) -> Iterator[tuple[str, bytes | Path]]:
    """Yield a record and what it rests on, at the addresses that `assay.verify.fetch` asks for."""
    record = run.record()
    yield f"records/{run.digest.removeprefix('sha256:')}.json", canonical_json(record) + b"\n"
    folder = f"v1/records/{run.digest}"
    for name, path in {
        "list": evidence.list_path(record["submission"]["digest"]),
        "outputs": evidence.outputs_path(run.digest),
        "trace": evidence.trace_path(run.digest),
    }.items():
        if path is not None:
            yield f"{folder}/{name}", path
    items = epochs.get((record.get("seed_source") or {}).get("epoch", ""), [])
    yield f"{folder}/epoch", json.dumps({"items": items, "next": None}).encode()


def _pool_of(table: Table) -> AnyPool | None:
    """Return the pool that a board was measured on, if it is here; an export builds none."""
    try:
        loaded = load(table.track, table.scale)
        if not (pool_path(loaded.spec.pool.name) / "pool.json").is_file():
            return None
        pool = open_pool(loaded)
    except UserError:
        # Another track's ledger, or a pool that does not verify: an export goes without.
        return None
    return readable_pool(pool, table)


def _board(
    pages: Pages, snapshot: Snapshot, table: Table, is_newest: bool
) -> Iterator[tuple[str, bytes]]:
    board = pages.cache.board(snapshot, table)
    for path in (board_path(table), *([current_path(table)] if is_newest else [])):
        text = pages.board(Links.of_file(path), snapshot, board, Query(), path)
        yield f"{path}.html", text.encode()
    for ending, (_, write) in FORMATS.items():
        yield f"{board_path(table)}.{ending}", write(board)
    path = progress_path(table)
    yield f"{path}.html", pages.progress(Links.of_file(path), snapshot, board).encode()
    if len(board.ranked) > 1:
        path = compare_path(table)
        yield f"{path}.html", pages.first_compared(Links.of_file(path), snapshot, board).encode()
    if is_newest:
        path = f"embed/{table.track}/{table.scale}"
        yield f"{path}.html", pages.embed(Links.of_file(path), snapshot, board).encode()
