"""WinoGAViL's Parquet files into a shard: a cue, its candidate images, and which of them go with it."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.errors import SuiteError
from assay.suite.clip.shards import write_shard
from assay.suite.clip.transfer import copy_file

COLUMNS = ("cue", "candidates", "associations", "candidate_images")
_MAX_FILES = 1_000
_ROWS = 64
"""Read at a time; a row holds a dozen photographs."""


def convert_associations(base: str, shard: Path, num_items: int) -> None:
    """Convert `0000.parquet`, `0001.parquet`, ... of a place.

    Args:
        base: Folder or fsspec URL.
        shard: The tar to write: members KEY.N.jpg, KEY.cls (positions of the associated images) and
            KEY.txt (the prompt, such as `A fox`).
        num_items: How many rows there have to be.

    Raises:
        SuiteError: If there is no such file, it has other columns, or rows are missing.
    """
    with tempfile.TemporaryDirectory(prefix="assay-winogavil-") as staging:
        found = Path(staging) / "0.tar"
        rows = enumerate(_rows(base, Path(staging)))
        samples = ((f"s{n:07d}", _members(row, f"{base} row {n}")) for n, row in rows)
        if (count := write_shard(found, samples)) != num_items:
            raise SuiteError(
                f"{base}: expected {num_items} rows in 0000.parquet, 0001.parquet, ..., got {count}; "
                "fetch again"
            )
        copy_file(str(found), shard)


def association_prompt(cue: str) -> str:
    """Return `A cue` or `An cue`, the cue in lower case, as WinoGAViL prompts CLIP models."""
    word = cue.lower()
    return f"{'An' if word[:1] in 'aeiou' else 'A'} {word}"


def _rows(base: str, staging: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for number in range(_MAX_FILES):
        name = f"{number:04d}.parquet"
        try:
            copy_file(f"{base}/{name}", staging / name)
        except SuiteError:
            # Nothing says how many files there are: the first that is absent ends them.
            if number == 0:
                raise
            return
        try:
            file = pq.ParquetFile(staging / name)
            for batch in file.iter_batches(batch_size=_ROWS, columns=list(COLUMNS)):
                yield from batch.to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise SuiteError(f"{base}/{name}: {error}; get WinoGAViL's test split") from None
        (staging / name).unlink()


def _members(row: Mapping[str, Any], where: str) -> dict[str, bytes]:
    try:
        positions = [i for i, name in enumerate(row["candidates"]) if name in row["associations"]]
        images = [image["bytes"] for image in row["candidate_images"]]
        prompt = association_prompt(row["cue"])
    except (KeyError, TypeError) as error:
        raise SuiteError(
            f"{where}: not as WinoGAViL has it ({error!r}); get its test split"
        ) from None
    members = {f"{number}.jpg": image for number, image in enumerate(images)}
    members["cls"] = " ".join(map(str, positions)).encode("ascii")
    members["txt"] = prompt.encode("utf-8")
    return members
