"""What later entries say about earlier ones: retractions, corrections, epochs of seed keys, objections."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from assay.ledger.entry import Entry


@dataclass(frozen=True)
class Retraction:
    """Why something does not count any more.

    Attributes:
        reason: For people.
        by: Who says so.
        time: Of the entry.
        index: Of the entry.
    """

    reason: str
    by: str
    time: str
    index: int


@dataclass(frozen=True)
class Epoch:
    """A key that seeds are derived from.

    Attributes:
        committed: Time of the entry that fixed it by its digest.
        key: The key in hex, or None until it is revealed.
        revealed: Time of that entry, or empty.
    """

    committed: str
    key: str | None = None
    revealed: str = ""


@dataclass(frozen=True)
class Standing:
    """What holds after a number of entries. Targets are digests of records or of submissions.

    Attributes:
        retracted: Target to retraction; the first one counts.
        corrected: Target to the fields of its manifest that changed; of several values the last.
        epochs: SHA-256 of a key to what is known of it.
        objections: Target to the indices of the objections to it.
    """

    retracted: dict[str, Retraction] = field(default_factory=dict)
    corrected: dict[str, dict[str, Any]] = field(default_factory=dict)
    epochs: dict[str, Epoch] = field(default_factory=dict)
    objections: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def retraction(self, record: dict[str, Any]) -> Retraction | None:
        """Return why a record, or its whole submission, was retracted."""
        for target in (record["digest"], record["submission"]["digest"]):
            if found := self.retracted.get(target):
                return found
        return None

    def corrected_record(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record with today's manifest; its digests stay those of what was appended.

        What was said about the record itself counts more than what was said about its submission.
        """
        submission = record["submission"]
        targets = (submission["digest"], record["digest"])
        changes = [self.corrected[target] for target in targets if target in self.corrected]
        manifest = submission["manifest"]
        for change in changes:
            manifest = manifest | change
        return record | {"submission": submission | {"manifest": manifest}} if changes else record


def standing(entries: Iterable[Entry], before: Standing | None = None) -> Standing:
    """Fold entries into what holds after them.

    Args:
        entries: In order; runs among them change nothing.
        before: What held before the first of them; it stays as it is.
    """
    before = before or Standing()
    retracted, corrected = dict(before.retracted), dict(before.corrected)
    epochs, objections = dict(before.epochs), dict(before.objections)
    for entry in entries:
        body = entry.body
        if entry.kind == "retraction":
            found = Retraction(body["reason"], body["by"], entry.time, entry.index)
            retracted.setdefault(body["target"], found)
        elif entry.kind == "correction":
            target = body["target"]
            corrected[target] = corrected.get(target, {}) | body["manifest"]
        elif entry.kind == "epoch":
            epochs[body["epoch"]] = _epoch(entry, epochs.get(body["epoch"]))
        elif entry.kind == "objection":
            target = body["target"]
            objections[target] = (*objections.get(target, ()), entry.index)
    return Standing(retracted, corrected, epochs, objections)


def _epoch(entry: Entry, known: Epoch | None) -> Epoch:
    committed = known.committed if known else entry.time
    if "key" in entry.body:
        return Epoch(committed, entry.body["key"], entry.time)
    return known or Epoch(committed)
