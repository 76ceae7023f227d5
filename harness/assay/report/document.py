"""What a report says, before it is laid out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assay.board import Metric
from assay.compare.across import ScalePair
from assay.compare.entries import ScaleScores
from assay.compare.published import PublishedComparison
from assay.compare.submissions import Comparison
from assay.report.composition import composition_figures
from assay.report.differences import difference_figures
from assay.report.figure import Figure
from assay.report.flow import flow_figure
from assay.report.losses import loss_figure
from assay.report.noise import noise_figure
from assay.report.probability import probability_figures
from assay.report.scatter import Point, Step, scatter_figure
from assay.report.scores import scaling_figure, scores_figure
from assay.report.subject import Subject
from assay.report.transfer import selective_figure, statistics_figure


@dataclass(frozen=True)
class Report:
    """A report.

    Attributes:
        title: Of the page.
        summary: Sentences below it: what was compared, and what is missing.
        figures: In the order of reading.
    """

    title: str
    summary: tuple[str, ...]
    figures: tuple[Figure, ...]


def submissions_report(comparison: Comparison, scores: Sequence[ScaleScores]) -> Report:
    """Put the figures of a comparison of submissions together, as far as this machine has their data.

    Args:
        comparison: What to show.
        scores: The records that it came from.
    """
    scales = [scale.scale for scale in comparison.scales]
    subject = Subject.of(comparison, scores)
    several = len(scales) > 1
    found: list[Figure | None] = [scores_figure(subject)]
    if several:
        found += [scaling_figure(subject), flow_figure(subject)]
    found += difference_figures(subject)
    found += _across(subject)
    found += [noise_figure(subject), loss_figure(subject), *composition_figures(subject)]
    return Report(
        title=f"{comparison.track}: {len(subject.shown)} submissions at {', '.join(scales)}",
        summary=_summary(subject),
        figures=tuple(figure for figure in found if figure is not None),
    )


def published_report(comparison: PublishedComparison) -> Report:
    """Put the figures of a comparison of published recipes together."""
    c = comparison
    step = Step(
        small=c.small_scale,
        large=c.large_scale,
        small_axis=f"{c.predictor} at {_with_rate(c.small_scale, c.small_lr)}",
        large_axis=f"{c.metric} at {_with_rate(c.large_scale, c.large_lr)}",
        points=tuple(Point(r.recipe, r.small, r.large) for r in c.recipes),
        transfer=c.transfer,
        curve=c.curve,
        calibration=c.calibration,
        probabilities=c.probabilities,
    )
    accuracy = c.transfer.decision_accuracy
    summary = [
        f"{len(c.recipes)} recipes with {c.predictor} at {c.small_scale} and {c.metric} at {c.large_scale}. "
        f"The small scale orders {accuracy.value:.0%} of pairs as the large one does (95 % interval "
        f"{accuracy.low:.0%} to {accuracy.high:.0%}).",
        f"Taking the recipe that is best at {c.small_scale} costs {c.transfer.regret:.4f} at {c.large_scale}, "
        "against the one that is best there.",
    ]
    if c.core is not None:
        summary.append(
            f"The table's Core column was recomputed from task accuracies: {c.core.rows} rows, largest error "
            f"{c.core.max_error:.1e}."
        )
    if c.why:
        summary.append(f"{c.small_scale} to {c.large_scale}: {c.why}.")
    return Report(
        title=f"Does {c.small_scale} order recipes as {c.large_scale} does?",
        summary=tuple(summary),
        figures=(
            scatter_figure(step),
            statistics_figure([step]),
            selective_figure([step]),
            *probability_figures([step]),
        ),
    )


def _with_rate(scale: str, rate: float | None) -> str:
    return scale if rate is None else f"{scale} (lr {rate:g})"


def _across(subject: Subject) -> list[Figure]:
    steps = [
        step for pair in subject.comparison.pairs if (step := _step(subject, pair)) is not None
    ]
    if not steps:
        return []
    drawn = [statistics_figure(steps), selective_figure(steps), *map(scatter_figure, steps)]
    return [*drawn, *probability_figures(steps)]


def _step(subject: Subject, pair: ScalePair) -> Step | None:
    if pair.transfer is None:
        return None
    by_scale = {scale.scale: scale for scale in subject.comparison.scales}
    small, large = by_scale[pair.small], by_scale[pair.large]
    at_small = {subject.name(entry): entry.mean for entry in small.entries}
    points = (
        Point(name, at_small[name], entry.mean)
        for entry in subject.best_first(large)
        if (name := subject.name(entry)) in at_small
    )
    heading = large.metric.heading
    return Step(
        small=pair.small,
        large=pair.large,
        small_axis=f"{heading} at {pair.small}",
        large_axis=f"{heading} at {pair.large}",
        points=tuple(points),
        transfer=pair.transfer,
        curve=pair.curve,
        ceiling=pair.ceiling,
        calibration=pair.calibration,
        probabilities=tuple(
            replace(p, first=subject.names[p.first], second=subject.names[p.second])
            for p in pair.probabilities
        ),
    )


def _summary(subject: Subject) -> tuple[str, ...]:
    scales = subject.comparison.scales
    lines = [f"Compared by {_direction(scales[0].metric)}; differences are to {subject.shown[0]}."]
    for scale in scales:
        noise = (
            "one seed each, so the noise is unknown and nothing can be told apart"
            if scale.pooled_sd is None
            else f"seed sd {scale.pooled_sd:.4f} with {scale.degrees} degrees of freedom"
        )
        sealed = "" if scale.sealed else " UNSEALED: the track's files differ from their seal."
        missing = f" No record of {_listed(scale.missing)}." if scale.missing else ""
        lines.append(f"{scale.label}: {len(scale.entries)} submissions, {noise}.{sealed}{missing}")
    lines += [
        f"{pair.small} to {pair.large}: {pair.why}."
        for pair in subject.comparison.pairs
        if pair.why
    ]
    return tuple(lines)


def _direction(metric: Metric) -> str:
    return f"{metric.heading}, {'lower' if metric.lower_is_better else 'higher'} is better"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
