"""Webdataset shards as CLIP-benchmark lays them out, read as files that nobody vouches for."""

import io
import mmap
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from assay.artifact import atomic_file
from assay.errors import SuiteError

MAX_MEMBER_BYTES = 64 << 20
"""A larger member is refused before it is read."""
IMAGE_SUFFIXES = ("jpg", "jpeg", "png", "webp")
_NUMBERED_IMAGE = re.compile(rf"(\d{{1,4}})\.({'|'.join(IMAGE_SUFFIXES)})")


@dataclass(frozen=True)
class ClipItem:
    """One item, its images still encoded.

    Attributes:
        where: File and key, for messages.
        images: One, or an association's candidates.
        gold: The class, or the positions of the images that go with the cue; empty for retrieval.
        captions: Of the image, or an association's cue; empty for classification.
        group: Whose accuracy can be the worst, or None.
    """

    where: str
    images: tuple[bytes, ...]
    gold: tuple[int, ...]
    captions: tuple[str, ...]
    group: str | None


def read_samples(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield each sample of a shard: its key and its members by suffix, in the file's order.

    Members of one sample are neighbours and share the name up to its first dot, as webdataset has it.

    Raises:
        SuiteError: If the file is no plain tar, or holds a link, a device, a member that is too large,
            or the same name twice in a sample.
    """
    try:
        # Mapped: decoding threads would make every `tell` and `seek` of a file wait for its turn.
        with (
            path.open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view,
            tarfile.open(fileobj=cast(BinaryIO, view), mode="r:") as tar,
        ):
            key, sample = "", dict[str, bytes]()
            for member in tar:
                if member.isdir():
                    continue
                name, suffix, data = _read_member(view, member, path)
                if name != key and sample:
                    yield key, sample
                    sample = {}
                if suffix in sample:
                    raise SuiteError(
                        f"{path}: {member.name!r} is there twice; pack the shard again"
                    )
                key = name
                sample[suffix] = data
            if sample:
                yield key, sample
    except FileNotFoundError:
        raise SuiteError(f"{path} is missing; get the suite's files again") from None
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError) as error:
        raise SuiteError(f"{path} is not a plain tar ({error}); get the file again") from None


def _read_member(view: mmap.mmap, member: tarfile.TarInfo, path: Path) -> tuple[str, str, bytes]:
    """Return key, suffix and bytes; nothing is ever written where a member's name says."""
    if not member.isreg() or member.issparse():
        raise SuiteError(f"{path}: {member.name!r} is not a file; pack the shard without links")
    if member.size > MAX_MEMBER_BYTES:
        raise SuiteError(
            f"{path}: {member.name!r} has {member.size:,} bytes, {MAX_MEMBER_BYTES:,} is the most; "
            "pack the shard without it"
        )
    folder, _, base = member.name.rpartition("/")
    stem, dot, suffix = base.partition(".")
    if not stem or not dot:
        raise SuiteError(f"{path}: {member.name!r} is not KEY.SUFFIX; pack the shard again")
    data = view[member.offset_data : member.offset_data + member.size]
    if len(data) != member.size:
        raise SuiteError(f"{path}: {member.name!r} is cut off; get the file again")
    return f"{folder}/{stem}", suffix.lower(), data


def parse_item(
    sample: Mapping[str, bytes],
    where: str,
    *,
    kind: str,
    gold_column: int | None = None,
    group_column: int | None = None,
) -> ClipItem:
    """Turn a sample's members into an item.

    Args:
        sample: Suffix to bytes.
        where: File and key, for messages.
        kind: The task's.
        gold_column: Position of the class in `npy`, or None where `cls` holds it.
        group_column: Position of the group in `npy`, or None where `group` may hold it.

    Raises:
        SuiteError: If a member is absent or unreadable.
    """
    gold: tuple[int, ...] = ()
    if kind != "retrieval":
        gold = (
            (_npy_value(sample, gold_column, where),)
            if gold_column is not None
            else _integers(_member(sample, "cls", where), where)
        )
    if group_column is not None:
        group = str(_npy_value(sample, group_column, where))
    else:
        group = _text(sample["group"], where).strip() if "group" in sample else None
    captions: tuple[str, ...] = ()
    if kind != "classification":
        lines = _text(_member(sample, "txt", where), where).splitlines()
        captions = tuple(line for line in lines if line.strip())
    item = ClipItem(where, _images(sample, where, kind), gold, captions, group)
    _check(item, kind)
    return item


def _check(item: ClipItem, kind: str) -> None:
    problem = None
    if kind == "classification" and (len(item.gold) != 1 or item.gold[0] < 0):
        problem = f"expected one class, got {list(item.gold)}"
    elif kind == "retrieval" and not item.captions:
        problem = "an image without a caption"
    elif kind == "association":
        valid = sorted(set(item.gold)) == list(item.gold) and item.gold
        if not valid or item.gold[-1] >= len(item.images) or len(item.gold) == len(item.images):
            problem = (
                f"expected some of {len(item.images)} images, ascending, got {list(item.gold)}"
            )
        elif len(item.captions) != 1:
            problem = f"expected one cue, got {len(item.captions)}"
    if problem:
        raise SuiteError(f"{item.where}: {problem}; correct or drop the item")


def _images(sample: Mapping[str, bytes], where: str, kind: str) -> tuple[bytes, ...]:
    if kind == "association":
        numbered = {
            int(match[1]): data
            for suffix, data in sample.items()
            if (match := _NUMBERED_IMAGE.fullmatch(suffix))
        }
        if len(numbered) < 2 or sorted(numbered) != list(range(len(numbered))):
            raise SuiteError(
                f"{where}: expected images 0.jpg, 1.jpg, ..., got {sorted(sample)}; pack it again"
            )
        return tuple(numbered[number] for number in range(len(numbered)))
    found = [data for suffix, data in sample.items() if suffix in IMAGE_SUFFIXES]
    if len(found) != 1:
        raise SuiteError(f"{where}: expected one image, got {sorted(sample)}; pack it again")
    return (found[0],)


def _member(sample: Mapping[str, bytes], suffix: str, where: str) -> bytes:
    if suffix not in sample:
        raise SuiteError(f"{where}: no .{suffix} beside {sorted(sample)}; pack it again")
    return sample[suffix]


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise SuiteError(f"{where}: text that is not UTF-8; save it as UTF-8") from None


def _integers(data: bytes, where: str) -> tuple[int, ...]:
    words = _text(data, where).split()
    if not words or not all(re.fullmatch(r"\d{1,9}", word) for word in words):
        raise SuiteError(f"{where}: .cls holds no class numbers but {data[:40]!r}; pack it again")
    return tuple(int(word) for word in words)


def _npy_value(sample: Mapping[str, bytes], column: int, where: str) -> int:
    """Return one number of a sample's metadata."""
    import numpy as np

    data = _member(sample, "npy", where)
    try:
        values = np.load(io.BytesIO(data), allow_pickle=False).reshape(-1)
        return int(values[column])
    except Exception as error:  # a header may promise anything, and a number be infinite
        raise SuiteError(
            f"{where}: .npy has no number at position {column} ({error}); get the file again"
        ) from None


def write_shard(path: Path, samples: Iterable[tuple[str, Mapping[str, bytes]]]) -> int:
    """Pack samples as a shard, the same bytes for the same samples, and return how many there were."""
    count = 0
    with (
        atomic_file(path) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for key, members in samples:
            count += 1
            for suffix, data in members.items():
                info = tarfile.TarInfo(f"{key}.{suffix}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return count
