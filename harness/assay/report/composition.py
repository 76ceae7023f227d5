"""Composition: what each submission is made of, beside its pool."""

from dataclasses import dataclass
from typing import Any

from assay.audit.composition import QUANTILES, TOP, Breakdown, Lengths, breakdowns, lengths
from assay.audit.overlap import SUBMISSION_FILE
from assay.audit.scan import Selected
from assay.compare.entries import ScaleScores
from assay.console import say
from assay.errors import UserError
from assay.pool import AnyPool, pool_path
from assay.report.figure import SCHEMA, Figure, Spec, Table, number, panels, tooltip, values
from assay.report.subject import Subject, record_folder
from assay.selection import select_rows
from assay.submission import Submission, read_submission
from assay.track.load import load
from assay.track.pools import open_pool

SHOWN = 8
"""Values of a column in a figure."""
NONE = "(none)"
OF_POOL = "the whole pool"


@dataclass(frozen=True)
class Makeup:
    """What one submission is made of.

    Attributes:
        name: Of the submission.
        breakdowns: By heading: source, host, language, licence, year.
        lengths: Of documents; of captions and images.
    """

    name: str
    breakdowns: dict[str, Breakdown]
    lengths: tuple[Lengths, ...]


def composition_figures(subject: Subject) -> list[Figure]:
    """Draw shares by source, host and so on, and lengths, at each scale whose pool is on this machine."""
    return [
        figure
        for scores in subject.scores
        for figure in makeup_figures(scores.scale, _makeups(subject, scores))
    ]


def makeup_figures(scale: str, found: list[Makeup]) -> list[Figure]:
    """Draw shares and lengths of submissions over one pool."""
    headings = dict.fromkeys(
        heading
        for one in found
        for heading, broken in one.breakdowns.items()
        if broken.values > 1 or broken.distance > 0
    )
    units = dict.fromkeys(length.unit for one in found for length in one.lengths)
    shares = [_shares_figure(scale, heading, found) for heading in headings]
    return shares + [_lengths_figure(scale, unit, found) for unit in units]


def makeup(name: str, submission: Submission, pool: AnyPool) -> Makeup:
    """Return what a submission is made of."""
    selected = Selected.of(select_rows(submission, pool), pool)
    return Makeup(name, breakdowns(pool, selected), lengths(pool, selected))


def _makeups(subject: Subject, scores: ScaleScores) -> list[Makeup]:
    try:
        pool = _pool_at_hand(scores)
        return [] if pool is None else _measured(subject, scores, pool)
    except UserError as error:
        say(f"no composition at {scores.label}: {error}")
        return []


def _pool_at_hand(scores: ScaleScores) -> AnyPool | None:
    """Open the scale's pool, if it is the one of the records; never build one for a figure."""
    loaded = load(scores.track, scores.scale)
    if not (pool_path(loaded.spec.pool.name) / "pool.json").is_file():
        return None
    pool = open_pool(loaded)
    record = next(iter(next(iter(scores.groups.values())).values()))
    return pool if pool.root == record["digests"]["pool"] else None


def _measured(subject: Subject, scores: ScaleScores, pool: AnyPool) -> list[Makeup]:
    found = []
    for digest in scores.chosen:
        about = next(iter(scores.groups[digest].values()))["submission"]
        folders = map(record_folder, scores.groups[digest].values())
        file = next((f / SUBMISSION_FILE for f in folders if (f / SUBMISSION_FILE).is_file()), None)
        if file is None:
            continue
        submission = read_submission(file, unit=about["unit"])
        found.append(makeup(subject.names[digest], submission, pool))
    return found


def _shares_figure(scale: str, heading: str, found: list[Makeup]) -> Figure:
    rows = _share_rows(heading, found)
    names = list(dict.fromkeys(row["submission"] for row in rows))
    column = next(one.breakdowns[heading].column for one in found if heading in one.breakdowns)
    distances = ", ".join(
        f"{one.name} {number(one.breakdowns[heading].distance, '.2f')}"
        for one in found
        if heading in one.breakdowns
    )
    cells = tuple(
        (
            row["submission"],
            row["value"],
            number(row["share"], ".1%"),
            number(row["pool_share"], ".1%"),
        )
        for row in rows
    )
    return Figure(
        key=f"composition-{scale}-{heading}",
        title=f"Composition by {heading} at {scale}",
        caption=(
            f"Share of the selected examples by the column “{column}”; the upright mark is the pool's share. The "
            f"{SHOWN} values that most examples have are shown. Share of the selection that would have to change to "
            f"look like the pool: {distances}."
        ),
        alt=f"Bars of shares by {heading} for {len(names)} submissions, beside the pool's; see the table.",
        spec=_shares_spec(rows, names),
        table=Table(("submission", heading, "share", "share of the pool"), cells),
        data=tuple(rows),
    )


def _share_rows(heading: str, found: list[Makeup]) -> list[dict[str, Any]]:
    known = [(one.name, one.breakdowns[heading]) for one in found if heading in one.breakdowns]
    pool = {share.value: share.pool_share for _, broken in known for share in broken.top}
    peak: dict[str | None, float] = dict(pool)
    for _, broken in known:
        for share in broken.top:
            peak[share.value] = max(peak[share.value], share.share)
    kept = sorted(peak, key=lambda value: (-peak[value], str(value)))[:SHOWN]
    if heading == "year":
        kept = sorted(kept, key=str)
    rows = []
    for name, broken in known:
        shares = {share.value: share.share for share in broken.top}
        # Beyond the top nothing was counted by value; within it, what is absent is not there.
        absent = 0.0 if broken.values <= TOP else None
        rows += [
            {
                "submission": name,
                "value": NONE if value is None else value,
                "share": shares.get(value, absent),
                "pool_share": pool[value],
            }
            for value in kept
        ]
    return rows


def _lengths_figure(scale: str, unit: str, found: list[Makeup]) -> Figure:
    known = [(one.name, x) for one in found for x in one.lengths if x.unit == unit and x.selected]
    columns = [f"q{round(q * 100)}" for q in QUANTILES]
    each = [(OF_POOL, known[0][1].pool)] + [(name, x.selected) for name, x in known]
    rows = [
        {"submission": name, "unit": unit} | dict(zip(columns, quantiles, strict=True))
        for name, quantiles in each
    ]
    cells = tuple(
        (name, *(f"{quantile:,.0f}" for quantile in quantiles)) for name, quantiles in each
    )
    slug = unit.replace(" ", "-")
    headings = (f"{q:.0%}" for q in QUANTILES)
    return Figure(
        key=f"composition-{scale}-{slug}",
        title=f"Length in {unit} at {scale}",
        caption="Median, the middle half of the examples (thick) and the middle 90 % (thin); logarithmic.",
        alt=f"Quantile plot of {unit} of {len(known)} submissions and the pool; see the table.",
        spec=_lengths_spec(rows, unit),
        table=Table(("submission", *headings), cells),
        data=tuple(rows),
    )


def _shares_spec(rows: list[dict[str, Any]], names: list[str]) -> Spec:
    order = list(dict.fromkeys(row["value"] for row in rows))
    axis = {"format": "%", "tickCount": 4}
    x: Spec = {"type": "quantitative", "title": "share of examples", "axis": axis}
    hints = tooltip(("submission", ""), ("value", ""), ("share", ".1%"), ("pool_share", ".1%"))
    return {
        "$schema": SCHEMA,
        "data": values(rows),
        **panels("submission", names, columns=3),
        "spec": {
            "width": 230,
            "height": {"step": 20},
            "encoding": {"y": {"field": "value", "type": "nominal", "sort": order, "title": None}},
            "layer": [
                {
                    "mark": {"type": "bar", "height": {"band": 0.7}},
                    "encoding": {"x": x | {"field": "share"}, "tooltip": hints},
                },
                {
                    "mark": {"type": "tick", "style": "benchmark", "size": 16},
                    "encoding": {"x": x | {"field": "pool_share"}, "tooltip": hints},
                },
            ],
        },
    }


def _lengths_spec(rows: list[dict[str, Any]], unit: str) -> Spec:
    shown = [row[end] for row in rows for end in ("q5", "q95")]
    axis = {"tickCount": 5, "format": ",.0f", "labelOverlap": True}
    x: Spec = {"type": "quantitative", "title": unit, "axis": axis}
    # Lengths may be 0, where a logarithm has no value.
    x["scale"] = {"type": "symlog", "domain": [min(shown), max(shown)], "padding": 10}
    order = [row["submission"] for row in rows]
    hints = tooltip(("submission", ""), ("q5", ",.0f"), ("q50", ",.0f"), ("q95", ",.0f"))

    def span(low: str, high: str, width: float) -> Spec:
        ends = {"x": x | {"field": low}, "x2": {"field": high}}
        return {
            "mark": {"type": "rule", "style": "interval", "strokeWidth": width},
            "encoding": ends,
        }

    return {
        "$schema": SCHEMA,
        "width": 520,
        "height": {"step": 26},
        "data": values(rows),
        "encoding": {"y": {"field": "submission", "type": "nominal", "sort": order, "title": None}},
        "layer": [
            span("q5", "q95", 1.5),
            span("q25", "q75", 6),
            {
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
                "encoding": {"x": x | {"field": "q50"}, "tooltip": hints},
            },
        ],
    }
