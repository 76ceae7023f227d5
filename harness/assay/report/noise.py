"""The noise table: what seeds alone do to each score, beside how far submissions lie apart."""

from typing import Any

from assay.compare.entries import ScaleScores
from assay.compare.scale import ScaleComparison
from assay.report.figure import Figure, Table, between, number
from assay.report.subject import Subject
from assay.stats.noise import estimate_noise
from assay.stats.power import detectable_difference
from assay.stats.signal import LOWEST_RATIO, sd_interval, signal_of

SEEDS = 3
"""Of each of the two entries, in the column of what would be detected."""


def noise_figure(subject: Subject) -> Figure | None:
    """Tabulate the noise of the metric and of each task at each scale; None where it is unknown."""
    rows = [
        row
        for scores, scale in zip(subject.scores, subject.comparison.scales, strict=True)
        for row in _rows(scores, scale)
    ]
    if not rows:
        return None
    columns = (
        "scale", "score", "seed sd", "95 % interval", "degrees of freedom", "spread of submissions",
        "signal to noise", f"detectable with {SEEDS} seeds each",
    )  # fmt: skip
    cells = (
        (
            row["scale"],
            row["score"],
            number(row["sd"]),
            between(row["sd_low"], row["sd_high"]),
            str(row["degrees"]),
            number(row["spread"]),
            number(row["signal_to_noise"], ".1f"),
            number(row["detectable"]),
        )
        for row in rows
    )
    return Figure(
        key="noise",
        title="Noise",
        caption=(
            "Seed sd: standard deviation of one run, pooled over every submission of the scale but those that are "
            "noisier than the rest. Spread: largest difference between two submissions' means. Signal to noise: "
            "standard deviation of the submissions' true means over that of a run; a score where it is below "
            f"{LOWEST_RATIO:g} orders them by luck as much as by quality. Detectable: smallest true difference "
            f"that a test at 5 % finds with power 0.8 when both sides have {SEEDS} seeds."
        ),
        alt="Table of seed noise by scale and score.",
        spec=None,
        table=Table(columns, tuple(cells)),
        data=tuple(rows),
    )


def _rows(scores: ScaleScores, scale: ScaleComparison) -> list[dict[str, Any]]:
    metric = scale.metric.name
    families = {scale.metric.heading: scores.values(metric)}
    families |= {task: scores.task_values(metric, task) for task in scores.tasks(metric)}
    rows = []
    for name, values in families.items():
        noise = estimate_noise(values)
        if noise.sd is None:
            continue
        low, high = sd_interval(noise.sd, noise.degrees)
        signal = signal_of(noise)
        rows.append(
            {
                "scale": scores.scale,
                "score": name,
                "sd": noise.sd,
                "sd_low": low,
                "sd_high": high,
                "degrees": noise.degrees,
                "spread": signal.spread if signal else None,
                "signal_to_noise": signal.ratio if signal else None,
                "detectable": detectable_difference(noise.sd, noise.degrees, SEEDS, SEEDS),
            }
        )
    return rows
