"""The undamaged share of what a list shows, beside a count by hand."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from assay.foundry.scenes import ScenesSource
from assay.foundry.source import FoundrySource
from assay.pool import build_image_text_pool, build_pool
from assay.pool.manifest import truth_path
from assay.reproduce.clean import clean_share
from assay.submission import staged, submission_of


def test_of_documents_tokens_repeats_and_stages_count(tmp_path: Path) -> None:
    pool = build_pool([FoundrySource(60)], tmp_path / "pool", vocab_size=300)
    truth = pq.read_table(truth_path(pool.path))["defects"].to_pylist()
    good = np.flatnonzero([not defects for defects in truth])
    bad = np.flatnonzero([bool(defects) for defects in truth])
    assert clean_share(submission_of(pool.uids[good]), pool) == 1.0
    assert clean_share(submission_of(pool.uids[bad]), pool) == 0.0
    both = np.array([good[0], bad[0]])
    tokens = pool.n_tokens[both].astype(int)
    weighted = submission_of(pool.uids[both], repeats=np.array([3, 2], dtype=np.uint32))
    by_hand = 3 * tokens[0] / (3 * tokens[0] + 2 * tokens[1])
    assert clean_share(weighted, pool) == pytest.approx(by_hand)
    stages = staged([(0.75, pool.uids[good]), (0.25, pool.uids[bad])])
    assert clean_share(stages, pool) == pytest.approx(0.75)


def test_of_pairs_each_counts_once(tmp_path: Path) -> None:
    pool = build_image_text_pool([ScenesSource(40)], tmp_path / "pool")
    defects = pq.read_table(truth_path(pool.path))["defect"].to_pylist()
    assert 0 < defects.count(None) < 40
    found = clean_share(submission_of(pool.uids), pool)
    assert found == pytest.approx(defects.count(None) / 40)


def test_without_truth_there_is_none(tmp_path: Path) -> None:
    source = tmp_path / "mine.jsonl"
    source.write_text('{"text": "one"}\n{"text": "two"}\n')
    pool = build_pool([source], tmp_path / "pool", vocab_size=300)
    assert clean_share(submission_of(pool.uids), pool) is None
