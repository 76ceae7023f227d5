"""Selections: from ids to rows and spans of tokens."""

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest

from assay.errors import SubmissionError
from assay.pool import Pool, build_pool
from assay.pool.chunks import chunk_bounds, num_chunks, vocabulary_pieces
from assay.pool.uid import UID_DTYPE, sort_order
from assay.selection import select_rows
from assay.submission import staged, submission_of

WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"]


@pytest.fixture(scope="module")
def pool(tmp_path_factory) -> Pool:
    folder = tmp_path_factory.mktemp("selection")
    lines = [
        json.dumps({"text": " ".join(WORDS[(i * k) % 11] for k in range(1 + 37 * i))})
        for i in range(30)
    ]
    (folder / "documents.jsonl").write_text("\n".join(lines))
    return build_pool([str(folder / "documents.jsonl")], folder / "pool", vocab_size=300)


def bare_pool(n_tokens: np.ndarray, seed: int = 0) -> SimpleNamespace:
    uids = np.random.PCG64(seed).random_raw(2 * len(n_tokens)).view(UID_DTYPE)
    return SimpleNamespace(
        uids=uids[sort_order(uids)],
        n_tokens=n_tokens,
        n=len(n_tokens),
        name="bare",
        root="sha256:0",
    )


def test_documents_become_rows_with_all_their_tokens(pool):
    wanted = np.array([5, 2, 20])
    selection = select_rows(submission_of(pool.uids[wanted]), pool)
    (stage,) = selection.stages
    assert stage.rows.tolist() == [2, 5, 20]
    assert stage.spans.start.tolist() == [0, 0, 0]
    assert np.array_equal(stage.spans.stop, pool.n_tokens[stage.rows])
    assert (stage.share_ppm, stage.repeats.tolist()) == (1_000_000, [1, 1, 1])
    assert (stage.rows.dtype, stage.spans.stop.dtype) == (np.int64, np.int32)


def test_weights_and_stages_come_along(pool):
    early = submission_of(pool.uids[:3], repeats=np.array([1, 2, 3]))
    selection = select_rows(staged([(0.9, early), (0.1, submission_of(pool.uids[9:11]))]), pool)
    assert [stage.share_ppm for stage in selection.stages] == [900_000, 100_000]
    assert selection.stages[0].repeats.tolist() == [1, 2, 3]
    assert selection.stages[1].rows.tolist() == [9, 10]


@pytest.mark.parametrize("unit", ["words128", "tokens512", "tokens1024"])
def test_all_chunks_of_all_documents_are_all_tokens_cut_where_the_pool_cuts_them(pool, unit):
    counts = num_chunks(pool, np.arange(pool.n), unit)
    assert counts.max() > 1
    chunks = np.concatenate([np.arange(count) for count in counts])
    submission = submission_of(pool.uids.repeat(counts), chunks=chunks, unit=unit)
    (stage,) = select_rows(submission, pool).stages
    pieces = vocabulary_pieces(pool.tokenizer())
    for row in range(pool.n):
        mine = stage.rows == row
        bounds = chunk_bounds(pool.tokens(row), unit, pieces)
        assert stage.spans.start[mine].tolist() == bounds[:-1].tolist()
        assert stage.spans.stop[mine].tolist() == bounds[1:].tolist()


@pytest.mark.parametrize("unit", ["words128", "tokens512"])
def test_a_chunk_that_does_not_exist_is_refused_with_rule_s2(pool, unit):
    row = int(np.argmax(pool.n_tokens))
    last = int(num_chunks(pool, [row], unit)[0])
    uid = pool.uids[row : row + 1]
    select_rows(submission_of(uid, chunks=np.array([last - 1]), unit=unit), pool)
    with pytest.raises(SubmissionError) as caught:
        select_rows(submission_of(uid, chunks=np.array([last]), unit=unit), pool)
    assert caught.value.rule == "S2"


def test_an_unknown_id_is_refused_with_rule_s2_and_its_row(pool):
    stranger = np.array([(2**64 - 1, 2**64 - 1)], dtype=UID_DTYPE)
    with pytest.raises(SubmissionError, match="assay validate") as caught:
        select_rows(submission_of(np.concatenate([stranger, pool.uids[:2]])), pool)
    assert (caught.value.rule, caught.value.row) == ("S2", 0)


def test_documents_without_tokens_are_dropped_and_counted():
    pool = bare_pool(np.array([3, 0, 5, 0], dtype=np.int32))
    selection = select_rows(submission_of(pool.uids), pool)
    assert selection.stages[0].rows.tolist() == [0, 2]
    assert selection.num_dropped == 2
    with pytest.raises(SubmissionError, match="no tokens") as caught:
        select_rows(submission_of(pool.uids[[1, 3]]), pool)
    assert caught.value.rule == "S4"


def test_an_empty_document_has_one_empty_chunk_which_is_dropped():
    pool = bare_pool(np.array([0, 600], dtype=np.int32))
    chunks = submission_of(pool.uids[[0, 1, 1]], chunks=np.array([0, 0, 1]), unit="tokens512")
    selection = select_rows(chunks, pool)
    assert selection.stages[0].spans.stop.tolist() == [512, 600]
    assert selection.num_dropped == 1


def test_the_digest_names_what_is_trained_on_and_nothing_else():
    pool = bare_pool(np.array([3, 0, 5, 4], dtype=np.int32))
    digest = select_rows(submission_of(pool.uids[[0, 2]]), pool).digest
    assert select_rows(submission_of(pool.uids[[2, 0]]), pool).digest == digest
    assert select_rows(submission_of(pool.uids[[0, 1, 2]]), pool).digest == digest
    assert select_rows(submission_of(pool.uids[[0, 3]]), pool).digest != digest
    weighted = submission_of(pool.uids[[0, 2]], repeats=np.array([1, 2]))
    assert select_rows(weighted, pool).digest != digest
    other = SimpleNamespace(**{**vars(pool), "root": "sha256:1"})
    assert select_rows(submission_of(pool.uids[[0, 2]]), other).digest != digest


def test_a_third_of_a_million_documents_takes_well_under_a_second():
    pool = bare_pool(np.full(1_000_000, 7, dtype=np.int32))
    submission = submission_of(pool.uids[::3])
    started = time.process_time()
    selection = select_rows(submission, pool)
    assert time.process_time() - started < 1.0
    assert len(selection.stages[0].rows) == 333_334
