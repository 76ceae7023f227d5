import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.pool import ImageTextPool, build_image_text_pool, verify_pool
from assay.pool.manifest import truth_path
from pairs import (
    Generator,
    contents,
    make_sample,
    write_metadata,
    write_tar,
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("fail_at", [1, 9, 10, 11, 24])
def test_interrupted_it_ends_with_the_same_bytes(tmp_path: Path, fail_at: int) -> None:
    tars = [
        write_tar(tmp_path / "a.tar", [make_sample(n) for n in range(100, 117)]),
        write_tar(tmp_path / "b.tar", [make_sample(n) for n in range(110, 130)]),
    ]
    metadata = write_metadata(tmp_path / "m.parquet", range(126))

    def build(pool: str, fail_at: int | None = None) -> Generator:
        source = Generator(range(25), fail_at)
        build_image_text_pool(
            [*tars, source], tmp_path / pool, metadata=[metadata], name="p", shard_pairs=10
        )
        return source

    build("whole")
    with pytest.raises(KeyboardInterrupt):
        build("again", fail_at)
    resumed = build("again")
    stored_before = 17 + 16
    assert resumed.given[0] == max(0, (fail_at + stored_before) // 10 * 10 - stored_before)
    assert same_bytes(tmp_path / "whole", tmp_path / "again")
    again = ImageTextPool.open(tmp_path / "again")
    assert again.manifest.report == {"not_in_metadata": 4, "repeated_id": 7, "missing_sample": 75}
    assert verify_pool(again).ok


def same_bytes(first: Path, second: Path) -> bool:
    files = [
        {file.relative_to(pool): file.read_bytes() for file in pool.rglob("*") if file.is_file()}
        for pool in (first, second)
    ]
    truths = [truth_path(pool) for pool in (first, second)]
    return files[0] == files[1] and truths[0].read_bytes() == truths[1].read_bytes()


KILLER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from pairs import Generator
from assay.pool import build_image_text_pool
import filelock, fsspec.implementations.local, pyarrow.dataset, pyarrow.parquet, PIL.PngImagePlugin

folder = Path(sys.argv[2])
replace = Path.replace

def build(out, kill_at):
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
        sources = [folder / "a.tar", Generator(range(4))]
        build_image_text_pool(
            sources, out, metadata=[folder / "m.parquet"], name="killed", shard_pairs=4
        )
        os._exit(0)
    return os.waitpid(child, 0)[1]

assert build(folder / "whole", None) == 0
kills = 0
while build(folder / "killed" / str(kills) / "pool", kills) != 0:
    assert build(folder / "killed" / str(kills) / "pool", None) == 0
    kills += 1
print(kills)
"""


def test_killed_before_any_file_appears_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", [make_sample(n) for n in range(3, 6)])
    write_metadata(tmp_path / "m.parquet", range(6))
    ran = subprocess.run(
        [sys.executable, "-c", KILLER, str(Path(__file__).parents[2]), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 18
    for number in range(int(ran.stdout)):
        assert same_bytes(tmp_path / "whole", tmp_path / "killed" / str(number) / "pool"), number


def test_a_tar_is_gone_on_with_in_its_middle(tmp_path: Path) -> None:
    def build(folder: Path, numbers: Any, **more: Any) -> ImageTextPool:
        sources = [write_tar(folder / "a.tar", [make_sample(n) for n in range(25)]), *more.values()]
        return build_image_text_pool(sources, folder / "pool", shard_pairs=10)

    whole = build(tmp_path / "whole", range(25), last=Generator([40, 41]))
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "again", range(25), last=Generator([40, 41], fail_at=1))
    assert len(list((tmp_path / "again" / "pool" / "shards").iterdir())) == 2
    again = build(tmp_path / "again", range(25), last=Generator([40, 41]))
    assert (again.root, contents(again)) == (whole.root, contents(whole))
