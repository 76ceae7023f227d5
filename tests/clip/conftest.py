from collections.abc import Iterator
from pathlib import Path

import pytest

import assay.clip  # noqa: F401  # before any test imports open_clip itself
from assay.pool import ImageTextPool
from assay.selection import Selection, select_rows
from assay.submission import staged, submission_of


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ImageTextPool, Path]]:
    """A generated pool, and a folder with the tokenizer of its captions."""
    from tiny_clip import build_tiny_clip_pool, tiny_tokenizer

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("home")))
        pool = build_tiny_clip_pool()
        folder = tmp_path_factory.mktemp("track")
        (folder / "tokenizer.json").write_bytes(tiny_tokenizer(pool))
        yield pool, folder


@pytest.fixture
def in_stages(pairs: tuple[ImageTextPool, Path]) -> Selection:
    """Two halves one after the other; the second begins in the middle of a run of twelve steps."""
    pool, _ = pairs
    first, second = submission_of(pool.uids[:100]), submission_of(pool.uids[100:])
    return select_rows(staged([(0.4, first), (0.6, second)]), pool)


@pytest.fixture
def everything(pairs: tuple[ImageTextPool, Path]) -> Selection:
    pool, _ = pairs
    return select_rows(submission_of(pool.uids), pool)
