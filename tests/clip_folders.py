"""Small evaluation sets in CLIP-benchmark's layout."""

import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

Sample = tuple[str, Mapping[str, bytes]]


def png(seed: int, size: int = 12) -> bytes:
    """Return an image of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def npy(*values: int) -> bytes:
    """Return metadata as DataComp's shards hold it."""
    stream = io.BytesIO()
    np.save(stream, np.array(values))
    return stream.getvalue()


def labelled(golds: Sequence[int], groups: Sequence[str] | None = None) -> list[Sample]:
    """Return items of a classification."""
    samples: list[Sample] = []
    for number, gold in enumerate(golds):
        members = {"png": png(number), "cls": str(gold).encode()}
        if groups:
            members["group"] = groups[number].encode()
        samples.append((f"s{number:04d}", members))
    return samples


def captioned(captions: Sequence[Sequence[str]]) -> list[Sample]:
    """Return items of a retrieval."""
    return [
        (f"s{number:04d}", {"png": png(number), "txt": "\n".join(own).encode()})
        for number, own in enumerate(captions)
    ]


def associated(cues: Sequence[tuple[str, int, Sequence[int]]]) -> list[Sample]:
    """Return items of an association from cue, number of candidates and golds."""
    samples: list[Sample] = []
    for number, (cue, size, golds) in enumerate(cues):
        members = {f"{i}.png": png(100 * number + i) for i in range(size)}
        members["cls"] = " ".join(map(str, golds)).encode()
        samples.append((f"s{number:04d}", {**members, "txt": cue.encode()}))
    return samples


def pack(path: Path, samples: Iterable[Sample]) -> None:
    """Write a shard."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for key, members in samples:
            for suffix, data in members.items():
                info = tarfile.TarInfo(f"{key}.{suffix}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


def write_layout(
    folder: Path,
    shards: Sequence[Sequence[Sample]],
    *,
    classes: Sequence[str] = (),
    templates: Sequence[str] = ("a photo of a {c}", "{c}"),
    kind: str | None = None,
    split: str = "test",
) -> Path:
    """Write a task's folder and return it."""
    for number, samples in enumerate(shards):
        pack(folder / split / f"{number}.tar", samples)
    (folder / split / "nshards.txt").write_text(f"{len(shards)}\n")
    if classes:
        (folder / "classnames.txt").write_text("\n".join(classes) + "\n")
        (folder / "zeroshot_classification_templates.txt").write_text("\n".join(templates))
    if kind:
        (folder / "dataset_type.txt").write_text(kind)
    return folder
