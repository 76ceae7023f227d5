"""Comparisons as CSV: one flat table, every number in full."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from assay.compare.published import PublishedComparison
from assay.compare.submissions import Comparison
from assay.stats.noise import Difference

SUBMISSION_COLUMNS = (
    "table", "task", "name", "submission", "metric", "seeds", "mean", "sd", "half_width", "rank",
    "rank_low", "rank_high", "p_best", "p_top3", "task_rank_low", "task_rank_high", "strength",
    "difference", "low", "high", "p", "p_holm", "p_bh", "new_items_low", "new_items_high", "detectable",
)  # fmt: skip


def submissions_csv(comparison: Comparison) -> str:
    """Return one row a submission and scale, `task` empty, and one a submission, scale and task."""
    rows = []
    for scale in comparison.scales:
        for entry in scale.entries:
            about = {
                "table": scale.label,
                "name": entry.name,
                "submission": entry.submission,
                "metric": scale.metric.name,
            }
            interval, versus = entry.interval, entry.versus_first
            row = about | {
                "seeds": entry.seeds,
                "mean": entry.mean,
                "sd": entry.sd,
                "half_width": entry.half_width,
                "rank": entry.rank,
            }
            if interval is not None:
                row |= {"rank_low": interval.low, "rank_high": interval.high}
                row |= {"p_best": interval.p_best, "p_top3": interval.p_top3}
            if entry.task_range is not None and entry.strength is not None:
                low, high = entry.task_range
                row |= {"task_rank_low": low, "task_rank_high": high}
                row["strength"] = entry.strength
            if versus is not None:
                row |= _difference(versus.delta, versus.on_this_suite) | {"p_holm": versus.p_holm}
                row["detectable"] = versus.detectable
                if versus.on_new_items is not None:
                    row["new_items_low"] = versus.on_new_items.low
                    row["new_items_high"] = versus.on_new_items.high
            rows.append(row)
            for task in versus.tasks if versus else ():
                adjusted = {"p_holm": task.p_holm, "p_bh": task.p_bh}
                rows.append(
                    about
                    | {"task": task.task}
                    | _difference(task.delta, task.difference)
                    | adjusted
                )
    return csv_text(SUBMISSION_COLUMNS, rows)


def published_csv(comparison: PublishedComparison) -> str:
    """Return one row a recipe."""
    columns = ("recipe", "small_scale", "large_scale", "predictor", "metric", "small", "large")
    about = {name: getattr(comparison, name) for name in columns[1:5]}
    return csv_text(columns, (about | vars(recipe) for recipe in comparison.recipes))


def _difference(delta: float, difference: Difference | None) -> dict[str, float]:
    if difference is None:
        return {"difference": delta}
    return {
        "difference": difference.delta,
        "low": difference.low,
        "high": difference.high,
        "p": difference.p_two_sided,
    }


def csv_text(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as CSV; what is None or absent stays empty."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {name: "" if value is None else value for name, value in row.items()} for row in rows
    )
    return stream.getvalue()
