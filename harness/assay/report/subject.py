"""What a report of submissions is about: the comparison, and the records that it came from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.compare.entries import ScaleScores
from assay.compare.scale import Compared, ScaleComparison
from assay.compare.submissions import Comparison
from assay.home import run_folder
from assay.report.figure import Spec

DASHES = [[1, 0], [9, 3], [3, 2], [12, 3, 3, 3]]


@dataclass(frozen=True)
class Subject:
    """A comparison of submissions with what figures need besides.

    Attributes:
        comparison: As `assay compare` computes it.
        scores: The records behind it, a scale each.
        names: What each submission is called, different for each, in the order asked for.
    """

    comparison: Comparison
    scores: Sequence[ScaleScores]
    names: dict[str, str]

    @classmethod
    def of(cls, comparison: Comparison, scores: Sequence[ScaleScores]) -> "Subject":
        """Name the submissions: as they are called, with digits of the digest where two share a name."""
        called = {e.submission: e.name for scale in comparison.scales for e in scale.entries}
        for scale in comparison.scales:
            counts = Counter(entry.name for entry in scale.entries)
            for entry in scale.entries:
                if counts[entry.name] > 1:
                    digits = entry.submission.removeprefix("sha256:")[:8]
                    called[entry.submission] = f"{entry.name} ({digits})"
        return cls(comparison, scores, called)

    @property
    def shown(self) -> list[str]:
        """Return every name once: a submission's place here decides its colour and symbol."""
        return list(dict.fromkeys(self.names.values()))

    @property
    def scales(self) -> list[str]:
        """Return the names of the scales, smallest first."""
        return [scale.scale for scale in self.comparison.scales]

    @property
    def metric(self) -> str:
        """Return the metric's heading with its direction."""
        metric = self.comparison.scales[0].metric
        return f"{metric.heading} ({'lower' if metric.lower_is_better else 'higher'} is better)"

    def name(self, entry: Compared) -> str:
        """Return what an entry is called."""
        return self.names[entry.submission]

    def best_first(self, scale: ScaleComparison) -> list[Compared]:
        """Return a scale's entries by their means."""
        sign = 1 if scale.metric.lower_is_better else -1
        return sorted(scale.entries, key=lambda entry: sign * entry.mean)

    def encoding(self, channel: str, *, legend: bool = False) -> Spec:
        """Return how `color`, `shape` or `strokeDash` tells submissions apart."""
        scale: Spec = {"domain": self.shown}
        if channel == "strokeDash":
            scale["range"] = DASHES
        encoded: Spec = {"field": "submission", "type": "nominal", "scale": scale}
        if not legend:
            return encoded | {"legend": None}
        symbols: Spec = {"symbolType": "stroke", "symbolSize": 700, "symbolStrokeWidth": 2}
        below = symbols | {"symbolOpacity": 1, "orient": "bottom", "columns": 3}
        return encoded | {"title": None, "legend": below}


def record_folder(record: dict[str, Any]) -> Path:
    """Return where a record's run left its artifacts, if it ran on this machine."""
    return run_folder(record["digests"]["run"])
