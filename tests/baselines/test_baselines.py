"""What each text baseline promises; `test_contract.py` has what all of them do."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from assay.errors import StrategyError
from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import Pool, build_pool
from assay.pool.manifest import truth_path
from assay.pool.uid import find
from assay.strategy import load_strategy, parse_settings, run_strategy
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
    hosts = np.array(pool.column("host").to_pylist())

    def counts(name: str) -> dict[str, int]:
        rows = find(pool.uids, chosen(pool, name, "fraction=0.2").stages[0].uids)
        names, found = np.unique(hosts[rows], return_counts=True)
        return dict(zip(names.tolist(), found.tolist(), strict=True))

    names, sizes = np.unique(hosts, return_counts=True)
    assert len(names) > 20
    proportional, uniform = counts("random_by_domain"), counts("random_domain_uniform")
    for name, size in zip(names.tolist(), sizes.tolist(), strict=True):
        assert abs(proportional.get(name, 0) - 0.2 * size) <= 1
    limited = [
        uniform[name] for name, size in zip(names, sizes, strict=True) if uniform[name] < size
    ]
    assert max(limited) - min(limited) <= 1
    assert sum(proportional.values()) == sum(uniform.values()) == 80


def test_domains_have_to_be_there(pool):
    with pytest.raises(StrategyError, match=r"'nothing' names no two domains.*--set domain=COLUMN"):
        chosen(pool, "random_by_domain", "domain=nothing")
    with pytest.raises(StrategyError, match="'source' names no two domains"):
        chosen(pool, "random_domain_uniform", "domain=source")


def test_the_control_of_length_takes_the_longest(pool):
    longest = find(pool.uids, chosen(pool, "control_length").stages[0].uids)
    assert len(longest) == 120
    assert pool.n_tokens[longest].min() >= np.sort(pool.n_tokens)[-len(longest)]


def test_a_reversed_score_is_worse_than_random_and_shuffled_labels_are_like_it(pool):
    names = ("fasttext", "control_shuffled", "control_reversed")
    reference = "reference=foundry-text-reference-100"
    found = {name: mean_quality(pool, chosen(pool, name, reference)) for name in names}
    random = mean_quality(pool, chosen(pool, "random"))
    assert found["fasttext"] > random + 0.15
    assert found["control_reversed"] < random - 0.15
    assert found["control_shuffled"] == pytest.approx(random, abs=0.12)


def test_baselines_leave_nothing_behind():
    assert not list(Path(package_folder("baselines")).rglob("__pycache__"))
