"""What a build decides before it starts: the metadata columns and the tokenizer.

Both come from the heads of the sources and are written down, so that a build that goes on after a
kill decides nothing anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.artifact import write_atomic
from assay.canonical import digest_file
from assay.console import progress
from assay.pool.columns import infer_columns
from assay.pool.journal import Journal
from assay.pool.manifest import TOKENIZER_FILE, Column, ShardEntry, TokenizerEntry
from assay.pool.records import Record, Scalar, complete_columns, text_problem
from assay.pool.sources import Source
from assay.pool.tokenizer import find_eos, load_tokenizer, num_ids, train_tokenizer

HEAD_RECORDS = 1000
"""Records of each source that decide which columns there are."""

SAMPLE_CHARACTERS = 20_000_000
"""Text that a tokenizer is trained on, spread evenly over the sources."""


@dataclass(frozen=True)
class Plan:
    """A build's decisions.

    Attributes:
        fingerprint: Digest of sources and settings.
        columns: The pool's metadata columns.
        left_out: Fields that found no room among them.
        tokenizer: Already in the pool's folder.
    """

    fingerprint: str
    columns: tuple[Column, ...]
    left_out: tuple[str, ...]
    tokenizer: TokenizerEntry


def make_plan(
    journal: Journal[Plan, ShardEntry],
    sources: Sequence[Source],
    tokenizer: Path | None,
    vocab_size: int,
) -> Plan:
    """Decide, and write it down.

    Args:
        journal: Of the build.
        sources: Their heads are read.
        tokenizer: File to take, or None to train one.
        vocab_size: Of the one to train.

    Raises:
        PoolError: If a source cannot be opened or the tokenizer is not usable.
    """
    target = journal.folder / TOKENIZER_FILE
    if tokenizer:
        find_eos(load_tokenizer(tokenizer), tokenizer)  # before anything is read
    sample: list[str] = []
    budget = 0 if tokenizer else SAMPLE_CHARACTERS
    columns, left_out = infer_columns(_read_heads(sources, budget, sample))
    write_atomic(
        target, tokenizer.read_bytes() if tokenizer else train_tokenizer(sample, vocab_size)
    )
    loaded = load_tokenizer(target)
    entry = TokenizerEntry(
        file=TOKENIZER_FILE,
        digest=digest_file(target),
        vocab_size=num_ids(loaded),
        eos_id=find_eos(loaded, target),
    )
    plan = Plan(journal.fingerprint, columns, tuple(left_out), entry)
    journal.write_plan(plan)
    return plan


def _read_heads(
    sources: Sequence[Source], budget: int, sample: list[str]
) -> Iterator[dict[str, Scalar]]:
    """Yield the columns of each source's first records, and fill `sample` with text.

    A source that is shorter than its share leaves the rest to those after it.
    """
    with progress("sampling", len(sources), "sources") as bar:
        for number, source in enumerate(sources):
            share = budget // (len(sources) - number)
            seen = 0
            for _, item in source.records(0):
                if isinstance(item, Record):
                    seen += 1
                    if seen <= HEAD_RECORDS:
                        yield complete_columns(item.columns, source.name)
                    if share > 0 and text_problem(item.text) is None:
                        piece = item.text[:share]
                        sample.append(piece)
                        share -= len(piece)
                        budget -= len(piece)
                if seen >= HEAD_RECORDS and share <= 0:
                    break
            bar.update()
