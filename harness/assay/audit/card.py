"""A data card of a submission: what a reader should know before using it, as Markdown and as JSON.

Source:
    Pushkarna, Zaldivar, Kjartansson (2022), Data Cards, https://arxiv.org/abs/2204.01075.
"""

from typing import Any

from assay.audit.report import Audit

UNDECLARED = "not declared"

Card = dict[str, dict[str, Any]]
"""Section to its fields; a field is a text, a number, a list of texts or None where nobody said."""


def data_card(audit: Audit) -> Card:
    """Return the card's sections, in the order in which they are read."""
    return {
        "summary": _summary(audit),
        "motivation": _motivation(audit),
        "provenance": _provenance(audit),
        "composition": _composition(audit),
        "collection": dict(audit.pool.manifest.card),
        "curation": _curation(audit),
        "licences": _licences(audit),
        "known issues": {"issues": known_issues(audit)},
        "contact": {"authors": list(audit.manifest.authors), "code": audit.manifest.code or None},
    }


def _summary(audit: Audit) -> dict[str, Any]:
    counted = audit.epochs
    return {
        "name": audit.manifest.name or None,
        "submission": audit.submission.digest,
        "form": audit.submission.form,
        "unit": audit.submission.unit,
        "examples": len(audit.selected),
        f"different {counted.unit}": counted.unique,
        "share of the pool": f"{len(audit.selected) / audit.pool.n:.2%}",
    }


def _motivation(audit: Audit) -> dict[str, Any]:
    loaded = audit.loaded
    return {
        "method": audit.manifest.method or None,
        "intended use": f"training under {loaded.label} with {audit.epochs.budget:,} {audit.epochs.unit} seen "
        f"({audit.epochs.effective:.2f} epochs)",
        "evaluation": f"suite {loaded.suite.name}@{loaded.suite.version}",
        "evaluation data used": audit.manifest.used_evaluation_data,
    }


def _provenance(audit: Audit) -> dict[str, Any]:
    manifest = audit.pool.manifest
    sources = audit.breakdowns.get("source")
    listed = [] if sources is None else [_share(one) for one in sources.top]
    return {
        "pool": manifest.name,
        "pool root": manifest.root,
        "pool files": len(manifest.sources),
        "sources of the selection": listed,
        "problems while the pool was built": [
            f"{kind}: {count:,}" for kind, count in sorted(manifest.report.items())
        ],
    }


def _share(one: Any) -> str:
    return f"{one.value or '(none)'}: {one.share:.1%} (pool {one.pool_share:.1%})"


def _composition(audit: Audit) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for heading, found in audit.breakdowns.items():
        if heading not in ("source", "licence"):
            fields[f"{heading} ({found.values:,} values)"] = [_share(one) for one in found.top[:10]]
    for one in audit.lengths:
        if one.selected:
            fields[f"{one.unit}, 5 / 50 / 95 %"] = " / ".join(
                f"{one.selected[i]:,.0f}" for i in (1, 3, 5)
            )
    fields["scripts"] = [f"{name}: {share:.1%}" for name, share in audit.content.scripts.items()]
    return fields


def _curation(audit: Audit) -> dict[str, Any]:
    manifest = audit.manifest
    strategy = manifest.strategy or {}
    return {
        "strategy": strategy.get("name"),
        "parameters": [f"{k}={v}" for k, v in (strategy.get("parameters") or {}).items()],
        "cost in processor seconds": manifest.curation_seconds,
        "external data": list(manifest.external_data),
        "external models": list(manifest.external_models),
    }


def _licences(audit: Audit) -> dict[str, Any]:
    found = audit.breakdowns.get("licence")
    return {
        "of the pool": audit.pool.manifest.licence or None,
        "of the list": audit.manifest.licence or None,
        "of the sources": [] if found is None else [_share(one) for one in found.top],
    }


def known_issues(audit: Audit) -> list[str]:
    """Return what a reader should be warned of, in sentences."""
    content = audit.content
    tasks = {name: one for name, one in audit.contamination.items() if one.leaked}
    leaked = sum(one.leaked for one in tasks.values())
    asked = sum(one.num_items for one in audit.contamination.values())
    rows = len({match.row for match in content.matches if match.leaked})
    issues = {
        f"{rows:,} examples hold evaluation items: {leaked:,} of the {asked:,} that are asked, in "
        f"{len(tasks)} tasks ({', '.join(tasks)})": leaked,
        f"{content.exact.redundant:,} examples ({content.exact.redundant_fraction:.1%}) are exact copies "
        "of others": content.exact.redundant,
        f"{content.near.redundant:,} examples ({content.near.redundant_fraction:.1%}) are copies or "
        "near-copies of others": content.near.redundant,
        f"a run sees the selection {audit.epochs.effective:.1f} times": audit.epochs.effective > 4,
        f"{content.unreadable:,} images cannot be decoded": content.unreadable,
    }
    alerts = [
        f"nearly the same examples as {one.name} ({one.submission[7:19]}): Jaccard index {one.jaccard:.4f}"
        for one in audit.overlaps
        if one.alert
    ]
    return [text for text, found in issues.items() if found] + alerts


def card_markdown(card: Card) -> str:
    """Return the card for people."""
    lines = [f"# Data card: {card['summary']['name'] or card['summary']['submission'][7:19]}"]
    for section, fields in card.items():
        lines += ["", f"## {section.capitalize()}", ""]
        if not fields:
            lines.append(UNDECLARED)
        for name, value in fields.items():
            lines += _field(name, value)
    return "\n".join(lines) + "\n"


def _field(name: str, value: Any) -> list[str]:
    if isinstance(value, list) and value:
        return [f"- **{name}**", *(f"  - {_escaped(one)}" for one in value)]
    if value is None or value == []:
        shown = UNDECLARED if value is None else "none"
    elif isinstance(value, bool):
        shown = "yes" if value else "no"
    else:
        shown = _escaped(str(value)) if isinstance(value, str) else f"{value:,}"
    return [f"- **{name}**: {shown}"]


def _escaped(text: str) -> str:
    """Keep what a participant wrote from becoming markup or a heading."""
    flat = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|" else c for c in flat)
