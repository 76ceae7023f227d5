"""Build a pool: stream documents into shards, then sort their ids. Killed at any point, it goes on.

    .build/plan.json            columns and tokenizer, decided once
    shards/00000/...            documents and tokens of about 64 MB of text
    .build/shards/00000.json    the shard is whole; where in the sources the next one starts
    uids.npy rows.npy ...       ids sorted, the first document with each
    build_report.json           what went wrong
    pool.json                   the pool is finished; .build goes

Which documents share a shard depends on the sources and settings alone, so a build that was
interrupted ends with the very bytes of one that was not.

Floor: 2 MB of text a second and core, in at most 1 GB whatever the size of the pool. Measured on real
web text: 3 MB/s, nine tenths of it tokenising, and 0.8 GB.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from assay.artifact import write_atomic
from assay.canonical import digest_file, digest_json
from assay.console import say
from assay.errors import PoolError
from assay.pool.draft import Draft
from assay.pool.fill import fill_shards
from assay.pool.frame import Head, build_once, count_repeats, write_report
from assay.pool.index import Index, write_index
from assay.pool.journal import Journal
from assay.pool.manifest import (
    FORMAT,
    MANIFEST_FILE,
    Manifest,
    ShardEntry,
    SourceEntry,
    pool_root,
)
from assay.pool.plan import Plan, make_plan
from assay.pool.records import PROBLEMS, Fields
from assay.pool.registry import check_name
from assay.pool.report import Tally
from assay.pool.sources import Source, as_sources
from assay.pool.store import Pool
from assay.pool.tokenizer import MIN_VOCAB_SIZE, load_tokenizer, token_dtype
from assay.pool.truth import write_truth
from assay.spec import plain

SHARD_BYTES = 64_000_000
"""Text of a shard; it bounds the memory of a build."""


def build_pool(
    sources: Sequence[str | Path | Source],
    out: Path,
    *,
    name: str | None = None,
    tokenizer: Path | None = None,
    vocab_size: int = 2048,
    id_field: str | None = None,
    text_field: str = "text",
    licence: str = "",
    card: Mapping[str, str] | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> Pool:
    """Build a text pool, go on with one that was interrupted, or open the finished one.

    Args:
        sources: Files, folders, globs or fsspec URLs, and generators of records.
        out: Folder of the pool; absent, empty, or of an earlier attempt at the same pool.
        name: What the pool is called; by default as its folder.
        tokenizer: A `tokenizers` JSON with an end-of-text token; None trains one.
        vocab_size: Pieces of a trained tokenizer.
        id_field: Field of the own id; None looks in the usual ones, `none` ignores own ids.
        text_field: Field of the text.
        licence: Put into the manifest.
        card: Put into the manifest: heading -> text.
        shard_bytes: Text of a shard.

    Raises:
        PoolError: If a source cannot be read, the settings make no sense, the folder holds something
            else, or there is not one document.
    """
    out = Path(out).expanduser().absolute()
    found = as_sources(sources, Fields(text_field, id_field))
    entries = tuple(SourceEntry(source.name, source.fingerprint) for source in found)
    head = Head(check_name(name or out.name), licence, dict(card or {}), entries)
    settings = [FORMAT, _tokenizer_digest(tokenizer, vocab_size), text_field, id_field, shard_bytes]
    fingerprint = digest_json({"head": plain(head), "settings": settings})
    with build_once(out, fingerprint) as needed:
        if needed:
            journal = Journal(out, fingerprint, Plan, ShardEntry)
            plan = journal.plan or make_plan(journal, found, tokenizer, vocab_size)
            tally = fill_shards(journal, found, _drafts(out, plan, shard_bytes))
            _finish(journal, plan, head, tally)
    return Pool.open(out)


def _drafts(out: Path, plan: Plan, shard_bytes: int) -> Callable[[], Draft]:
    """Return what makes an empty shard."""
    tokenizer = load_tokenizer(out / plan.tokenizer.file)
    dtype = token_dtype(plan.tokenizer.vocab_size)
    return lambda: Draft(plan.columns, tokenizer, dtype, shard_bytes)


def _tokenizer_digest(tokenizer: Path | None, vocab_size: int) -> str:
    if tokenizer is not None:
        return digest_file(tokenizer) if tokenizer.is_file() else "absent"
    if vocab_size < MIN_VOCAB_SIZE:
        raise PoolError(
            f"a vocabulary of {vocab_size} cannot hold every byte; the least is --vocab-size {MIN_VOCAB_SIZE}"
        )
    return f"train {vocab_size}"


def _finish(journal: Journal[Plan, ShardEntry], plan: Plan, head: Head, tally: Tally) -> None:
    """Write everything that needs all shards, the manifest last."""
    shards = tuple(state.entry for state in journal.shards)
    if not shards:
        shutil.rmtree(journal.folder)
        raise PoolError(
            f"not one document in {len(head.sources)} sources ({tally.summary()}); name the field "
            "with the documents: --text-field NAME"
        )
    index = write_index(journal.folder, journal.work, shards)
    count_repeats(tally, index, journal, [source.name for source in head.sources])
    write_truth(journal.folder, [(journal.truth_part(s.name), s.rows) for s in shards])
    files = {
        plan.tokenizer.file: plan.tokenizer.digest,
        **write_report(journal.folder, tally, PROBLEMS, plan.left_out),
        **index.files,
    }
    manifest = _manifest(plan, head, shards, index, files, tally)
    write_atomic(journal.folder / MANIFEST_FILE, manifest.to_bytes())
    say(
        f"pool {manifest.name}: {manifest.n:,} documents, {manifest.num_tokens:,} tokens, "
        f"{manifest.num_bytes / 1e6:,.1f} MB of text; {tally.summary()}"
    )


def _manifest(
    plan: Plan,
    head: Head,
    shards: tuple[ShardEntry, ...],
    index: Index,
    files: dict[str, str],
    tally: Tally,
) -> Manifest:
    return Manifest(
        format=FORMAT,
        name=head.name,
        kind="text",
        n=index.n,
        num_tokens=index.num_tokens,
        num_bytes=index.num_bytes,
        root=pool_root(shards, plan.tokenizer.digest),
        fingerprint=plan.fingerprint,
        tokenizer=plan.tokenizer,
        columns=plan.columns,
        shards=shards,
        files=files,
        sources=head.sources,
        licence=head.licence,
        report=dict(tally.counts),
        card=head.card,
    )
