"""The rules for text beside datatrove's filters, in documents per second and core, in one run.

Both are given the same words (NLTK's WordPunct tokens) and sentences, so that they decide the same; datatrove's
own choice is spaCy, which is not measured here. Every filter sees every document. Ours computes all
statistics of a document, datatrove stops at the first broken rule.

    python benchmarks/text_rules.py pool/ --documents 2000
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import zstandard
from datatrove.data import Document  # pyright: ignore[reportMissingImports]
from datatrove.pipeline import filters  # pyright: ignore[reportMissingImports]
from datatrove.pipeline.filters import (  # pyright: ignore[reportMissingImports]
    c4_filters,
    fineweb_quality_filter,
    gopher_quality_filter,
    gopher_repetition_filter,
)
from nltk.tokenize import wordpunct_tokenize

from assay.signals.columns import Examples, PerExample
from assay.signals.parts import BATCH_BYTES
from assay.signals.text.c4 import C4, SENTENCE
from assay.signals.text.characters import flags_of_characters
from assay.signals.text.fineweb import FINEWEB
from assay.signals.text.gopher import QUALITY, REPETITION
from assay.signals.text.layout import layout_of
from assay.signals.text.redpajama_v2 import REDPAJAMA_V2
from assay.signals.text.refinedweb import REFINEDWEB

COMPARED: list[tuple[PerExample, str, Callable[..., Any]]] = [
    (QUALITY, "gopher_quality_ok", filters.GopherQualityFilter),
    (REPETITION, "gopher_repetition_ok", filters.GopherRepetitionFilter),
    (C4, "c4_ok", filters.C4QualityFilter),
    (FINEWEB, "fineweb_ok", filters.FineWebQualityFilter),
]


def read(folder: Path, count: int) -> list[str]:
    texts: list[str] = []
    for path in sorted(folder.glob("*.jsonl.zst")):
        with zstandard.open(path, "rt", encoding="utf-8") as lines:
            texts += [json.loads(line)["text"] for line in lines]
        if len(texts) >= count:
            break
    return texts[:count]


def batches(texts: list[str]) -> list[list[str]]:
    ends = np.cumsum([len(text.encode()) for text in texts]) // BATCH_BYTES
    return [
        part.tolist()
        for part in np.split(np.array(texts, object), np.flatnonzero(np.diff(ends)) + 1)
    ]


def ours(
    texts: list[str], signals: list[PerExample]
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return verdicts, and core-seconds: of what all share, and of each signal."""
    seconds = dict.fromkeys(["layout", *(signal.name for signal in signals)], 0.0)
    verdicts: dict[str, list[np.ndarray]] = {}
    for batch in batches(texts):
        table = pa.RecordBatch.from_pydict({"text": batch})
        examples = Examples(None, np.arange(len(batch)), table)  # pyright: ignore
        started = time.process_time()
        examples.once(layout_of).token_hashes  # noqa: B018
        seconds["layout"] += time.process_time() - started
        for signal in signals:
            started = time.process_time()
            for name, values in signal.compute(examples).items():
                verdicts.setdefault(name, []).append(np.asarray(values))
            seconds[signal.name] += time.process_time() - started
    return {name: np.concatenate(parts) for name, parts in verdicts.items()}, seconds


def theirs(texts: list[str], make: Callable[[], Any]) -> tuple[np.ndarray, float]:
    keeps = make()
    documents = [Document(text=text, id=str(i)) for i, text in enumerate(texts)]
    started = time.process_time()
    kept = [keeps.filter(document) is True for document in documents]  # pyright: ignore
    return np.array(kept), time.process_time() - started


def rates(texts: list[str], fast: float, slow: float | None = None) -> dict[str, float]:
    """Return documents per second of ours, and beside it of theirs."""
    found: dict[str, float] = {"ours": round(len(texts) / fast)}
    if slow is None:
        return found
    return found | {"datatrove": round(len(texts) / slow), "ratio": round(slow / fast, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Rules for text beside datatrove's filters.")
    parser.add_argument("folder", type=Path, help="with .jsonl.zst files whose records have `text`")
    parser.add_argument("--documents", type=int, default=2000)
    args = parser.parse_args()
    for module in (fineweb_quality_filter, gopher_quality_filter, gopher_repetition_filter):
        setattr(module, "split_into_words", lambda text, _=None: wordpunct_tokenize(text))  # noqa: B010
    c4_filters.split_into_sentences = lambda text, _=None: SENTENCE.findall(text)
    texts = read(args.folder, args.documents)
    flags_of_characters()
    signals = [*(signal for signal, _, _ in COMPARED), REFINEDWEB, REDPAJAMA_V2]
    verdicts, seconds = ours(texts, signals)
    mean = sum(map(len, texts)) / len(texts)
    rows: dict[str, dict[str, float]] = {}
    totals = np.array([seconds["layout"], 0.0])
    for signal, name, make in COMPARED:
        kept, slow = theirs(texts, make)
        fast = seconds[signal.name]
        totals += fast, slow
        disagree = int((kept != verdicts[name]).sum())
        rows[signal.name] = rates(texts, fast, slow) | {"disagree": disagree}
    rows["all four, with layout"] = rates(texts, *totals)
    for signal in (REFINEDWEB, REDPAJAMA_V2):
        rows[signal.name] = rates(texts, seconds[signal.name])
    rows["everything"] = rates(texts, sum(seconds.values()))
    answer = {
        "documents": len(texts),
        "mean_characters": round(mean),
        "documents_per_second": rows,
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    }
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
