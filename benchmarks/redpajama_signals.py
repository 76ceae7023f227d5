"""RedPajama-V2's quality signals beside its own code, on real documents: how many documents get the same value.

Its classes run as they are, in a clone of it; of signals that it gives line by line, the mean over a document's lines is
compared. `differ` counts documents whose values are more than 1e-6 apart (of the value, if that is above 1).

It takes `pip install msgspec`, which RedPajama's code needs.

    git clone https://github.com/togethercomputer/RedPajama-Data
    python benchmarks/redpajama_signals.py RedPajama-Data pool/ --documents 2000
"""

import argparse
import importlib
import json
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import zstandard

from assay.signals.columns import Examples, PerExample
from assay.signals.text.redpajama_v2 import REDPAJAMA_V2

MODULES = ("natural_language", "lines", "repetitions", "content")
TOLERANCE = 1e-6
BATCH = 64


def read(folder: Path, count: int) -> list[str]:
    """Read the first documents of a folder."""
    texts: list[str] = []
    for path in sorted(folder.glob("*.jsonl.zst")):
        with zstandard.open(path, "rt", encoding="utf-8") as lines:
            texts += [json.loads(line)["text"] for line in islice(lines, count - len(texts))]
    return texts


def our_columns(signal: PerExample, texts: list[str]) -> dict[str, np.ndarray]:
    """Compute all columns of one of our signals, (n,) each."""
    parts = []
    for start in range(0, len(texts), BATCH):
        table = pa.record_batch({"text": texts[start : start + BATCH]})
        parts.append(signal.compute(Examples(None, np.arange(len(table)), table)))  # pyright: ignore
    return {name: np.concatenate([part[name] for part in parts]) for name in signal.columns}


def their_signals(clone: Path) -> tuple[Any, dict[str, Any]]:
    """Import its document class, and the signals that we have, by our names."""
    sys.path.insert(0, str(clone / "app" / "src"))
    document = importlib.import_module("core.document").Document
    modules = [importlib.import_module(f"core.quality_signals.{name}") for name in MODULES]
    classes = {name.lower(): getattr(module, name) for module in modules for name in vars(module)}
    return document, {name: classes[name]() for name in REDPAJAMA_V2.columns if name in classes}


def value_of(scores: list[tuple[int, int, float | None]]) -> float:
    """Return a document's value, the mean over its lines; NaN where there is none."""
    values = [np.nan if score is None else score for _, _, score in scores]
    return float(np.mean(values)) if values else np.nan


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("redpajama", type=Path, help="a clone of togethercomputer/RedPajama-Data")
    parser.add_argument("pool", type=Path, help="folder of *.jsonl.zst")
    parser.add_argument("--documents", type=int, default=2000)
    args = parser.parse_args()
    texts = read(args.pool, args.documents)
    columns = our_columns(REDPAJAMA_V2, texts)
    document, signals = their_signals(args.redpajama)
    theirs = {name: [] for name in signals}
    for text in texts:
        read_once = document(text, domain=None)
        for name, signal in signals.items():
            theirs[name].append(value_of(signal(read_once)))
    found = {}
    for name, values in theirs.items():
        ours = columns[name].astype(np.float64)
        apart = np.abs(ours - np.array(values)) / np.maximum(1, np.abs(values))
        differs = ~(apart <= TOLERANCE) & ~(np.isnan(ours) & np.isnan(values))
        found[name] = {
            "differ": int(differs.sum()),
            "farthest": round(float(np.nanmax(apart)), 6),
        }
    missing = sorted(set(REDPAJAMA_V2.columns) - set(found))
    print(
        json.dumps(
            {
                "documents": len(texts),
                "signals": found,
                "not_found": missing,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
