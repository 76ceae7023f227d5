"""Which quality scores agree with people: AUC of every text signal on documents that people labelled.

Floor: 0.5 is chance. Two annotators disagree on four documents in ten of the set that this was made for, so an
AUC near 1 is out of reach; `agreed` counts only the documents on which they do not.

The labelled documents are put into a pool among others (`--background`), as signals of duplication, classifiers
and weights need a crowd. `--reference` says what classifiers and language models take for good. An AUC above
0.5 says that people prefer high values, below it low ones. A score that not every document has, such as
`predictive_strength` (of documents drawn from the pool), is compared on those that have it: `n` of the labelled
ones, `n_agreed` of those on which the annotators agree.

    python benchmarks/quality_labels.py LABELS.jsonl.zst --background 'POOL/*.jsonl.zst' \
        --reference url~en.wikipedia.org --csv benchmarks/quality_labels.csv
"""

import argparse
import csv
import io
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from assay.artifact import write_atomic
from assay.pool import Pool, build_pool
from assay.signals.catalogue import signals_of
from assay.signals.reading import SignalReader

RESAMPLES = 1_000
IDENTITIES = {"content_key", "exact_cluster", "minhash_cluster", "cluster"}
"""Columns of numbers that are names, not amounts."""

VECTORS = {"embedding", "loss_trajectory"}
"""Columns with several numbers a document that take long and that nothing else here needs."""

COLOR = ("proxy_loss", "conditional_loss")
"""Columns whose difference is the score of CoLoR-Filter."""


def auc(good: NDArray[Any], bad: NDArray[Any]) -> float:
    """Return the chance that a good document scores above a bad one, ties counting half."""
    ranks = rankdata(np.concatenate([good, bad]))
    return float((ranks[: len(good)].sum() / len(good) - (len(good) + 1) / 2) / len(bad))


def interval(good: NDArray[Any], bad: NDArray[Any], rng: np.random.Generator) -> list[float]:
    """Return the 95 % bootstrap interval of the AUC, documents resampled within each label."""
    drawn = [auc(rng.choice(good, len(good)), rng.choice(bad, len(bad))) for _ in range(RESAMPLES)]
    return [float(edge) for edge in np.quantile(drawn, [0.025, 0.975])]


def scores(pool: Pool, reference: str) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the name and the values, (n,), of every amount among the signals' columns, and of CoLoR's score."""
    reader = SignalReader(pool)
    losses: dict[str, NDArray[np.float64]] = {}
    for signal in signals_of("text"):
        settings = {"reference": reference} if "reference" in signal.parameters else {}
        for name in signal.columns:
            if name in IDENTITIES or name in VECTORS:
                continue
            values = reader.column(name, **settings)
            if values.ndim > 1 or values.dtype.kind not in "bfiu":
                continue
            if name in COLOR:
                losses[name] = values.astype(float)
            yield name, values.astype(float)
    prior, conditional = (losses[name] for name in COLOR)
    yield " - ".join(COLOR), prior - conditional


def row_of(
    name: str, values: NDArray[np.float64], label: NDArray[Any], agreed: NDArray[np.bool_]
) -> dict[str, Any]:
    """Compare a score with labels, over the labelled documents that have the score."""
    known = ~np.isnan(values)
    good, bad = (values[known & (label == side)] for side in (1, 0))
    both = [values[known & agreed & (label == side)] for side in (1, 0)]
    row: dict[str, Any] = {
        "column": name,
        "n": len(good) + len(bad),
        "n_agreed": sum(map(len, both)),
    }
    if not (len(good) and len(bad)):
        return row | {"auc": None, "low": None, "high": None, "agreed": None}
    low, high = interval(good, bad, np.random.default_rng(0))
    found: dict[str, float | None] = {"auc": auc(good, bad), "low": low, "high": high}
    found["agreed"] = auc(*both) if all(map(len, both)) else None
    return row | {key: None if v is None else round(v, 3) for key, v in found.items()}


def write_table(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write a row for every score."""
    stream = io.StringIO()
    table = csv.DictWriter(stream, rows[0], lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_atomic(path, stream.getvalue().encode())


def main() -> None:
    """Build the pool and its signals under a folder that goes, or stays with --home."""
    parser = argparse.ArgumentParser(description="AUC of every text signal on labelled documents.")
    parser.add_argument("labels", help="JSONL with text, label (0 or 1) and annotators_agree")
    parser.add_argument("--background", nargs="+", required=True, help="documents around them")
    parser.add_argument("--reference", required=True, help="a pool, or COLUMN~WORD")
    parser.add_argument("--csv", type=Path, help="write the rows here too")
    parser.add_argument("--home", type=Path, help="keep pool and signals in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = options.home or Path(temporary)
        os.environ["ASSAY_HOME"] = str(home)
        pool = build_pool([options.labels, *options.background], home / "pools" / "labelled")
        labels = pool.column("label").to_numpy(zero_copy_only=False).astype(float)
        agreed = pool.column("annotators_agree").to_numpy(zero_copy_only=False) == True  # noqa: E712
        rows = [row_of(*score, labels, agreed) for score in scores(pool, options.reference)]
    rows.sort(key=lambda row: -abs((row["auc"] or 0.5) - 0.5))
    if options.csv:
        write_table(rows, options.csv)
    counts = {"good": int((labels == 1).sum()), "bad": int((labels == 0).sum()), "pool": pool.n}
    print(
        json.dumps({"reference": options.reference, "documents": counts, "columns": rows}, indent=2)
    )


if __name__ == "__main__":
    main()
