"""Which quality scores agree with people: AUC of every text signal on documents that people labelled.

Floor: 0.5 is chance. Two annotators disagree on four documents in ten of the set that this was made for, so an
AUC near 1 is out of reach; `agreed` counts only the documents on which they do not.

The labelled documents are put into a pool among others (`--background`), as signals of duplication, classifiers
and weights need a crowd. `--reference` says what classifiers and language models take for good. An AUC above
0.5 says that people prefer high values, below it low ones.

    python benchmarks/quality_labels.py LABELS.jsonl.zst --background 'POOL/*.jsonl.zst' \
        --reference url~en.wikipedia.org
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from assay.pool import Pool, build_pool
from assay.signals.catalogue import signals_of
from assay.signals.reading import SignalReader

RESAMPLES = 1_000
IDENTITIES = {"content_key", "exact_cluster", "minhash_cluster", "cluster"}
"""Columns of numbers that are names, not amounts."""


def auc(good: NDArray[Any], bad: NDArray[Any]) -> float:
    """Return the chance that a good document scores above a bad one, ties counting half."""
    ranks = rankdata(np.concatenate([good, bad]))
    return float((ranks[: len(good)].sum() / len(good) - (len(good) + 1) / 2) / len(bad))


def interval(good: NDArray[Any], bad: NDArray[Any], rng: np.random.Generator) -> list[float]:
    """Return the 95 % bootstrap interval of the AUC, documents resampled within each label."""
    drawn = [auc(rng.choice(good, len(good)), rng.choice(bad, len(bad))) for _ in range(RESAMPLES)]
    return [float(edge) for edge in np.quantile(drawn, [0.025, 0.975])]


def rows_by_column(pool: Pool, reference: str) -> list[dict[str, Any]]:
    """Return a row for every amount among the signals' columns."""
    label = pool.column("label").to_numpy(zero_copy_only=False).astype(float)
    agreed = pool.column("annotators_agree").to_numpy(zero_copy_only=False) == True  # noqa: E712
    reader = SignalReader(pool)
    found = []
    for signal in signals_of("text"):
        settings = {"reference": reference} if "reference" in signal.parameters else {}
        for name in signal.columns:
            values = reader.column(name, **settings)
            if name in IDENTITIES or values.ndim > 1 or values.dtype.kind not in "bfiu":
                continue
            values = np.nan_to_num(values.astype(float))
            good, bad = values[label == 1], values[label == 0]
            found.append(
                {
                    "column": name,
                    "auc": round(auc(good, bad), 3),
                    "interval": [
                        round(edge, 3) for edge in interval(good, bad, np.random.default_rng(0))
                    ],
                    "agreed": round(
                        auc(values[agreed & (label == 1)], values[agreed & (label == 0)]), 3
                    ),
                }
            )
    return sorted(found, key=lambda row: -abs(row["auc"] - 0.5))


def main() -> None:
    """Build the pool and its signals under a folder that goes, or stays with --home."""
    parser = argparse.ArgumentParser(description="AUC of every text signal on labelled documents.")
    parser.add_argument("labels", help="JSONL with text, label (0 or 1) and annotators_agree")
    parser.add_argument("--background", nargs="+", required=True, help="documents around them")
    parser.add_argument("--reference", required=True, help="a pool, or COLUMN~WORD")
    parser.add_argument("--home", type=Path, help="keep pool and signals in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = options.home or Path(temporary)
        os.environ["ASSAY_HOME"] = str(home)
        pool = build_pool([options.labels, *options.background], home / "pools" / "labelled")
        rows = rows_by_column(pool, options.reference)
    labels = pool.column("label").to_numpy(zero_copy_only=False).astype(float)
    counts = {"good": int((labels == 1).sum()), "bad": int((labels == 0).sum()), "pool": pool.n}
    print(
        json.dumps({"reference": options.reference, "documents": counts, "columns": rows}, indent=2)
    )


if __name__ == "__main__":
    main()
