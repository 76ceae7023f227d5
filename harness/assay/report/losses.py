"""Loss curves, from what runs on this machine wrote while they trained."""

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.compare.entries import ScaleScores
from assay.compare.scale import ScaleComparison
from assay.report.figure import SCHEMA, Figure, Spec, Table, number, panels, tooltip, values
from assay.report.subject import Subject, record_folder
from assay.train.tracker import METRICS_FILE, read_lines

BINS = 60
"""Points of a curve; steps are averaged in between."""

TICKS = [m * 10.0**e for e in (-2, -1, 0, 1) for m in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)]
"""Of a logarithmic axis that spans less than a decade, where powers of ten are too few."""

Losses = NDArray[np.float64]


def loss_figure(subject: Subject) -> Figure | None:
    """Draw the training loss against steps; None where no compared run left its curve here."""
    rows, cells = [], []
    for scores, scale in zip(subject.scores, subject.comparison.scales, strict=True):
        for name, runs, total in _curves(subject, scores, scale):
            rows += _binned(scores.scale, name, runs)
            last = [float(run[-max(1, len(run) // BINS) :].mean()) for run in runs]
            seeds = f"{len(runs)} of {total}"
            cells.append(
                (name, scores.scale, seeds, str(len(runs[0])), number(float(np.mean(last))))
            )
    if not rows:
        return None
    return Figure(
        key="losses",
        title="Loss curves",
        caption=(
            f"Training loss, averaged over each of {BINS} stretches of steps and over the runs that are on this "
            "machine; bands span these runs. Each submission is measured on its own data: a lower curve means data "
            "that is easier to predict, not data that is better."
        ),
        alt="Line plot of training loss against steps, a line a submission; the table has the last values.",
        spec=_spec(subject, rows),
        table=Table(("submission", "scale", "runs here", "steps", "last loss"), tuple(cells)),
        data=tuple(rows),
    )


def _curves(
    subject: Subject, scores: ScaleScores, scale: ScaleComparison
) -> list[tuple[str, list[Losses], int]]:
    """Return each submission's name, the curves of its runs that are here, and how many runs it has."""
    found = []
    for entry in scale.entries:
        records = list(scores.groups[entry.submission].values())
        runs = [read_losses(record_folder(record) / METRICS_FILE) for record in records]
        kept = [run for run in runs if len(run)]
        # A run under another budget has another number of steps, and no place in the mean.
        kept = [run for run in kept if len(run) == len(kept[0])]
        if kept:
            found.append((subject.name(entry), kept, len(records)))
    return found


def read_losses(path: Path) -> Losses:
    """Return the loss of each step; nothing where the file is absent or no such file."""
    try:
        losses = [float(json.loads(line)["loss"]) for line in read_lines(path)]
    except (ValueError, KeyError, TypeError, OSError):
        return np.empty(0)
    return np.array(losses) if all(map(math.isfinite, losses)) else np.empty(0)


def _binned(scale: str, name: str, runs: Sequence[Losses]) -> list[dict[str, Any]]:
    table = np.stack(runs)
    edges = np.unique(np.linspace(0, table.shape[1], BINS + 1).astype(int))
    rows = []
    for start, stop in pairwise(edges.tolist()):
        means = table[:, start:stop].mean(axis=1)
        rows.append(
            {
                "scale": scale,
                "submission": name,
                "step": stop,
                "loss": float(means.mean()),
                "low": float(means.min()),
                "high": float(means.max()),
                "runs": len(runs),
            }
        )
    return rows


def _spec(subject: Subject, rows: list[dict[str, Any]]) -> Spec:
    scales = list(dict.fromkeys(row["scale"] for row in rows))
    x: Spec = {"field": "step", "type": "quantitative", "title": "step", "axis": {"tickCount": 5}}
    x["scale"] = {"nice": False}
    y: Spec = {
        "type": "quantitative",
        "scale": {"type": "log", "nice": False},
        "title": "training loss",
        "axis": {"values": TICKS, "format": ".3~g", "labelOverlap": True},
    }
    color = subject.encoding("color", legend=True)
    dash = subject.encoding("strokeDash", legend=True)
    hints = tooltip(("submission", ""), ("step", "d"), ("loss", ".4f"), ("runs", "d"))
    return {
        "$schema": SCHEMA,
        "data": values(rows),
        **panels("scale", scales, columns=2),
        "spec": {
            "width": 620 if len(scales) == 1 else 360,
            "height": 320 if len(scales) == 1 else 260,
            "encoding": {"x": x},
            "layer": [
                {
                    "mark": {"type": "area", "opacity": 0.18},
                    "encoding": {
                        "y": y | {"field": "low"},
                        "y2": {"field": "high"},
                        "color": color,
                    },
                },
                {
                    "mark": {"type": "line", "strokeWidth": 1.8},
                    "encoding": {
                        "y": y | {"field": "loss"},
                        "color": color,
                        "strokeDash": dash,
                        "tooltip": hints,
                    },
                },
            ],
        },
        "resolve": {"scale": {"x": "independent", "y": "independent"}},
    }
