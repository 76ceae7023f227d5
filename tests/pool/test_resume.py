import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.errors import PoolError
from assay.pool import Pool, build_pool, verify_pool
from assay.pool.records import Problem, Record

Build = Callable[..., Pool]

ALIGNED = ("uids.npy", "rows.npy", "n_tokens.npy", "n_bytes.npy", "pool.json", "build_report.json")


def same_bytes(first: Path, second: Path) -> bool:
    files = [*ALIGNED, *(str(p.relative_to(first)) for p in first.glob("shards/*/*"))]
    leftovers = [p.name for p in second.rglob("*") if p.is_file() and p.name.endswith(".tmp")]
    return not leftovers and all(
        (first / f).read_bytes() == (second / f).read_bytes() for f in files
    )


class Failing:
    """A source that breaks at some item, though not while a new build looks at its head."""

    def __init__(
        self,
        texts: list[str],
        fail_at: int | None = None,
        name: str = "failing",
        heads: int = 1,
    ):
        self.name = name
        self.fingerprint = f"{len(texts)} texts"
        self.size = len(texts)
        self.done = 0
        self.unit = "docs"
        self.given: list[int] = []
        self._heads = heads
        self._texts, self._fail_at = texts, fail_at

    def records(self, start: int) -> Iterator[tuple[int, Record | Problem]]:
        self.given.append(start)
        for place in range(start, len(self._texts)):
            if place == self._fail_at and len(self.given) > self._heads:
                raise PoolError("the connection broke")
            if place in BROKEN:
                yield place, Problem("corrupt_json", f"item {place}")
            else:
                yield place, Record(self._texts[place], truth={"place": place})


TEXTS = [f"text number {i}, " + "word " * (i % 23) for i in range(120)]
BROKEN = {0, 17, 18, 60, 119}


def build_from(
    folder: Path, fail_at: int | None = None, second: int | None = None, heads: int = 1
) -> list[Failing]:
    sources = [
        Failing(TEXTS[:70], fail_at, "one", heads),
        Failing(TEXTS[50:], second, "two", heads),  # 20 texts again: repeated ids
    ]
    build_pool(sources, folder / "pool", name="resumed", vocab_size=300, shard_bytes=700)
    return sources


@pytest.mark.parametrize("fail_at", [1, 5, 18, 19, 33, 60, 61, 69])
def test_a_source_that_breaks_costs_only_the_unfinished_shard(tmp_path: Path, fail_at: int) -> None:
    build_from(tmp_path / "whole")
    with pytest.raises(PoolError, match="the connection broke"):
        build_from(tmp_path / "broken", fail_at)
    with pytest.raises(PoolError, match="the connection broke"):
        build_from(tmp_path / "broken", None, fail_at, heads=0)
    with pytest.raises(PoolError, match="unfinished"):
        Pool.open(tmp_path / "broken" / "pool")
    one, _ = build_from(tmp_path / "broken")
    assert same_bytes(tmp_path / "whole" / "pool", tmp_path / "broken" / "pool")
    assert all(start > 60 for start in one.given)  # whole shards are not read again
    truths = [(tmp_path / name / "pool.truth.parquet").read_bytes() for name in ("whole", "broken")]
    assert truths[0] == truths[1]
    pool = Pool.open(tmp_path / "broken" / "pool")
    assert pool.manifest.report == {"corrupt_json": 8, "repeated_id": 16}
    assert verify_pool(pool).ok


def test_other_settings_cannot_take_over_an_unfinished_pool(tmp_path: Path) -> None:
    with pytest.raises(PoolError, match="the connection broke"):
        build_from(tmp_path, None, 30)
    sources = [Failing(TEXTS)]
    with pytest.raises(PoolError, match="shards of an unfinished pool"):
        build_pool(sources, tmp_path / "pool", name="resumed", vocab_size=300)


def test_an_attempt_without_a_whole_shard_leaves_nothing_to_protect(tmp_path: Path) -> None:
    with pytest.raises(PoolError, match="the connection broke"):
        build_from(tmp_path, 2)
    pool = build_pool([Failing(TEXTS)], tmp_path / "pool", vocab_size=300)
    assert pool.n == len(TEXTS) - len(BROKEN)


KILLER = '''
import os, signal, sys
from pathlib import Path
from assay.pool import build_pool
import filelock, fsspec.implementations.local, pyarrow.dataset, pyarrow.parquet, tokenizers, zstandard

source, folder = sys.argv[1], Path(sys.argv[2])
replace = Path.replace

def build(out, kill_at):
    """Build in a child process that kills itself just before its kill_at-th file appears."""
    child = os.fork()
    if child == 0:
        count = 0
        def dying(self, target):
            nonlocal count
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
            return replace(self, target)
        Path.replace = dying
        build_pool([source], out, name="killed", vocab_size=300, shard_bytes=2500)
        os._exit(0)
    return os.waitpid(child, 0)[1]

assert build(folder / "whole", None) == 0
kills = 0
while build(folder / str(kills) / "pool", kills) != 0:
    assert build(folder / str(kills) / "pool", None) == 0
    kills += 1
print(kills)
'''


def test_killed_before_any_file_appears_it_ends_with_the_same_bytes(
    tmp_path: Path, documents: list[dict[str, Any]], build: Build
) -> None:
    undisturbed = build([*documents[:30], documents[0]], "whole", shard_bytes=2500)
    ran = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path / "whole.jsonl"), str(tmp_path / "killed")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    kills = int(ran.stdout)
    assert kills > 15
    assert Pool.open(tmp_path / "killed" / "whole").root == undisturbed.root
    for number in range(kills):
        folder = tmp_path / "killed" / str(number) / "pool"
        assert same_bytes(tmp_path / "killed" / "whole", folder), number
        assert not (folder / ".build").exists()
