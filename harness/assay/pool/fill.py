"""Stream documents into shards, from wherever an interrupted attempt stopped."""

from collections.abc import Iterator, Sequence

from assay.console import progress
from assay.pool.draft import Draft
from assay.pool.journal import FinishedShard, Journal, Plan
from assay.pool.manifest import SHARDS_FOLDER
from assay.pool.records import Problem, Record
from assay.pool.report import Tally
from assay.pool.shard import write_shard
from assay.pool.sources import Source
from assay.pool.tokenizer import load_tokenizer, token_dtype
from assay.pool.truth import write_truth_part

SHARD_DOCUMENTS = 50_000
"""Documents of a shard at most: many small ones need more memory than their text."""

TICK_ITEMS = 256
"""Items between two updates of the progress bar."""


def fill_shards(journal: Journal, plan: Plan, sources: Sequence[Source], shard_bytes: int) -> Tally:
    """Write the shards that are not there yet.

    Args:
        journal: Knows which are there, and is told of each new one.
        plan: Columns and tokenizer.
        sources: All of them; those that whole shards have used up are not opened.
        shard_bytes: Text of a shard; the document that reaches it is the shard's last.

    Returns:
        All problems, earlier attempts' included.
    """
    tokenizer = load_tokenizer(journal.folder / plan.tokenizer.file)
    dtype = token_dtype(plan.tokenizer.vocab_size)
    tally = Tally()
    for problems in journal.problems:
        tally.merge(problems)
    draft = Draft(plan.columns, tokenizer, dtype)
    number, place = start = _resume_point(journal)
    for number, place, item in _stream(sources, *start):
        name = sources[number].name
        if isinstance(item, Problem):
            draft.tally.add(item.kind, name, place, item.detail)
        else:
            draft.add(item, name, number, place)
        if draft.num_bytes >= shard_bytes or len(draft.places) == SHARD_DOCUMENTS:
            _write(journal, plan, draft, number, place + 1)
            tally.merge(draft.tally.plain())
            draft = Draft(plan.columns, tokenizer, dtype)
    if draft.places:
        _write(journal, plan, draft, number, place + 1)
    # Problems after the last document belong to no shard; a later attempt would meet them again.
    tally.merge(draft.tally.plain())
    return tally


def _resume_point(journal: Journal) -> tuple[int, int]:
    if not journal.shards:
        return 0, 0
    return journal.shards[-1].next_source, journal.shards[-1].next_place


def _stream(
    sources: Sequence[Source], number: int, place: int
) -> Iterator[tuple[int, int, Record | Problem]]:
    """Yield (source number, place, item) from a point on, with a progress bar."""
    sizes = [source.size for source in sources]
    before = sum(sizes[:number])
    with progress("building", sum(sizes) or None, sources[0].unit, initial=before) as bar:
        for source in sources[number:]:
            for count, (at, item) in enumerate(source.records(place)):
                if count % TICK_ITEMS == 0:
                    bar.update(before + source.done - bar.n)
                yield number, at, item
            before += source.size
            bar.update(before - bar.n)
            number, place = number + 1, 0


def _write(journal: Journal, plan: Plan, draft: Draft, number: int, place: int) -> None:
    """Write one shard; what marks it as whole comes last."""
    name = f"{len(journal.shards):05d}"
    entry = write_shard(journal.folder / SHARDS_FOLDER / name, draft.content(), plan.columns)
    write_truth_part(journal.truth_part(name), draft.truth)
    journal.finish_shard(FinishedShard(entry, number, place), draft.tally.plain(), draft.places)
