"""From an id list to batches of image-text pairs: in place, beside resharding and webdataset.

Floor of the first batch: ids, locations and the list itself once, 48 bytes a pair, some 5 MB at 100,000
pairs; then one batch is decoded. Floor of resharding: every byte of the pool read and every byte of the
subset written, whatever the subset is for. Floor of the steady state: decoding, scaling and tokenising a
sample, which both ways do with the same code; it is measured here too, on samples that lie in memory.
Everything comes from the page cache, unless `--cold` drops the pool from it before each first batch.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datacomp_layout import TAR_SAMPLES, generate, reshard

from assay.clip.batches import PairPlan
from assay.clip.data import PairBatch, PairReader, feed
from assay.clip.images import crop_transform
from assay.clip.tokenizer import Tokenize
from assay.pool import ImageTextPool, build_image_text_pool
from assay.selection import Selection, select_rows
from assay.submission import read_submission, validate
from assay.track.clip_spec import ClipRecipe
from assay.track.load import LoadedScale, load
from assay.track.spec import Budget

ENDLESS = 1_000_000
SHUFFLE = 1000
"""webdataset's buffer. open_clip's grows to 5000 while it yields, reading two samples for each at first; this
one is full before any timing begins, which is kinder to webdataset."""
WARM_PASSES = 4
"""Passes before a cache of thumbnails counts as warm: with two workers, each has its own."""


class Bench:
    """One scale's recipe, one pool, one id list."""

    def __init__(self, scale: LoadedScale, layout: Path, ids: Path, batch: int, folder: Path):
        assert isinstance(scale.recipe, ClipRecipe)
        self.recipe: ClipRecipe = scale.recipe
        self._rules, self._layout, self._ids = scale.rules, layout, ids
        kept = len(np.load(ids, mmap_mode="r"))
        # One pass: the scale's own is for a larger pool, and too many passes are refused.
        self._budget = Budget(kept, "samples", max(1, kept // batch))
        self._batch, self._folder = batch, folder
        self.cached = self.recipe.preprocess.augmentation == "shift"
        context = self.recipe.model.text.context_length
        self.tokenize = Tokenize(self.recipe.tokenizer, context, scale.folder)

    def select(self) -> tuple[ImageTextPool, Selection]:
        """Read and validate the list, and find its rows."""
        pool = ImageTextPool.open(self._folder / "pool")
        submission = read_submission(self._ids)
        report = validate(submission, pool, self._rules, self._budget)
        assert report.ok, report.findings
        return pool, select_rows(submission, pool)

    def ours(self, workers: int) -> Iterator[PairBatch]:
        """Feed a run from the pool, with nothing kept from an earlier one."""
        pool, selection = self.select()
        plan = PairPlan(selection, seed=1, steps=ENDLESS, batch_size=self._batch)
        reader = PairReader(
            pool, selection.stages[0].rows, self.recipe, self.tokenize, self._folder
        )
        return feed(reader, plan, [range(self._batch)], first_step=0, workers=workers)

    def reshard(self, out: Path, tar_samples: int) -> list[Path]:
        """Write the subset out, and return its tars."""
        out.mkdir()
        return reshard(sorted((self._layout / "shards").glob("*.tar")), self._ids, out, tar_samples)

    def webdataset(self, tars: list[Path], workers: int) -> Iterator[PairBatch]:
        """Stream tars for ever, as open_clip does, with our transform and tokenizer."""
        webdataset: Any = import_module("webdataset")  # an extra
        pipeline = webdataset.DataPipeline(
            webdataset.SimpleShardList([str(path) for path in tars]),
            webdataset.split_by_worker,
            webdataset.tarfile_to_samples(),
            webdataset.shuffle(SHUFFLE, initial=SHUFFLE),
            webdataset.decode("pilrgb"),
            webdataset.rename(image="jpg;jpeg;png;webp", text="txt"),
            webdataset.map_dict(image=self.transform(), text=lambda text: self.tokenize([text])[0]),
            webdataset.to_tuple("image", "text"),
            webdataset.batched(self._batch, partial=False),
        ).repeat()
        loader = webdataset.WebLoader(
            pipeline,
            batch_size=None,
            num_workers=workers,
            prefetch_factor=4 if workers else None,
        )
        return (PairBatch(images, tokens) for images, tokens in loader)

    def transform(self) -> Any:
        """Return the recipe's training transform, in torchvision's terms."""
        from torchvision import transforms as tv

        given, size = self.recipe.preprocess, self.recipe.model.image.image_size
        to_tensor = [tv.ToTensor(), tv.Normalize(list(given.mean), list(given.std))]
        if given.augmentation == "crop":
            return tv.Compose([crop_transform(given, size), *to_tensor])
        return tv.Compose(
            [
                tv.Resize(size, tv.InterpolationMode(given.interpolation)),
                tv.CenterCrop(size),
                tv.RandomCrop(size, padding=given.max_shift, padding_mode="edge"),
                *to_tensor,
            ]
        )

    def floor(self, seconds: float) -> float:
        """Return the samples a second of one core that has nothing to find, read, or wait for."""
        from assay.pool.imagetext.images import decode_image

        pool, selection = self.select()
        rows = selection.stages[0].rows[: 4 * self._batch]
        pairs = [(pool.image_bytes(int(row)), pool.caption(int(row))) for row in rows]
        transform, transparency = self.transform(), self.recipe.preprocess.transparency

        def batches() -> Iterator[PairBatch]:
            while True:
                for start in range(0, len(pairs) - self._batch + 1, self._batch):
                    images, captions = zip(*pairs[start : start + self._batch], strict=True)
                    decoded = [decode_image(data, transparency=transparency) for data in images]
                    pixels = torch.stack([transform(image) for image in decoded])
                    yield PairBatch(pixels, self.tokenize(captions))

        return rate(batches(), seconds)

    def drop_cache(self) -> None:
        """Have the system forget the pool's files, on both sides."""
        for root in (self._layout, self._folder / "pool"):
            for path in (path for path in root.rglob("*") if path.is_file()):
                with path.open("rb") as stream:
                    os.fsync(stream.fileno())
                    os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def rate(batches: Iterator[PairBatch], seconds: float, *, skip: int = 2) -> float:
    """Return samples a second over a while, after some batches."""
    for _ in range(skip):
        next(batches)
    seen, spent, began = 0, 0.0, time.perf_counter()
    while spent < seconds:
        seen += len(next(batches).tokens)
        spent = time.perf_counter() - began
    return seen / spent


def first_batches(bench: Bench, out: Path, args: argparse.Namespace, kept: int) -> dict[str, Any]:
    """Time both ways to the first batch."""
    found: dict[str, list[float]] = {"rows": [], "ours": [], "reshard": [], "webdataset": []}
    for number in range(args.rounds):
        for way in ("rows", "ours", "webdataset"):
            if args.cold:
                bench.drop_cache()
            began = time.perf_counter()
            if way == "rows":
                bench.select()
            elif way == "ours":
                next(bench.ours(0))
            else:
                # A tar for each worker at least: webdataset shares out whole tars.
                tars = bench.reshard(out / str(number), min(TAR_SAMPLES, -(-kept // 4)))
                found["reshard"].append(time.perf_counter() - began)
                next(bench.webdataset(tars, 0))
            found[way].append(time.perf_counter() - began)
    medians = {f"{way}_seconds": statistics.median(times) for way, times in found.items()}
    return medians | {"ratio": medians["webdataset_seconds"] / medians["ours_seconds"]}


def steady(bench: Bench, tars: list[Path], workers: int, args: Any, kept: int) -> dict[str, Any]:
    """Time both ways in turn, and compare them round by round."""
    found: dict[str, list[float]] = {"ours": [], "webdataset": []}
    if bench.cached:
        found["ours_first_pass"] = []
    for _ in range(args.rounds):
        found["webdataset"].append(rate(bench.webdataset(tars, workers), args.seconds))
        if bench.cached:
            found["ours_first_pass"].append(rate(bench.ours(workers), args.seconds / 4))
        warm = WARM_PASSES * kept // args.batch if bench.cached else 2
        found["ours"].append(rate(bench.ours(workers), args.seconds, skip=warm))
    result: dict[str, Any] = {f"{way}_per_second": statistics.median(found[way]) for way in found}
    for way in found.keys() - {"webdataset"}:
        pairs = zip(found[way], found["webdataset"], strict=True)
        result[way.replace("ours", "ratio")] = statistics.median(a / b for a, b in pairs)
    return result


def main() -> None:
    """Build the pool, then time first batches and steady states of each scale asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--pixels", type=int, nargs=2, default=(64, 256), metavar=("MIN", "MAX"))
    parser.add_argument(
        "--pool", type=Path, help="a folder with shards/*.tar and metadata/*.parquet"
    )
    parser.add_argument("--scales", nargs="+", default=["small", "nano"], help="of the CLIP track")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--fraction", type=float, default=0.3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each timing")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cold", action="store_true", help="drop the page cache (Linux)")
    args = parser.parse_args()
    torch.set_num_threads(1)  # as in a worker
    layout = args.pool or generate(args.images, tuple(args.pixels))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        began = time.perf_counter()
        pool = build_image_text_pool(
            [str(layout / "shards" / "*.tar")],
            folder / "pool",
            metadata=[str(layout / "metadata" / "*.parquet")],
        )
        built = time.perf_counter() - began
        ids, kept = folder / "ids.npy", int(args.fraction * pool.n)
        np.save(ids, pool.uids[np.random.default_rng(0).permutation(pool.n)[:kept]])
        result: dict[str, Any] = {
            "pool": {"n": pool.n, "image_bytes": pool.manifest.image_bytes, "kept": kept},
            "build_seconds": built,
            "load_before": os.getloadavg()[0],
        }
        for name in args.scales:
            result[name] = measure(load("clip", name), layout, ids, folder, args, kept)
        print(json.dumps(result | {"load_after": os.getloadavg()[0]}, indent=2))


def measure(
    scale: LoadedScale, layout: Path, ids: Path, folder: Path, args: Any, kept: int
) -> dict[str, Any]:
    bench = Bench(scale, layout, ids, args.batch, folder)
    with tempfile.TemporaryDirectory(dir=folder) as out:
        first = first_batches(bench, Path(out), args, kept)
        tars = sorted((Path(out) / "0").glob("*.tar"))
        found: dict[str, Any] = {
            f"workers_{n}": steady(bench, tars, n, args, kept) for n in args.workers
        }
        if not bench.cached:
            found["floor_per_second"] = bench.floor(args.seconds)
        return {"first_batch": first, **found}


if __name__ == "__main__":
    main()
