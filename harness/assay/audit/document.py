"""An audit as plain data: what `--json` prints and `--out` writes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.artifact import write_atomic
from assay.audit.card import card_markdown, data_card, known_issues
from assay.audit.contamination import Match
from assay.audit.images import ImageMatch
from assay.audit.report import Audit
from assay.canonical import canonical_json
from assay.pool.manifest import to_json
from assay.pool.uid import uids_to_hex
from assay.spec import plain

SHOWN = 20
"""Matches listed where not all are asked for, leaks first."""


def audit_document(audit: Audit, *, all_matches: bool) -> dict[str, Any]:
    """Return an audit as one JSON document.

    Args:
        audit: To be told.
        all_matches: List every match, or the first `SHOWN` alone.
    """
    content = audit.content
    ordered: list[Match | ImageMatch] = sorted(content.matches, key=lambda match: not match.leaked)
    shown = ordered if all_matches else ordered[:SHOWN]
    return {
        "submission": {
            "digest": audit.submission.digest,
            "name": audit.manifest.name,
            "form": audit.submission.form,
            "unit": audit.submission.unit,
            "examples": len(audit.selected),
        },
        "track": audit.loaded.track,
        "scale": audit.loaded.scale,
        "pool": {"name": audit.pool.name, "root": audit.pool.root, "n": audit.pool.n},
        "contamination": {
            "suite": f"{audit.loaded.suite.name}@{audit.loaded.suite.version}",
            "tasks": plain(audit.contamination),
            "num_matches": len(content.matches),
            "num_leaks": sum(match.leaked for match in content.matches),
            "matches": match_documents(audit, shown),
        },
        "runs": plain(audit.runs),
        "composition": plain(audit.breakdowns),
        "lengths": plain(audit.lengths),
        "scripts": content.scripts,
        "epochs": plain(audit.epochs),
        "duplicates": {"exact": plain(content.exact), "near": plain(content.near)},
        "embedding_duplicates": plain(content.embeddings),
        "unreadable_images": content.unreadable,
        "overlaps": plain(audit.overlaps),
        "issues": known_issues(audit),
    }


def match_documents(audit: Audit, matches: Sequence[Match | ImageMatch]) -> list[dict[str, Any]]:
    """Return matches with the uid of the document or pair instead of its row."""
    rows = np.array([match.row for match in matches], dtype=np.int64)
    uids = uids_to_hex(audit.pool.uids[rows])
    documents = []
    for uid, match in zip(uids, matches, strict=True):
        found = {"uid": uid, **plain(match), "leaked": match.leaked}
        del found["row"]
        documents.append(found)
    return documents


def write_audit(audit: Audit, document: dict[str, Any], folder: Path) -> list[Path]:
    """Write `audit.json`, every match, and the data card twice; return the paths."""
    card = data_card(audit)
    matches = match_documents(audit, audit.content.matches)
    files = {
        "audit.json": to_json(document),
        "matches.jsonl": b"".join(canonical_json(match) + b"\n" for match in matches),
        "card.json": to_json(card),
        "card.md": card_markdown(card).encode("utf-8"),
    }
    for name, data in files.items():
        write_atomic(folder / name, data)
    return [folder / name for name in files]
