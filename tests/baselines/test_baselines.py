"""What each text baseline promises; `test_contract.py` has what all of them do."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import Pool, build_pool
from assay.pool.manifest import truth_path
from assay.pool.uid import find
from assay.strategy import PoolView, load_strategy, parse_settings, run_strategy
from assay.submission import Submission
from assay.track.spec import Budget


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def pool(tmp_path_factory) -> Pool:
    folder = tmp_path_factory.mktemp("baselines") / "foundry"
    return build_pool([FoundrySource(400)], folder, vocab_size=300)


def chosen(pool: Pool, name: str, *words: str, seed: int = 0) -> Submission:
    strategy = load_strategy(name, "text")
    settings = parse_settings(strategy, words)
    return run_strategy(
        strategy, pool, budget=Budget(10_000, "tokens", 10), seed=seed, settings=settings
    ).submission


def mean_quality(pool: Pool, submission: Submission) -> float:
    quality = pq.read_table(truth_path(pool.path))["quality"].to_numpy()
    return float(quality[find(pool.uids, submission.stages[0].uids)].mean())


@pytest.mark.parametrize("name", ["random", "quality_rules"])
def test_seeds_draw_different_documents(pool, name):
    lists = {chosen(pool, name, "fraction=0.5", seed=seed).digest for seed in range(3)}
    assert len(lists) == 3


@pytest.mark.parametrize("name", ["random", "oracle", "worst_first"])
def test_the_fraction_is_of_the_pool(pool, name):
    assert chosen(pool, name).n == round(0.3 * pool.n)
    assert chosen(pool, name, "fraction=0.1").n == round(0.1 * pool.n)


def test_random_lists_of_one_seed_are_nested(pool):
    small = set(chosen(pool, "random", "fraction=0.1").stages[0].uids.tolist())
    assert small < set(chosen(pool, "random", "fraction=0.4").stages[0].uids.tolist())


def test_random_draws_the_same_with_every_version_of_numpy(pool):
    raw = np.random.PCG64(0).random_raw(3)
    assert raw.tolist() == [11749869230777074271, 4976686463289251617, 755828109848996024]


def test_no_filter_takes_everything(pool):
    assert np.array_equal(chosen(pool, "no_filter").stages[0].uids, pool.uids)


def test_quality_runs_from_worst_over_random_and_rules_to_the_oracle(pool):
    names = ["worst_first", "random", "quality_rules", "oracle"]
    qualities = [mean_quality(pool, chosen(pool, name)) for name in names]
    assert qualities == sorted(qualities)
    assert qualities[2] > qualities[1] + 0.1


def test_the_oracle_takes_one_of_each_cluster_the_best(pool):
    truth = pq.read_table(truth_path(pool.path))
    rows = find(pool.uids, chosen(pool, "oracle", "fraction=1.0").stages[0].uids)
    clusters, quality = truth["cluster"].to_numpy(), truth["quality"].to_numpy()
    assert sorted(clusters[rows]) == sorted(set(clusters))
    best = {c: quality[clusters == c].max() for c in set(clusters)}
    assert all(quality[row] == best[clusters[row]] for row in rows)


RULES = ["c4", "gopher", "refinedweb", "fineweb", "redpajama_v2"]


@pytest.mark.parametrize("name", RULES)
def test_rules_keep_better_documents_than_random(pool, name):
    kept = chosen(pool, name)
    assert 0 < kept.n < pool.n
    assert mean_quality(pool, kept) > mean_quality(pool, chosen(pool, "random")) + 0.02


def test_random_by_domain_keeps_shares_or_evens_them_out(pool):
    sources = np.array(pool.column("source").to_pylist())

    def counts(by: str) -> dict[str, int]:
        words = (f"by={by}", "domain=source", "fraction=0.2")
        rows = find(pool.uids, chosen(pool, "random", *words).stages[0].uids)
        names, found = np.unique(sources[rows], return_counts=True)
        return dict(zip(names.tolist(), found.tolist(), strict=True))

    names, sizes = np.unique(sources, return_counts=True)
    proportional, uniform = counts("proportional"), counts("uniform")
    for name, size in zip(names.tolist(), sizes.tolist(), strict=True):
        assert abs(proportional.get(name, 0) - 0.2 * size) <= 1
    limited = [
        uniform[name] for name, size in zip(names, sizes, strict=True) if uniform[name] < size
    ]
    assert max(limited) - min(limited) <= 1
    assert sum(proportional.values()) == sum(uniform.values()) == 80


def test_controls_take_the_longest_a_shuffle_and_the_reverse(pool):
    longest = find(pool.uids, chosen(pool, "control").stages[0].uids)
    assert pool.n_tokens[longest].min() >= np.sort(pool.n_tokens)[-len(longest)]
    words = ("score=c4_sentences", "fraction=0.3")
    score = PoolView(pool, 1).signal("c4_sentences")
    rows = {
        kind: find(pool.uids, chosen(pool, "control", f"kind={kind}", *words).stages[0].uids)
        for kind in ("shuffled", "reversed")
    }
    assert score[rows["reversed"]].max() <= np.sort(score)[round(0.3 * pool.n) - 1]
    assert abs(score[rows["shuffled"]].mean() - score.mean()) < 0.35 * score.std()


def test_baselines_leave_nothing_behind():
    assert not list(Path(package_folder("baselines")).rglob("__pycache__"))
