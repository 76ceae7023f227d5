"""From an id list to the first training batch, in place, beside writing the subset out and tokenising it.

Floor of the first: read the ids (16 bytes each) and the index (28 bytes a document) once, some 40 MB at
a million documents, about 0.02 s from the page cache; the rest is sorting and looking up. Floor of the
second: the subset's text once through a byte-pair encoder, some 5 to 10 MB/s a core.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import Pool, build_pool, pool_path

WINDOWS, CONTEXT = 8, 128


def in_place(pool_folder: Path, ids: Path) -> dict[str, float]:
    """Read, validate, select, pack: everything between the file and the first batch."""
    from assay.pool.uid import UID_DTYPE
    from assay.selection import select_rows
    from assay.submission import read_submission, validate
    from assay.text.batches import WindowPlan
    from assay.track.load import load

    assert UID_DTYPE.itemsize == 16
    loaded = load("text", "nano")
    began = time.perf_counter()
    pool = Pool.open(pool_folder)
    submission = read_submission(ids)
    report = validate(submission, pool, loaded.rules, loaded.recipe.budget)
    assert report.ok, report.findings
    plan = WindowPlan(
        pool,
        select_rows(submission, pool),
        seed=1,
        steps=loaded.recipe.steps,
        windows_per_step=WINDOWS,
        context_length=CONTEXT,
    )
    batch = plan.windows(0, 0, WINDOWS)
    seconds = time.perf_counter() - began
    assert batch.shape == (WINDOWS, CONTEXT + 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "peak_memory_bytes": peak, "documents": submission.n}


def rewrite(pool_folder: Path, ids: Path, folder: Path) -> dict[str, float]:
    """Write the chosen documents as jsonl.zst, then tokenise that copy into a token file."""
    import zstandard

    from assay.pool.uid import find

    pool = Pool.open(pool_folder)
    rows = np.sort(find(pool.uids, np.load(ids, allow_pickle=False)))
    copy = folder / "subset.jsonl.zst"
    began = time.perf_counter()
    with zstandard.open(copy, "wt", encoding="utf-8") as stream:
        for text in pool.texts(rows):
            stream.write(json.dumps({"text": text}) + "\n")
    written = time.perf_counter()
    tokenizer = pool.tokenizer()
    with (
        zstandard.open(copy, "rt", encoding="utf-8") as lines,
        (folder / "t.bin").open("wb") as out,
    ):
        block: list[str] = []
        for line in lines:
            block.append(json.loads(line)["text"])
            if len(block) == 1000:
                encode(tokenizer, block, out)
                block = []
        encode(tokenizer, block, out)
    done = time.perf_counter()
    return {
        "write_seconds": written - began,
        "tokenise_seconds": done - written,
        "seconds": done - began,
    }


def encode(tokenizer, block: list[str], out) -> None:
    for encoding in tokenizer.encode_batch_fast(block):
        out.write(np.array(encoding.ids, dtype=np.uint16).tobytes())


def main() -> None:
    """Build the pool if need be, then time both ways, the first in a process of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--fraction", type=float, default=0.3)
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(in_place(*args.child)))
        return
    name = f"foundry-text-{args.documents}"
    folder = pool_path(name)
    if not (folder / "pool.json").is_file():
        tokenizer = package_folder("tracks") / "text" / "tokenizer.json"
        build_pool([FoundrySource(args.documents)], folder, name=name, tokenizer=tokenizer)
    pool = Pool.open(folder)
    with tempfile.TemporaryDirectory() as temporary:
        ids = Path(temporary) / "s.npy"
        rng = np.random.default_rng(0)
        np.save(ids, pool.uids[rng.permutation(pool.n)[: int(args.fraction * pool.n)]])
        child = [sys.executable, __file__, "--child", str(folder), str(ids)]
        first = json.loads(subprocess.run(child, check=True, capture_output=True, text=True).stdout)
        second = rewrite(folder, ids, Path(temporary))
    ratio = second["seconds"] / first["seconds"]
    print(
        json.dumps({"pool": pool.n, "in_place": first, "rewrite": second, "ratio": ratio}, indent=2)
    )


if __name__ == "__main__":
    main()
