"""Small pictures, and files of image-text pairs in the layouts that people have."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from assay.pool import ImageTextPool
from assay.pool.imagetext.records import Pair
from assay.pool.records import Problem
from assay.pool.uid import uids_to_hex


def picture(number: int, kind: str = "png", size: tuple[int, int] = (8, 6)) -> bytes:
    """Draw a picture of which there is only one."""
    pixels = np.random.default_rng(number).integers(0, 256, (*reversed(size), 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def uid_of(number: int) -> str:
    return f"{(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % (1 << 128):032x}"


def make_sample(number: int) -> dict[str, Any]:
    """Return members of a sample as img2dataset writes them: kind -> bytes."""
    meta = {
        "uid": uid_of(number),
        "url": f"https://host{number % 3}.example.org/{number}.png",
        "caption": f"a picture of {number}",
        "original_width": 100 + number,
        "face_bboxes": [[0.1, 0.2, 0.3, 0.4]] * (number % 2),
        "width": 999,
    }
    return {
        "png": picture(number),
        "txt": meta["caption"].encode(),
        "json": json.dumps(meta).encode(),
    }


def write_tar(path: Path, samples: Sequence[dict[str, bytes]], first: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for number, sample in enumerate(samples, first):
            for kind, data in sample.items():
                info = tarfile.TarInfo(f"{number:09d}.{kind}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return path


def write_metadata(path: Path, numbers: Sequence[int], **more: Sequence[Any]) -> Path:
    """Write DataComp's columns, and features beside them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {
        "uid": [uid_of(n) for n in numbers],
        "url": [f"https://other.example/{n}" for n in numbers],
        "text": [f"a picture of {n}" for n in numbers],
        "clip_l14_similarity_score": pa.array([n / 100 for n in numbers], pa.float32()),
        "face_bboxes": [[[0.5, 0.5, 1.0, 1.0]] for _ in numbers],
    }
    pq.write_table(pa.table({**columns, **more}), path)
    features = np.array([[n, -n, n % 7] for n in numbers], dtype=np.float16).reshape(-1, 3)
    np.savez(path.with_suffix(".npz"), l14_img=features, l14_txt=features[:, :2].copy())
    return path


class Generator:
    """A source of pairs whose images are bytes."""

    name = "generator"
    unit = "pairs"
    done = 0

    def __init__(self, numbers: Sequence[int], fail_at: int | None = None):
        self.size = len(numbers)
        self.fingerprint = f"{list(numbers)}"
        self.given: list[int] = []
        self._numbers = numbers
        self._fail_at = fail_at

    def records(self, start: int) -> Iterator[tuple[int, Pair | Problem]]:
        self.given.append(start)
        for place in range(start, self.size):
            if place == self._fail_at and len(self.given) > 1:
                raise KeyboardInterrupt
            number = self._numbers[place]
            yield (
                place,
                Pair(
                    f"picture {number}",
                    picture(number, ("png", "jpeg", "webp")[number % 3]),
                    bytes.fromhex(uid_of(number)),
                    {"rank": number},
                    {"secret": number},
                ),
            )


def contents(pool: ImageTextPool) -> dict[str, tuple[str, str]]:
    """Return uid -> caption and digest of the image, read through the row index."""
    digests = [hashlib.sha256(pool.image_bytes(row)).hexdigest() for row in range(pool.n)]
    pairs = zip(pool.captions(), digests, strict=True)
    return dict(zip(uids_to_hex(pool.uids), pairs, strict=True))


def expected(numbers: Iterable[int]) -> dict[str, tuple[str, str]]:
    """Return the same of `make_sample`."""
    return {
        uid_of(n): (f"a picture of {n}", hashlib.sha256(picture(n)).hexdigest()) for n in numbers
    }
