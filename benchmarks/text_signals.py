"""Every text signal: documents per second and core, and memory, beside the library that does the same.

Each signal is computed by one process of its own, with what it needs computed before and not counted; seconds
are processor time, training included. `memory_mb` is that process's peak; that of `reading` is what any has
that only reads the pool. `beside` times libraries directly on the same documents: what a user would call.

Floor: texts come out of the pool at some 300 MB/s and core (zstd, Parquet, UTF-8 into Python strings): `reading`.

    python benchmarks/text_signals.py [--pool NAME] [--documents 20000] [--only a,b]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import Pool, build_pool
from assay.signals.build import build_signals, want
from assay.signals.catalogue import find_signal, signals_of

ALONE = "--alone"
DIRECT_DOCUMENTS = 2_000
ROUNDS = 5


def main() -> None:
    """Measure each signal in a process of its own."""
    parser = argparse.ArgumentParser(description="Speed and memory of every text signal.")
    parser.add_argument("--pool", help="a text pool; without it foundry-text is built")
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--reference", default="default", help="what is taken for good")
    parser.add_argument("--only", help="signals, with commas between; what they need comes too")
    parser.add_argument(ALONE, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(measure(Pool.open(options.pool), options.alone, options.reference)))
        return
    pool = Pool.open(options.pool) if options.pool else foundry(options.documents)
    names = options.only.split(",") if options.only else [s.name for s in signals_of("text")]
    needed = [
        find_signal(column, "text").name
        for name in names
        for column in find_signal(name, "text").needs
    ]
    names = list(dict.fromkeys([*needed, *names]))
    with tempfile.TemporaryDirectory() as temporary:
        link_reference(Path(temporary))
        os.environ["ASSAY_HOME"] = temporary
        table = {"reading": alone(pool, "reading", options.reference)}
        for name in names:
            table[name] = alone(pool, name, options.reference)
            print(name, table[name], file=sys.stderr)
    megabytes = int(pool.n_bytes.sum(dtype=int)) / 1e6
    answer = {"pool": pool.name, "documents": pool.n, "megabytes": round(megabytes, 1)}
    print(json.dumps({**answer, "signals": table, "beside": beside(pool)}, indent=2))


def foundry(size: int) -> Pool:
    """Build the embedded pool, or open the one that an earlier run built."""
    tokenizer = package_folder("tracks") / "text" / "tokenizer.json"
    out = Path("build") / "text_signals" / f"foundry-text-{size}"
    return build_pool([FoundrySource(size)], out, tokenizer=tokenizer)


def link_reference(home: Path) -> None:
    """Let a fresh home know the pools of the usual one, so that building the reference is not counted."""
    from assay.pool.registry import pools_folder

    if pools_folder().is_dir():
        (home / "pools").symlink_to(pools_folder())


def alone(pool: Pool, name: str, reference: str) -> dict[str, Any]:
    """Run one signal in a fresh process and return what it printed."""
    words = [__file__, "--pool", str(pool.path), ALONE, name, "--reference", reference]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def measure(pool: Pool, name: str, reference: str) -> dict[str, Any]:
    """Compute one signal with one worker."""
    if name == "reading":
        began = time.process_time()
        characters = sum(len(text) for _, b in pool.scan() for text in b["text"].to_pylist())
        assert characters
        return answer(pool, time.process_time() - began)
    settings = (
        {"reference": reference} if "reference" in find_signal(name, "text").parameters else {}
    )
    stored = build_signals(pool, [want(name, pool, **settings)], workers=1)[0]
    return answer(pool, stored.cpu_seconds)


def answer(pool: Pool, seconds: float) -> dict[str, Any]:
    """Return speed and peak memory; the clock of processors ticks a hundred times a second."""
    seconds = max(seconds, 0.01)
    return {
        "seconds": round(seconds, 2),
        "documents_per_second": round(pool.n / seconds),
        "megabytes_per_second": round(int(pool.n_bytes.sum(dtype=int)) / 1e6 / seconds, 2),
        "memory_mb": round(peak_kilobytes() / 1024),
    }


def peak_kilobytes() -> int:
    """Return the most memory that this process had; `getrusage` would start from its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def beside(pool: Pool) -> dict[str, int]:
    """Return documents per second of libraries that do the same, on the first documents.

    In turns, so that a slow machine slows all of them; the median of the rounds.
    """
    import numpy as np

    texts = list(pool.texts(np.arange(min(DIRECT_DOCUMENTS, pool.n))))
    rivals: dict[str, Callable[[Sequence[str]], object]] = {
        **classifiers(texts),
        "py3langid (whole text)": py3langid_directly,
        "scikit-learn (HashingVectorizer)": hashing_vectorizer,
    }
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(ROUNDS):
        for name, run in rivals.items():
            began = time.process_time()
            run(texts)
            seconds[name].append(time.process_time() - began)
    return {name: round(len(texts) / float(np.median(taken))) for name, taken in seconds.items()}


def classifiers(texts: Sequence[str]) -> dict[str, Callable[[Sequence[str]], object]]:
    """Train on half against half, and return how fastText's own wrapper and ours are asked."""
    from assay.signals.text.batches import batched
    from assay.signals.text.fasttext import Classifier

    model = Classifier.train(texts[::2], texts[1::2])
    predict = model._model.predict

    def at_once(lines: Sequence[str]) -> object:
        return [predict([" ".join(t.split("\n")) for t in part]) for part in batched(lines)]

    return {
        "fasttext (predict, one by one)": lambda ls: [predict(" ".join(t.split("\n"))) for t in ls],
        "fasttext (predict, lists)": at_once,
        "fasttext (Classifier.score)": lambda lines: list(map(model.score, batched(lines))),
    }


def py3langid_directly(texts: Sequence[str]) -> object:
    """Name the language of whole texts."""
    import py3langid

    return [py3langid.classify(text) for text in texts]


def hashing_vectorizer(texts: Sequence[str]) -> object:
    """Hash words and pairs of words into as many buckets as DSIR."""
    from sklearn.feature_extraction.text import HashingVectorizer

    pattern = r"\w+|[^\w\s]+"
    vectorizer = HashingVectorizer(n_features=10_000, ngram_range=(1, 2), token_pattern=pattern)
    return vectorizer.transform(texts)


if __name__ == "__main__":
    main()
