"""All cheap text signals over a large pool: documents per second and core, memory, disk.

The pool is generated once under `--home`, which also says where the signals go. They are computed as `assay signals
build` computes them, in a process of its own, with as many workers as there are cores, and thrown away before.
Processor time says what a core does; wall time also how busy the machine was. Memory is the largest sum, sampled,
over all processes of what they do not share.

    python benchmarks/signals_at_scale.py --documents 100000
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from assay.foundry.source import FoundrySource
from assay.pool import Pool, build_pool, load_pool, pool_path

TARGET_DOCUMENTS, TARGET_CORES, TARGET_MINUTES = 1_000_000, 2, 30
SAMPLE_SECONDS = 0.2


def pool_of(documents: int) -> tuple[Pool, float]:
    """Open the pool, generated first if need be; with the seconds that this took."""
    name = f"foundry-text-bench-{documents}"
    started = time.perf_counter()
    if not (pool_path(name) / "pool.json").is_file():
        build_pool([FoundrySource(documents)], pool_path(name), name=name, vocab_size=2048)
    pool = load_pool(name)
    assert isinstance(pool, Pool)
    return pool, time.perf_counter() - started


def build(pool: Pool, workers: int) -> dict[str, Any]:
    """Compute the signals, and watch."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    words = ["signals", "build", pool.name, "--workers", str(workers), "--json"]
    command = [sys.executable, "-m", "assay", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        most = 0
        while process.poll() is None:
            most = max(most, unshared_bytes(process.pid))
            time.sleep(SAMPLE_SECONDS)
        assert process.stdout is not None
        document = json.load(process.stdout)
    assert process.returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "wall_seconds": round(time.perf_counter() - started, 1),
        "core_seconds": round(cpu, 1),
        "documents_per_core_second": round(pool.n / cpu),
        "peak_mb": round(most / 1e6),
        "largest_process_mb": round(after.ru_maxrss / 1e3),
        "signal_core_seconds": {one["name"]: one["cpu_seconds"] for one in document["signals"]},
        "left_out": sorted(document["left_out"]),
    }


def unshared_bytes(pid: int) -> int:
    """Return the memory of a process and its children that each has to itself."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            total += process.memory_full_info().uss
    except psutil.Error:  # one ended while it was looked at
        pass
    return total


def folder_mb(folder: Path) -> float:
    return round(sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description="All cheap text signals over a large pool.")
    parser.add_argument("--documents", type=int, default=TARGET_DOCUMENTS)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--home", type=Path, default=Path("build/signals_at_scale"))
    args = parser.parse_args()
    os.environ["ASSAY_HOME"] = str(args.home.resolve())
    pool, generating = pool_of(args.documents)
    signals = args.home / "signals" / pool.name
    shutil.rmtree(signals, ignore_errors=True)
    found = build(pool, args.workers)
    minutes = TARGET_DOCUMENTS / pool.n * found["core_seconds"] / TARGET_CORES / 60
    document = {
        "documents": pool.n,
        "text_mb": round(float(pool.n_bytes.sum(dtype="int64")) / 1e6, 1),
        "workers": args.workers,
        "generating_seconds": round(generating, 1),
        "pool_mb_on_disk": folder_mb(pool_path(pool.name)),
        "signals_mb_on_disk": folder_mb(signals),
        **found,
        f"minutes_for_{TARGET_DOCUMENTS}_on_{TARGET_CORES}_cores": round(minutes, 1),
        "target_minutes": TARGET_MINUTES,
    }
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
