"""DataComp's seven baselines beside DataComp's own code, on one metadata table: which ids each of the two keeps.

The table has captions of the generator (and of a file), sizes and scores at which rules stumble, and random features.
DataComp's functions run as they are in a clone of it, but for what they would download: the fastText model is the
given file, its centroids and ImageNet features are random arrays, nearest centroids are found without a GPU, and
WordNet knows the generator's nouns. `only_theirs` and `only_ours` count ids.

It takes `pip install 'pandas<3'`, which DataComp's code needs.

    git clone https://github.com/mlfoundations/datacomp
    python benchmarks/datacomp_rules.py datacomp --language-model lid.176.bin [--captions FILE] [--pairs 20000]
"""

import argparse
import hashlib
import importlib
import io
import json
import os
import queue
import sys
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from datacomp_layout import add
from fsspec.implementations.local import LocalFileSystem
from PIL import Image

from assay.foundry.scenes import scenes
from assay.pool import ImageTextPool, build_image_text_pool
from assay.strategy import load_strategy, parse_settings, run_strategy
from assay.track.spec import Budget

WIDTH, CLUSTERS, TARGETS = 32, 200, 60
FRACTION = 0.3
ODD = (
    "a star.",
    "two words",
    "five5",
    "sixsix",
    "one",
    "tab\tand three",
    "line\nbreak here",
    "red\u00a0star",
    "",
)


def write_table(folder: Path, pairs: int, file: Path | None) -> list[str]:
    """Write a pool in DataComp's layout and return its captions: one tar, a Parquet file with features beside it."""
    rng = np.random.default_rng(0)
    captions = [*ODD, *(file.read_text("utf-8").split("\n") if file else ())][:pairs]
    captions += [pair.caption for pair in scenes(0, pairs - len(captions))]
    uids = [hashlib.sha256(b"%d" % number).hexdigest()[:32] for number in range(pairs)]
    (folder / "metadata").mkdir()
    table = {
        "uid": uids,
        "url": [f"https://example.org/{number}.png" for number in range(pairs)],
        "text": captions,
        "original_width": rng.choice([100, 199, 200, 201, 300, 599, 600, 601, 900], pairs),
        "original_height": rng.choice([100, 199, 200, 201, 300, 599, 600, 601, 900], pairs),
        "clip_b32_similarity_score": rng.normal(0.24, 0.08, pairs).round(3),
        "clip_l14_similarity_score": rng.normal(0.22, 0.08, pairs).round(3),
    }
    pq.write_table(pa.table(table), folder / "metadata" / "0.parquet")
    features = rng.normal(size=(pairs, WIDTH)).astype(np.float16)
    np.savez(folder / "metadata" / "0.npz", l14_img=features)
    np.save(folder / "centroids.npy", rng.normal(size=(CLUSTERS, WIDTH)).astype(np.float32))
    np.save(folder / "target.npy", rng.normal(size=(TARGETS, WIDTH)).astype(np.float32))
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "png")
    with tarfile.open(folder / "0.tar", "w") as tar:
        for number, (uid, caption) in enumerate(zip(uids, captions, strict=True)):
            add(tar, f"{number:09d}.png", stream.getvalue())
            add(tar, f"{number:09d}.txt", caption.encode())
            add(tar, f"{number:09d}.json", json.dumps({"uid": uid}).encode())
    return captions


def nearest(features: torch.Tensor, centroids: torch.Tensor, *_: Any) -> torch.Tensor:
    """Find centroids as DataComp does on a GPU."""
    return torch.einsum("ik,jk->ij", features.float(), centroids).argmax(1)


def theirs_of(clone: Path, model: Path, nouns: set[str]) -> Any:
    """Import DataComp's module, with what it would download or put on a GPU replaced."""
    sys.path.insert(0, str(clone))
    module: Any = importlib.import_module("baselines.apply_filter")
    module.download = lambda *_: str(model)
    module.get_centroid_ids_gpu = nearest
    synsets = lambda word: [SimpleNamespace(offset=lambda: 1)] if word.lower() in nouns else []  # noqa: E731
    module.wordnet = SimpleNamespace(synsets=synsets)
    return module


def their_rules(theirs: Any, folder: Path) -> dict[str, Callable[[], np.ndarray]]:
    """Return DataComp's baselines by our names, with our settings after a colon."""
    files = LocalFileSystem()
    table = (files, str(folder / "metadata" / "0.parquet"))
    centroids, target = (
        torch.from_numpy(np.load(folder / f"{name}.npy")) for name in ("centroids", "target")
    )
    score = partial(theirs.load_uids_with_clip_score_helper, table, gcld3_en_filter=False)

    def by_fraction(arch: str) -> np.ndarray:
        key = f"clip_{arch}_similarity_score"
        metadata = str(folder / "metadata")
        return score(key=key, threshold=theirs.get_threshold(metadata, key, FRACTION, 1))

    def by_image(**more: Any) -> np.ndarray:
        jobs, found = queue.Queue(), queue.Queue()
        jobs.put((files, str(folder / "metadata" / "0")))
        hit = torch.unique(nearest(target, centroids))
        theirs.image_filter_helper(centroids, hit, 1024, 0, jobs, found, **more)
        return found.get()

    return {
        "no_filter": lambda: theirs.load_uids_helper(table),
        "basic_filter": lambda: theirs.load_uids_with_basic_filter_helper(table),
        "clip_score:threshold=0.25": lambda: score(key="clip_l14_similarity_score", threshold=0.25),
        f"clip_score:fraction={FRACTION}": lambda: by_fraction("l14"),
        f"clip_score:fraction={FRACTION} column=clip_b32_similarity_score": lambda: by_fraction("b32"),
        "laion2b": lambda: theirs.load_uids_with_clip_score_helper(
            table, key="clip_b32_similarity_score", threshold=0.28, gcld3_en_filter=True
        ),
        "text_based": lambda: theirs.load_uids_with_text_entity_helper(table, entity_set={1}),
        "image_based": by_image,
        "image_based_and_clip_score:threshold=0.25": lambda: by_image(arch="l14", threshold=0.25),
    }  # fmt: skip


def ours(pool: ImageTextPool, rule: str, folder: Path, model: Path) -> np.ndarray:
    """Let one of our baselines choose."""
    name, _, words = rule.partition(":")
    features = [f"{key}={folder / key}.npy" for key in ("centroids", "target")]
    more = {
        "basic_filter": [f"language_model={model}"],
        "text_based": [f"language_model={model}", f"concepts={folder / 'nouns.txt'}"],
        "image_based": [f"language_model={model}", "embedding=l14_img", *features],
    }
    more["image_based_and_clip_score"] = more["image_based"]
    strategy = load_strategy(name, "clip")
    settings = parse_settings(strategy, [*words.split(), *more.get(name, [])])
    budget = Budget(1000, "samples", 10)
    found = run_strategy(strategy, pool, budget=budget, seed=0, settings=settings)
    return found.submission.stages[0].uids


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datacomp", type=Path, help="a clone of mlfoundations/datacomp")
    parser.add_argument("--language-model", type=Path, required=True, help="lid.176.bin, or .ftz")
    parser.add_argument("--captions", type=Path, help="further captions, one a line")
    parser.add_argument("--pairs", type=int, default=20_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["ASSAY_HOME"] = str(folder / "home")
        captions = write_table(folder, args.pairs, args.captions)
        nouns = {word.lower() for caption in captions[::7] for word in caption.split()[-1:]}
        (folder / "nouns.txt").write_text("\n".join(sorted(nouns)), "utf-8")
        pool = build_image_text_pool(
            [folder / "0.tar"], folder / "pool", metadata=[folder / "metadata"], name="table"
        )
        theirs = theirs_of(args.datacomp, args.language_model.resolve(), nouns)
        compared = {}
        for rule, choose in their_rules(theirs, folder).items():
            with redirect_stdout(sys.stderr):
                one, other = choose(), ours(pool, rule, folder, args.language_model.resolve())
            left, right = set(map(tuple, one.tolist())), set(map(tuple, other.tolist()))
            compared[rule] = {
                "theirs": len(left),
                "ours": len(right),
                "only_theirs": len(left - right),
                "only_ours": len(right - left),
            }
    print(json.dumps({"pairs": args.pairs, "rules": compared}, indent=2))


if __name__ == "__main__":
    main()
