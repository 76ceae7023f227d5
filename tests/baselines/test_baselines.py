"""The contract of every file in baselines/, and what each baseline promises."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import Pool, build_pool
from assay.pool.manifest import truth_path
from assay.pool.uid import find
from assay.strategy import list_strategies, load_strategy, parse_settings, run_strategy
from assay.submission import Submission
from assay.track.spec import Budget

NAMES = list_strategies("text")


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


@pytest.mark.parametrize("name", NAMES)
def test_a_baseline_says_claim_source_and_cost(name):
    text = (package_folder("baselines") / "text" / f"{name}.py").read_text()
    docstring = text.split('"""')[1]
    assert all(field in docstring for field in ("\nClaim: ", "\nSource: ", "\nCost: "))


@pytest.mark.parametrize("name", NAMES)
def test_a_baseline_is_in_the_readme(name):
    readme = (package_folder("baselines") / "README.md").read_text()
    assert f"`{name}`" in readme


@pytest.mark.parametrize("name", NAMES)
def test_a_baseline_chooses_from_the_pool_and_the_same_again(pool, name):
    first, again = chosen(pool, name), chosen(pool, name)
    assert first.digest == again.digest
    assert (find(pool.uids, first.stages[0].uids) >= 0).all()


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


def test_baselines_leave_nothing_behind():
    assert not list(Path(package_folder("baselines")).rglob("__pycache__"))
