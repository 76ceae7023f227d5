"""Comparisons for a terminal."""

import io
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from assay.compare.across import ScalePair
from assay.compare.mixture import MixtureFit
from assay.compare.published import PublishedComparison
from assay.compare.scale import Compared, Lead, ScaleComparison
from assay.compare.submissions import Comparison
from assay.stats.calibration import Calibration, PairProbability, ranked_keys
from assay.stats.noise import Difference
from assay.stats.rules import RECORD_LEVEL
from assay.stats.transfer import Interval, RankTransfer

WIDTH = 160
UNKNOWN = "-"


def submissions_text(comparison: Comparison) -> str:
    """Return the tables of a comparison of submissions."""
    stream, console = _console()
    for scale in comparison.scales:
        console.print(_scale_table(scale))
        for note in _notes(scale):
            console.print(note)
        for entry in scale.entries:
            if entry.versus_first is not None and entry.versus_first.tasks:
                console.print(_task_table(scale, entry))
    for pair in comparison.pairs:
        console.print(_pair_text(pair))
        if pair.calibration is not None:
            small = next(scale for scale in comparison.scales if scale.scale == pair.small)
            names = {entry.submission: entry.name for entry in small.entries}
            title = f"P(beats) at {pair.large}, from {pair.small}"
            console.print(_probability_table(title, pair.calibration, pair.probabilities, names))
    return stream.getvalue()


def published_text(comparison: PublishedComparison) -> str:
    """Return the tables of a comparison of published recipes."""
    stream, console = _console()
    c = comparison
    table = Table(
        title=f"{c.predictor} at {c.small_scale} and {c.metric} at {c.large_scale}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("recipe", overflow="fold")
    table.add_column(_with_rate(c.small_scale, c.small_lr), justify="right")
    table.add_column(_with_rate(c.large_scale, c.large_lr), justify="right")
    for recipe in c.recipes:
        table.add_row(recipe.recipe, f"{recipe.small:.4f}", f"{recipe.large:.4f}")
    console.print(table)
    console.print(_transfer_text(c.transfer))
    if c.calibration is not None:
        title = f"P(beats) at {c.large_scale}, from {c.small_scale}"
        names = {recipe.recipe: recipe.recipe for recipe in c.recipes}
        console.print(_probability_table(title, c.calibration, c.probabilities, names))
    if c.why:
        console.print(f"  {c.why}")
    if c.core is not None:
        versions = ", ".join(
            f"{rows} rows {name}" for name, rows in sorted(c.core.versions.items())
        )
        console.print(
            f"Core column recomputed from task accuracies: {c.core.rows} rows, "
            f"largest error {c.core.max_error:.1e} ({versions})"
        )
    return stream.getvalue()


def mixture_text(fit: MixtureFit) -> str:
    """Return the parameters of a fitted law."""
    stream, console = _console()
    if fit.fit is not None:
        console.print(f"{fit.law}: {_parameters(fit.fit.parameters)}")
        console.print(f"{fit.fit.n} runs, rmse {fit.fit.rmse:.2g} in log loss")
    for curve in fit.curves:
        console.print(
            f"ratio {curve.ratio:g}: {_parameters(curve.law.parameters)}, rmse {curve.law.rmse:.2g}"
        )
        if curve.domain is not None:
            fitted = _parameters(curve.domain.parameters)
            console.print(f"  domain loss: {fitted}, rmse {curve.domain.rmse:.2g}")
    for point in fit.critical:
        ratio = "none of the table's" if point.ratio is None else f"{point.ratio:g}"
        console.print(f"critical mixture ratio at {point.tokens / 1e9:g}B tokens: {ratio}")
    if fit.critical_curve is not None:
        console.print(f"critical mixture ratio: {_parameters(fit.critical_curve.parameters)}")
    return stream.getvalue()


def _parameters(parameters: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in parameters.items())


def _with_rate(label: str, lr: float | None) -> str:
    return label if lr is None else f"{label}, lr {lr:g}"


def _console() -> tuple[io.StringIO, Console]:
    stream = io.StringIO()
    return stream, Console(file=stream, width=WIDTH)


def _scale_table(scale: ScaleComparison) -> Table:
    arrow = "↓" if scale.metric.lower_is_better else "↑"
    noise = (
        "one seed each: no noise estimate"
        if scale.pooled_sd is None
        else f"pooled sd {scale.pooled_sd:.4f}, {scale.degrees} degrees of freedom"
    )
    title = f"{scale.label}{'' if scale.sealed else '  UNSEALED'}   ({noise})"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("#", justify="right")
    table.add_column("name", overflow="fold", min_width=_widest(scale))
    headings = (
        f"{scale.metric.heading} {arrow}", "seeds", "rank", "P(best)", "tasks out", "BT",
        "difference to first", "p (Holm)", "on new items", "detectable",
    )  # fmt: skip
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for entry in scale.entries:
        table.add_row(*_cells(entry))
    return table


def _widest(scale: ScaleComparison) -> int:
    """Return the room that names need: without it they are cut until they look alike."""
    return min(40, max(len(entry.name) + entry.keeps_own_variance for entry in scale.entries))


def _cells(entry: Compared) -> list[str]:
    versus, interval = entry.versus_first, entry.interval
    width = "" if entry.half_width is None else f" ± {entry.half_width:.4f}"
    cells = [
        UNKNOWN if entry.rank is None else str(entry.rank),
        entry.name + ("*" if entry.keeps_own_variance else ""),
        f"{entry.mean:.4f}{width}",
        str(entry.seeds),
        UNKNOWN if interval is None else f"{interval.low}-{interval.high}",
        UNKNOWN if interval is None else f"{interval.p_best:.2f}",
        UNKNOWN if entry.task_range is None else "{}-{}".format(*entry.task_range),
        UNKNOWN if entry.strength is None else f"{entry.strength:+.1f}",
    ]
    if versus is None:
        return [*cells, "", "", "", ""]
    return [
        *cells,
        _measured(versus.delta, versus.on_this_suite),
        _p(versus.p_holm),
        _difference(versus.on_new_items),
        UNKNOWN if versus.detectable is None else f"{versus.detectable:.4f}",
    ]


def _measured(delta: float, difference: Difference | None) -> str:
    return f"{delta:+.4f}" if difference is None else _difference(difference)


def _difference(difference: Difference | None) -> str:
    if difference is None:
        return UNKNOWN
    return f"{difference.delta:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"


def _p(p: float | None) -> str:
    if p is None:
        return UNKNOWN
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _notes(scale: ScaleComparison) -> list[str]:
    notes = []
    if any(entry.keeps_own_variance for entry in scale.entries):
        notes.append("* noisier than the others: keeps its own variance (Welch)")
    if scale.stability is not None:
        notes.append(
            f"ranking with any one seed left out: Kendall tau-b at least {scale.stability:.2f}"
        )
    notes += _lead_notes(scale.lead, scale.metric.heading)
    if scale.missing:
        notes.append(f"no record here: {', '.join(scale.missing)}")
    return notes


def _lead_notes(lead: Lead, unit: str) -> list[str]:
    notes = []
    if lead.luck is not None:
        notes.append(f"the best of as many equals would lead their mean by {lead.luck:.4f} {unit}")
    if (verdict := lead.verdict) is not None:
        holds = "holds" if verdict.accepted else "does not hold"
        again = "; a record, if fresh seeds say so too" if verdict.accepted else ""
        notes.append(
            f"record rule {holds} for {lead.best} over {lead.second}, on the seeds that chose them: gain "
            f"{verdict.gain:.4f} (at least {verdict.needed:.4f}), one-sided p {_p(verdict.p)} (below {RECORD_LEVEL}){again}"
        )
    return notes


def _task_table(scale: ScaleComparison, entry: Compared) -> Table:
    assert entry.versus_first is not None
    first = scale.entries[0].name
    table = Table(
        title=f"{entry.name} minus {first}, by task", title_justify="left", box=box.SIMPLE
    )
    table.add_column("task")
    for heading in ("difference", "p (Holm)", "p (BH)"):
        table.add_column(heading, justify="right")
    for task in entry.versus_first.tasks:
        table.add_row(
            task.task, _measured(task.delta, task.difference), _p(task.p_holm), _p(task.p_bh)
        )
    return table


def _pair_text(pair: ScalePair) -> str:
    lines = [f"{pair.small} to {pair.large}, {pair.n} submissions"]
    if pair.transfer is not None:
        lines.append(_transfer_text(pair.transfer))
    if pair.ceiling is not None and pair.relative_accuracy is not None:
        lines.append(
            f"  noise at {pair.large} leaves a perfect predictor about {pair.ceiling:.2f}; "
            f"reached {pair.relative_accuracy:.2f} of it"
        )
    if pair.why:
        lines.append(f"  {pair.why}")
    return "\n".join(lines) + "\n"


def _probability_table(
    title: str,
    calibration: Calibration,
    pairs: Sequence[PairProbability],
    names: Mapping[str, str],
) -> Table:
    """Show each entry against the next and against the best; every pair is in the JSON and the report."""
    keys = ranked_keys(pairs)
    probability = {(pair.first, pair.second): pair.probability for pair in pairs}
    table = Table(
        title=f"{title}   (Brier score {calibration.brier:.3f}, n = {calibration.n})",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("best at the small scale first", overflow="fold")
    table.add_column("P(beats the next)", justify="right")
    table.add_column("P(beaten by the first)", justify="right")
    for place, key in enumerate(keys):
        following = probability.get((key, keys[place + 1])) if place + 1 < len(keys) else None
        beaten = probability.get((keys[0], key))
        table.add_row(names[key], *("" if p is None else f"{p:.2f}" for p in (following, beaten)))
    return table


def _transfer_text(transfer: RankTransfer) -> str:
    pearson = transfer.pearson
    return "\n".join(
        [
            f"  decision accuracy  {_interval(transfer.decision_accuracy)}",
            f"  Spearman           {_interval(transfer.spearman)}",
            f"  Kendall tau-b      {_interval(transfer.kendall)}",
            f"  Pearson            {pearson.value:.3f}   {pearson.low:.3f} to {pearson.high:.3f} "
            "with any one left out",
            f"  top-1 regret       {transfer.regret:.4f}",
        ]
    )


def _interval(interval: Interval) -> str:
    ends = f"{interval.low:.3f} to {interval.high:.3f}"
    return f"{interval.value:.3f}   95 % interval {ends}, n = {interval.n}"
