"""The audit's reading of a selection: seconds for so many megabytes of text, all findings included.

One pass over every document finds overlaps with the evaluation's items, exact and near-duplicates and scripts;
groups of duplicates are counted from what it returns. The index of the suite is built before, once for a
machine, and stands apart, as does the pool. All of the pool is selected.

Floor: reading the pool's text, decompressed, and nothing else, on one core.

    python benchmarks/audit_throughput.py [--pool NAME] [--documents 150000] [--workers 2]
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from assay.audit.index_folder import sealed_manifest
from assay.audit.ngrams import suite_index
from assay.audit.report import read_content
from assay.audit.scan import Selected
from assay.foundry.source import FoundrySource
from assay.pool import Pool, build_pool
from assay.selection import select_rows
from assay.submission import submission_of
from assay.suite.embedded import prepare_suite
from assay.track.load import load

DEMAND = {"megabytes": 100, "seconds": 60, "cores": 2}


def measure(pool: Pool, workers: int) -> dict[str, object]:
    """Read all of a pool as an audit does."""
    loaded = load("text", "nano")
    began = time.perf_counter()
    sealed = sealed_manifest(loaded.folder, loaded.suite.name)
    suite_index(loaded.suite, prepare_suite(loaded.suite, loaded.suite_folder), sealed)  # pyright: ignore
    index_seconds = time.perf_counter() - began
    began = time.perf_counter()
    megabytes = sum(len(text.encode()) for text in pool.texts(np.arange(pool.n))) / 1e6
    floor = time.perf_counter() - began
    selected = Selected.of(select_rows(submission_of(pool.uids), pool), pool)
    began, busy = time.perf_counter(), os.times()
    content = read_content(loaded, pool, selected, workers)
    seconds, after = time.perf_counter() - began, os.times()
    usage = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "demand": DEMAND,
        "documents": pool.n,
        "megabytes": round(megabytes, 1),
        "workers": workers,
        "seconds": round(seconds, 1),
        "megabytes_per_second": round(megabytes / seconds, 2),
        "processor_seconds": round(sum(after[:4]) - sum(busy[:4]), 1),
        "floor_seconds": round(floor, 1),
        "index_seconds": round(index_seconds, 1),
        "megabytes_of_memory_a_process": round(max(one.ru_maxrss for one in usage) / 1e3),
        "matches": len(content.matches),
        "leaks": sum(match.leaked for match in content.matches),
        "exact_copies": content.exact.redundant,
        "near_copies": content.near.redundant,
        "load_average": os.getloadavg()[0],
    }


def main() -> None:
    """Take a pool, or generate one in a folder that does not stay, and print one document."""
    parser = argparse.ArgumentParser(description="An audit's reading of a selection.")
    parser.add_argument("--pool", help="a text pool; without it foundry-text is generated")
    parser.add_argument("--documents", type=int, default=150_000, help="to generate (0.7 KB each)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    options = parser.parse_args()
    if options.pool:
        print(json.dumps(measure(Pool.open(options.pool), options.workers), indent=2))
        return
    with tempfile.TemporaryDirectory(prefix="assay-audit-") as home:
        os.environ["ASSAY_HOME"] = home
        sources = [FoundrySource(options.documents)]
        pool = build_pool(sources, Path(home) / "pool", name="audit", vocab_size=2048)
        print(json.dumps(measure(pool, options.workers), indent=2))


if __name__ == "__main__":
    main()
