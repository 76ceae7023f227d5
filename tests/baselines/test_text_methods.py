"""What the methods on duplicates, classifiers and language models promise, on a small embedded pool."""

import runpy
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from assay.errors import SignalError, StrategyError
from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import Pool, build_pool
from assay.pool.chunks import num_chunks
from assay.pool.manifest import truth_path
from assay.pool.uid import find
from assay.strategy import load_strategy, parse_settings, run_strategy
from assay.strategy.run import Outcome
from assay.submission import Submission
from assay.track.spec import Budget

TEXT = package_folder("baselines") / "text"
REFERENCE = "reference=foundry-text-reference-400"


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory):
    home = tmp_path_factory.mktemp("methods")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        yield build_pool([FoundrySource(2000)], home / "pools" / "small", vocab_size=1000)


def run(pool: Pool, name: str, *words: str, seed: int = 0) -> Outcome:
    strategy = load_strategy(name, "text")
    settings = parse_settings(strategy, words)
    budget = Budget(10_000, "tokens", 16)
    return run_strategy(strategy, pool, budget=budget, seed=seed, settings=settings)


def chosen(pool: Pool, name: str, *words: str, seed: int = 0) -> Submission:
    return run(pool, name, *words, seed=seed).submission


def rows_of(pool: Pool, submission: Submission) -> np.ndarray:
    return find(pool.uids, submission.stages[0].uids)


def truth_of(pool: Pool, column: str) -> np.ndarray:
    return pq.read_table(truth_path(pool.path))[column].to_numpy(zero_copy_only=False)


def test_deduplication_leaves_one_of_each_cluster(pool: Pool) -> None:
    cluster, size = truth_of(pool, "cluster"), truth_of(pool, "cluster_size")
    exact, near = rows_of(pool, chosen(pool, "exact_dedup")), rows_of(pool, chosen(pool, "minhash"))
    assert set(near) < set(exact)
    defects = truth_of(pool, "defects")
    copies = sum("exact_duplicate" in found for found in defects)
    assert (
        pool.n - len(exact) >= copies * 0.9
    )  # of two exact copies of a page, its original may be edited
    planted = int((size > 1).sum()) - len(set(cluster[size > 1]))
    assert pool.n - len(near) == pytest.approx(planted, rel=0.1)
    assert len(set(cluster[near])) == len(set(cluster))


@pytest.mark.parametrize(
    ("name", "gain"), [("fasttext", 0.1), ("ccnet_perplexity", 0.2), ("dsir", 0.1)]
)
def test_what_is_like_the_reference_is_better(pool: Pool, name: str, gain: float) -> None:
    quality = truth_of(pool, "quality")
    found = quality[rows_of(pool, chosen(pool, name, REFERENCE))].mean()
    assert found > quality.mean() + gain


def test_what_is_like_spam_goes(pool: Pool) -> None:
    spam = np.array(["keyword_spam" in found for found in truth_of(pool, "defects")])
    kept = rows_of(pool, chosen(pool, "harmful_lm_perplexity", "reference=foundry-text-spam-200"))
    assert spam.sum() == 90
    assert spam[kept].sum() <= 2


def test_bands_of_perplexity_divide_the_pool(pool: Pool) -> None:
    bands = [
        rows_of(pool, chosen(pool, "ccnet_perplexity", REFERENCE, f"band={b}"))
        for b in ("head", "middle", "tail")
    ]
    assert [len(band) for band in bands] == [600, 600, 800]
    assert len(set().union(*map(set, bands))) == pool.n
    means = [truth_of(pool, "quality")[band].mean() for band in bands]
    assert means == sorted(means, reverse=True)
    with pytest.raises(StrategyError, match="band is head, middle or tail"):
        chosen(pool, "ccnet_perplexity", REFERENCE, "band=top")


def test_dsir_names_chunks_that_the_pool_has(pool: Pool) -> None:
    submission = chosen(pool, "dsir", REFERENCE, "fraction=1.0", "min_words=1")
    stage = submission.stages[0]
    assert submission.unit == "words128"
    assert stage.chunks is not None
    counts = num_chunks(pool, np.arange(pool.n), "words128")
    assert np.bincount(rows_of(pool, submission), minlength=pool.n).tolist() == counts.tolist()
    some = chosen(pool, "dsir", REFERENCE)
    assert some.digest != chosen(pool, "dsir", REFERENCE, seed=1).digest
    assert some.n == pytest.approx(0.3 * chosen(pool, "dsir", REFERENCE, "fraction=1.0").n, abs=1)


def test_semantic_deduplication_drops_copies_first(pool: Pool) -> None:
    kept = rows_of(pool, chosen(pool, "semdedup_lite"))
    assert len(kept) == round(0.75 * pool.n)
    dropped = np.setdiff1d(np.arange(pool.n), kept)
    copied = truth_of(pool, "cluster_size") > 1
    assert copied[dropped].mean() > 2 * copied[kept].mean()


def test_rehydration_repeats_as_the_formula_says() -> None:
    repeats_by_size = runpy.run_path(str(TEXT / "fineweb2_rehydration.py"))["repeats_by_size"]
    # Removal: size 1: 6 of 10, size 2: 2 of 10, size 3: 5 of 10; all: 13 of 30.
    size = np.repeat([1, 2, 3], 10)
    passed = np.concatenate([np.arange(10) >= 6, np.arange(10) >= 2, np.arange(10) >= 5])
    assert repeats_by_size(size, passed, 10).tolist() == [1, 1, 10, 1]
    # A moving average over five sizes, both edges as they are.
    size = np.repeat(np.arange(1, 8), 10)
    removed = [8, 6, 0, 6, 8, 7, 7]  # of ten; all: 0.6
    passed = np.concatenate([np.arange(10) >= r for r in removed])
    raw = [1.0, 1.0, 10.0, 1.0, 1.0, 1.0, 1.0]
    smooth = [1.0, 1.0, 14 / 5, 14 / 5, 14 / 5, 1.0, 1.0]
    assert raw[2] == 10.0
    assert repeats_by_size(size, passed, 10).tolist() == [1, *np.round(smooth).astype(int).tolist()]
    assert repeats_by_size(size, np.ones(70, dtype=bool), 10).tolist() == [1] * 8


def test_rehydration_shows_survivors_of_filter_and_deduplication(pool: Pool) -> None:
    submission = chosen(pool, "fineweb2_rehydration")
    rows = rows_of(pool, submission)
    assert set(rows) <= set(rows_of(pool, chosen(pool, "minhash")))
    assert submission.form == "weighted"
    assert submission.stages[0].repeats.max() <= 10


def test_a_reference_is_a_pool_or_documents_of_this_one(pool: Pool, tmp_path: Path) -> None:
    host = pool.column("host")[0].as_py()
    mine = chosen(pool, "fasttext", f"reference=host~{host}")
    assert mine.digest != chosen(pool, "fasttext", REFERENCE).digest
    with pytest.raises(SignalError, match="no document of pool small has 'nowhere' in its host"):
        chosen(pool, "fasttext", "reference=host~nowhere")
    with pytest.raises(SignalError, match="COLUMN~WORD names a metadata column"):
        chosen(pool, "fasttext", "reference=nothing~x")
    with pytest.raises(SignalError, match="--kind text --name small-reference"):
        chosen(pool, "fasttext", "reference=absent")


def test_what_a_strategy_took_for_good_is_noted(pool: Pool) -> None:
    (noted,) = run(pool, "dsir", REFERENCE).inputs.items()
    assert noted == (
        f"reference({REFERENCE.removeprefix('reference=')})",
        Pool.open("foundry-text-reference-400").root,
    )
    assert list(run(pool, "fasttext", REFERENCE).inputs) == [
        "fasttext_score(reference=foundry-text-reference-400, seed=0)"
    ]


def test_another_pool_under_the_same_name_is_another_reference(pool: Pool, tmp_path: Path) -> None:
    first = chosen(
        pool, "dsir", f"reference={made(tmp_path / 'a' / 'good', 'the cat sleeps ' * 50)}"
    )
    other = chosen(pool, "dsir", f"reference={made(tmp_path / 'b' / 'good', 'a sum of two ' * 50)}")
    assert first.digest != other.digest


def made(folder: Path, text: str) -> Path:
    source = folder.parent / "source.jsonl"
    source.parent.mkdir(parents=True)
    source.write_text("\n".join(f'{{"text": "{text} {i}"}}' for i in range(20)))
    build_pool([source], folder, vocab_size=300)
    return folder
