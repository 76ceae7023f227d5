"""Stream documents into shards, from wherever an interrupted attempt stopped."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from assay.console import progress
from assay.pool.journal import FinishedShard, Journal
from assay.pool.manifest import SHARDS_FOLDER, StoredShard
from assay.pool.records import Problem
from assay.pool.report import Tally
from assay.pool.sources import Source
from assay.pool.truth import write_truth_part

TICK_ITEMS = 256
"""Items between two updates of the progress bar."""

EntryT = TypeVar("EntryT", bound=StoredShard)
EntryT_co = TypeVar("EntryT_co", bound=StoredShard, covariant=True)


class Draft(Protocol[EntryT_co]):
    """The shard that a build is filling.

    Attributes:
        places: (source number, place in it) of each example.
        truth: Hidden ground truth of each example, or None.
        tally: Problems met on the way.
    """

    places: list[tuple[int, int]]
    truth: list[Any]
    tally: Tally

    @property
    def full(self) -> bool:
        """Whether the last example was the shard's last."""
        ...

    def add(self, record: Any, source: str, number: int, place: int) -> None:
        """Take what a source yielded, or count why it cannot be an example."""
        ...

    def write(self, folder: Path) -> EntryT_co:
        """Write the shard's files."""
        ...


def fill_shards(
    journal: Journal[Any, EntryT], sources: Sequence[Source], new_draft: Callable[[], Draft[EntryT]]
) -> Tally:
    """Write the shards that are not there yet.

    Args:
        journal: Knows which are there, and is told of each new one.
        sources: All of them; those that whole shards have used up are not opened.
        new_draft: Makes an empty one.

    Returns:
        All problems, earlier attempts' included.
    """
    tally = Tally()
    for problems in journal.problems:
        tally.merge(problems)
    draft = new_draft()
    number, place = start = _resume_point(journal)
    for number, place, item in _stream(sources, *start):
        name = sources[number].name
        if isinstance(item, Problem):
            draft.tally.add(item.kind, name, place, item.detail)
        else:
            draft.add(item, name, number, place)
        if draft.full:
            _write(journal, draft, number, place + 1)
            tally.merge(draft.tally.plain())
            draft = new_draft()
    if draft.places:
        _write(journal, draft, number, place + 1)
    # Problems after the last document belong to no shard; a later attempt would meet them again.
    tally.merge(draft.tally.plain())
    return tally


def _resume_point(journal: Journal[Any, Any]) -> tuple[int, int]:
    if not journal.shards:
        return 0, 0
    return journal.shards[-1].next_source, journal.shards[-1].next_place


def _stream(sources: Sequence[Source], number: int, place: int) -> Iterator[tuple[int, int, Any]]:
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


def _write(journal: Journal[Any, EntryT], draft: Draft[EntryT], number: int, place: int) -> None:
    """Write one shard; what marks it as whole comes last."""
    name = f"{len(journal.shards):05d}"
    entry = draft.write(journal.folder / SHARDS_FOLDER / name)
    write_truth_part(journal.truth_part(name), draft.truth)
    journal.finish_shard(FinishedShard(entry, number, place), draft.tally.plain(), draft.places)
