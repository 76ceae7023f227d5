"""Pools in DataComp's layout: a generated one, and subsets of one written out as DataComp does."""

import io
import json
import tarfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from assay.artifact import atomic_folder
from assay.pool.uid import UID_DTYPE, uids_from_bytes

CACHE = Path(__file__).parents[1] / "build" / "pairs_loader"
TAR_SAMPLES = 10_000
WORDS = (
    "a",
    "photo",
    "of",
    "the",
    "old",
    "blue",
    "house",
    "by",
    "sea",
    "with",
    "dog",
    "red",
    "sale",
)


def generate(images: int, pixels: tuple[int, int]) -> Path:
    """Write a pool in DataComp's layout once: shards/*.tar and metadata/*.parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = CACHE / f"{images}-{pixels[0]}-{pixels[1]}"
    if folder.is_dir():
        return folder
    with atomic_folder(folder) as partial:
        for name in ("shards", "metadata"):
            (partial / name).mkdir()
        for start in range(0, images, TAR_SAMPLES):
            name, table = f"{start // TAR_SAMPLES:08d}", []
            with tarfile.open(partial / "shards" / f"{name}.tar", "w") as tar:
                for number in range(start, min(start + TAR_SAMPLES, images)):
                    data, meta = generate_pair(number, pixels)
                    table.append({key: meta[key] for key in ("uid", "url", "text")})
                    for kind, member in (
                        ("jpg", data),
                        ("txt", meta["text"].encode()),
                        ("json", json.dumps(meta).encode()),
                    ):
                        add(tar, f"{number:09d}.{kind}", member)
            pq.write_table(pa.Table.from_pylist(table), partial / "metadata" / f"{name}.parquet")
    return folder


def generate_pair(number: int, pixels: tuple[int, int]) -> tuple[bytes, dict[str, Any]]:
    """Draw smooth colours: a JPEG of some two to three bits a pixel, as photographs have."""
    from PIL import Image

    rng = np.random.default_rng(number)
    width, height = (int(side) for side in rng.integers(pixels[0], pixels[1] + 1, size=2))
    coarse = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(
        stream, "JPEG", quality=90
    )
    caption = " ".join(WORDS[i] for i in rng.integers(0, len(WORDS), rng.integers(5, 15)))
    uid = rng.bytes(16).hex()
    meta = {"uid": uid, "url": f"https://example.org/{number}.jpg", "text": caption}
    return stream.getvalue(), meta | {"key": f"{number:09d}", "width": width, "height": height}


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def reshard(tars: list[Path], ids: Path, out: Path, tar_samples: int) -> list[Path]:
    """Write the listed samples into new tars, as DataComp's resharder does."""
    wanted = np.sort(np.load(ids, allow_pickle=False))
    written: list[Path] = []
    tar, kept = None, 0
    for path in tars:
        for members in samples(path):
            meta = json.loads(next(data for name, data in members if name.endswith(".json")))
            uid = uids_from_bytes(bytes.fromhex(meta["uid"])).astype(UID_DTYPE)[0]
            times = np.searchsorted(wanted, uid, "right") - np.searchsorted(wanted, uid, "left")
            for _ in range(times):
                if tar is None or kept % tar_samples == 0:
                    if tar is not None:
                        tar.close()
                    written.append(out / f"{len(written):08d}.tar")
                    tar = tarfile.open(written[-1], "w")  # noqa: SIM115 (closed with its last sample)
                for name, data in members:
                    add(tar, f"{kept:09d}{Path(name).suffix}", data)
                kept += 1
    assert tar is not None, "an id list has ids"
    tar.close()
    assert kept == len(wanted), (kept, len(wanted))
    return written


def samples(path: Path) -> Iterator[list[tuple[str, bytes]]]:
    """Yield the members of each sample of a webdataset tar."""

    def members() -> Iterator[tuple[str, bytes]]:
        with tarfile.open(path, "r|") as tar:
            for info in tar:
                stream = tar.extractfile(info)
                if stream is not None:
                    yield info.name, stream.read()

    for _, group in groupby(members(), lambda member: member[0].partition(".")[0]):
        yield list(group)
