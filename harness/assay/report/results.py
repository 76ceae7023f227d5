"""The page of results of a reproduction: every baseline of a scale, and what became of its paper's claim."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from assay.artifact import write_atomic
from assay.errors import CompareError
from assay.report.document import Report
from assay.report.figure import (
    SCHEMA,
    UNKNOWN,
    Figure,
    Spec,
    Table,
    between,
    lines,
    number,
    p_value,
    tooltip,
    values,
)
from assay.report.files import check_path, write_report
from assay.report.markdown import markdown
from assay.report.render import check_installed
from assay.reproduce.table import ReferenceTable, ReproducedBaseline, accuracies
from assay.reproduce.verdicts import LEVEL, Verdict
from assay.spec import plain
from assay.strategy.cards import NO_CLAIM

WIDTH = 460
SUFFIXES = (".html", ".md", ".json")
VERDICTS = ("reproduced", "refuted", "not distinguishable")
CLEAN = (
    " Clean: of what the list shows, the share without a planted defect, which no baseline can see."
)
NETWORK = (
    " Network: own accuracy of the network that the baseline chooses by, the share of images, of pairs that it did not "
    "learn from, whose caption it puts first among all of them."
)
SHAPES = ("triangle-up", "triangle-down", "circle")


def check_results_path(path: Path) -> None:
    """Refuse a place that results cannot be written to, before hours are spent on them.

    Raises:
        CompareError: If the suffix is none of `SUFFIXES`, or a page cannot be written or drawn.
    """
    if path.suffix not in SUFFIXES:
        raise CompareError(
            f"--out {path} has to end in {', '.join(SUFFIXES)}; try --out {path.with_suffix('.html')}"
        )
    if path.suffix == ".html":
        check_path(path)
        check_installed()


def write_results(table: ReferenceTable, path: Path) -> list[Path]:
    """Write results as their suffix says; a page with Markdown, JSON and every figure's files beside it.

    Returns:
        Every path, the one that was asked for first.
    """
    report = results_report(table)
    document = json.dumps(plain(table), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    texts = {".md": markdown(report), ".json": document}
    if path.suffix == ".html":
        written = write_report(report, path)
    else:
        written, texts = [], {path.suffix: texts[path.suffix]}
    for suffix, text in texts.items():
        write_atomic(path.with_suffix(suffix), text.encode())
    return [*written, *(path.with_suffix(suffix) for suffix in texts)]


def results_report(table: ReferenceTable) -> Report:
    """Put a reference table's figures together."""
    found = [_scores(table), _claims(table), _skipped(table)]
    return Report(
        title=f"{table.label}: {len(table.baselines)} baselines, reproduced",
        summary=_summary(table),
        figures=tuple(figure for figure in found if figure is not None),
    )


def claim_text(verdict: Verdict) -> str:
    """Return a claim as its card has it."""
    return f"{verdict.claim.side} {verdict.claim.comparator}" if verdict.claim else NO_CLAIM


def _summary(table: ReferenceTable) -> tuple[str, ...]:
    first = table.metrics[0]
    counts = Counter(row.verdict.word for row in table.baselines)
    tested = sum(counts[word] for word in VERDICTS)
    sd = table.pooled_sd[first.name]
    noise = (
        "one seed each, so the noise is unknown and no claim can be tested"
        if sd is None
        else f"seed sd {sd:.4f}, {table.degrees[first.name]} degrees of freedom"
    )
    direction = "lower" if first.lower_is_better else "higher"
    return (
        f"Ranked by {first.heading}, {direction} is better; {noise}. Seal {table.seal}, pool {table.pool}."
        f"{'' if table.sealed else ' UNSEALED: the track differs from its seal.'}",
        f"Of {tested} claims that could be tested, {counts['reproduced']} reproduced, {counts['refuted']} refuted, "
        f"{counts['not distinguishable']} not distinguishable at {LEVEL:.0%}; {counts['not tested']} not tested, "
        f"{counts['no claim']} without a claim. A verdict is about this scale, this pool and default parameters.",
    )


def _scores(table: ReferenceTable) -> Figure:
    rows = [_row(table, baseline) for baseline in table.baselines]
    headings = [f"{m.heading} {'↓' if m.lower_is_better else '↑'}" for m in table.metrics]
    columns = (
        "baseline", *headings, "seeds", "selected", "repeats", *(["clean"] if table.knows_truth else []),
        *(["network"] if table.knows_networks else []), "curation core-seconds", "claim", "verdict",
    )  # fmt: skip
    return Figure(
        key="baselines",
        title="Baselines",
        caption=(
            "Mean over seeds, with its 95 % interval: Student's t with the variance of seeds pooled over all baselines "
            "of this table; a baseline that is significantly noisier than the rest keeps its own. Selected: distinct "
            "examples, of the pool. Repeats: how often the budget shows them. Curation: processor time for choosing, "
            "training of the models and computing of the signals that it rests on included."
            f"{CLEAN if table.knows_truth else ''}{NETWORK if table.knows_networks else ''}"
        ),
        alt=f"Dot plot of {table.metrics[0].heading} with intervals for {len(rows)} baselines; see the table.",
        spec=_scores_spec(table, rows),
        table=Table(columns, tuple(_cells(table, baseline) for baseline in table.baselines)),
        data=tuple(rows),
    )


def _row(table: ReferenceTable, baseline: ReproducedBaseline) -> dict[str, Any]:
    row: dict[str, Any] = {"baseline": baseline.name}
    for metric in table.metrics:
        found = baseline.metrics[metric.name]
        half = found.half_width
        row |= {
            metric.name: found.mean,
            f"{metric.name}_sd": found.sd,
            f"{metric.name}_low": None if half is None else found.mean - half,
            f"{metric.name}_high": None if half is None else found.mean + half,
        }
    return row | {
        "seeds": baseline.metrics[table.metrics[0].name].seeds,
        "selected": baseline.unique,
        "pool": baseline.pool_n,
        "repeats": baseline.repeats,
        "clean": baseline.made.clean,
        "network_accuracy": accuracies(baseline),
        "curation_core_seconds": baseline.curation_seconds,
        "claim": claim_text(baseline.verdict),
        "verdict": baseline.verdict.word,
        "submission": baseline.submission,
    }


def _cells(table: ReferenceTable, baseline: ReproducedBaseline) -> tuple[str, ...]:
    found = [baseline.metrics[metric.name] for metric in table.metrics]
    widths = ("" if one.half_width is None else f" ± {one.half_width:.4f}" for one in found)
    return (
        baseline.name,
        *(f"{number(one.mean)}{width}" for one, width in zip(found, widths, strict=True)),
        str(found[0].seeds),
        f"{baseline.unique:,} ({baseline.unique / baseline.pool_n:.0%})",
        f"{baseline.repeats:.2f}",
        *([number(baseline.made.clean, ".0%")] if table.knows_truth else []),
        *([accuracies(baseline)] if table.knows_networks else []),
        number(baseline.curation_seconds, ",.1f"),
        claim_text(baseline.verdict),
        baseline.verdict.word,
    )


def _claims(table: ReferenceTable) -> Figure | None:
    """Draw a forest plot of the claims; None where nothing is claimed."""
    rows = [_claim_row(one) for one in table.baselines if one.verdict.claim]
    if not rows:
        return None
    first = table.metrics[0]
    columns = ("baseline", "claim", "difference", "95 % interval", "p (Holm)", "verdict", "why not")
    cells = (
        (
            row["baseline"],
            row["claim"],
            number(row["difference"], "+.4f"),
            between(row["low"], row["high"], "+.4f"),
            p_value(row["p_holm"]),
            row["verdict"],
            row["why"],
        )
        for row in rows
    )
    sign = "below" if first.lower_is_better else "above"
    drawn = [row | {"line": f"{row['baseline']} {row['claim']}"} for row in rows]
    return Figure(
        key="claims",
        title="Claims",
        caption=(
            f"{first.heading} of the baseline minus that of the one that it is said to rank above or below: {sign} zero "
            "it does better. The interval is that of this one difference, at 95 %, from the pooled variance (Welch's where "
            "one of the two is noisier than the rest). The verdict is not read off it: p is adjusted by Holm's method over "
            f"the claims of this table, which keeps the chance of any false verdict at {LEVEL:.0%}."
        ),
        alt=f"Forest plot of {len(rows)} claims; see the table.",
        spec=_claims_spec(table, [row for row in drawn if row["difference"] is not None]),
        table=Table(columns, tuple(cells)),
        data=tuple(rows),
    )


def _claim_row(baseline: ReproducedBaseline) -> dict[str, Any]:
    verdict = baseline.verdict
    gain = verdict.gain
    return {
        "baseline": baseline.name,
        "claim": claim_text(verdict),
        "difference": gain.delta if gain else None,
        "low": gain.low if gain else None,
        "high": gain.high if gain else None,
        "form": gain.form if gain else None,
        "p": gain.p_two_sided if gain else None,
        "p_holm": verdict.p_holm,
        "verdict": verdict.word,
        "why": verdict.why,
    }


def _skipped(table: ReferenceTable) -> Figure | None:
    if not table.skipped:
        return None
    rows = tuple(
        {"baseline": name, "reason": reason or UNKNOWN} for name, reason in table.skipped.items()
    )
    return Figure(
        key="skipped",
        title="Skipped",
        caption="Baselines that could not choose here, or whose list the track's rules refuse.",
        alt="Table of skipped baselines.",
        spec=None,
        table=Table(("baseline", "reason"), tuple((r["baseline"], r["reason"]) for r in rows)),
        data=rows,
    )


def _scores_spec(table: ReferenceTable, rows: list[dict[str, Any]]) -> Spec:
    name, heading = table.metrics[0].name, table.metrics[0].heading
    x: Spec = {"type": "quantitative", "title": heading, "scale": {"zero": False, "padding": 10}}
    hints = tooltip(
        ("baseline", ""), (name, ".4f"), (f"{name}_low", ".4f"), (f"{name}_high", ".4f"), ("seeds", "d")
    )  # fmt: skip
    return {
        "$schema": SCHEMA,
        "width": WIDTH,
        "height": {"step": 20},
        "data": values(rows),
        "encoding": {"y": lines("baseline", [row["baseline"] for row in rows])},
        "layer": [
            {
                "transform": [{"filter": f"datum.{name}_low != null"}],
                "mark": {"type": "rule", "style": "interval"},
                "encoding": {"x": x | {"field": f"{name}_low"}, "x2": {"field": f"{name}_high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {"x": x | {"field": name}, "tooltip": hints},
            },
        ],
    }


def _claims_spec(table: ReferenceTable, rows: list[dict[str, Any]]) -> Spec | None:
    if not rows:
        return None
    title = f"{table.metrics[0].heading}: difference"
    x: Spec = {"type": "quantitative", "title": title, "scale": {"zero": True, "padding": 8}}
    word: Spec = {"field": "verdict", "type": "nominal", "title": None}
    legend = {"orient": "bottom", "symbolSize": 90}
    color = word | {"scale": {"domain": list(VERDICTS), "range": "verdict"}, "legend": legend}
    shape = word | {"scale": {"domain": list(VERDICTS), "range": list(SHAPES)}, "legend": legend}
    hints = tooltip(
        ("line", ""), ("difference", "+.4f"), ("low", "+.4f"), ("high", "+.4f"), ("p_holm", ".3g")
    )
    return {
        "$schema": SCHEMA,
        "width": WIDTH,
        "height": {"step": 20},
        "data": values(rows),
        "encoding": {"y": lines("line", [row["line"] for row in rows])},
        "layer": [
            {"mark": {"type": "rule", "style": "reference"}, "encoding": {"x": {"datum": 0}, "y": None}},
            {
                "mark": {"type": "rule", "strokeWidth": 1.8},
                "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "color": color},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": {"x": x | {"field": "difference"}, "color": color, "shape": shape, "tooltip": hints},
            },
        ],
    }  # fmt: skip
