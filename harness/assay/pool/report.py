"""What went wrong while building a pool: every problem counted, the first of each kind listed."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

MAX_EXAMPLES = 100
MAX_DETAIL = 200


class Tally:
    """Problems by kind.

    Attributes:
        counts: Kind -> how often.
        examples: Kind -> the first `MAX_EXAMPLES`, each with `source`, `line` (counted from 1; of a
            table, its row; of a tar, the byte at which the sample ends) and `detail`.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[dict[str, Any]]] = {}

    def add(self, kind: str, source: str, place: int, detail: str) -> None:
        """Count one problem at a place (counted from 0) of a source."""
        self.counts[kind] += 1
        self.list(kind, source, place, detail)

    def list(self, kind: str, source: str, place: int, detail: str) -> None:
        """Keep an example of a problem that is counted already, while there is room."""
        kept = self.examples.setdefault(kind, [])
        if len(kept) < MAX_EXAMPLES:
            kept.append({"source": source, "line": place + 1, "detail": detail[:MAX_DETAIL]})

    def merge(self, other: Mapping[str, Any]) -> None:
        """Add what `plain` returned of a later part."""
        self.counts.update(other["counts"])
        for kind, examples in other["examples"].items():
            kept = self.examples.setdefault(kind, [])
            kept.extend(examples[: MAX_EXAMPLES - len(kept)])

    def plain(self) -> dict[str, Any]:
        """Return JSON-able data."""
        return {"counts": dict(self.counts), "examples": self.examples}

    def summary(self) -> str:
        """Return one line for people."""
        if not self.counts:
            return "no problems"
        return ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.counts.items()))
