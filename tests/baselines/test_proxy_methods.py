"""Text methods that stage their lists or ask small models: each beside its definition, on made-up signals."""

import runpy
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from assay.errors import StrategyError
from assay.home import package_folder
from assay.pool.uid import UID_DTYPE, find
from assay.reproduce.run import choose_baselines, score_baselines
from assay.settings import Settings
from assay.strategy import load_strategy
from assay.submission import Submission
from assay.track.load import load
from tiny import SCALE, TRACK

N = 400
TEXT = package_folder("baselines") / "text"


def view(columns: dict[str, Any] | None = None, tokens_seen: int = 10_000, **signals: Any):
    """Return what a strategy may see of a made-up pool, signals included."""
    uids = np.zeros(N, dtype=UID_DTYPE)
    uids["f0"] = np.arange(N) * 7
    columns = {"host": [None] * N, "source": ["one"] * N} | (columns or {})
    n_tokens = np.random.default_rng(1).integers(20, 180, N)
    return SimpleNamespace(
        n=N,
        uids=uids,
        n_tokens=n_tokens,
        num_tokens=int(n_tokens.sum()),
        tokens_seen=tokens_seen,
        column_names=tuple(columns),
        column=lambda name: pa.array(columns[name]),
        signal=lambda name, **_: signals[name],
    )


def run(pool: Any, name: str, **settings: Any) -> Any:
    strategy = load_strategy(name, "text")
    unknown = set(settings) - {"seed", *strategy.defaults}
    assert not unknown, unknown
    return strategy.select(pool, **{"seed": 0} | settings)


def stages(pool: Any, submission: Submission) -> list[np.ndarray]:
    return [find(pool.uids, stage.uids) for stage in submission.stages]


def drawn(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=N).astype(np.float32)


def test_color_filter_keeps_where_the_loss_falls_most() -> None:
    prior, conditional = drawn(1), drawn(2)
    prior[5] = np.nan  # a document without tokens
    pool = view(proxy_loss=prior, conditional_loss=conditional)
    rows = find(pool.uids, run(pool, "color_filter", fraction=0.2))
    fall = np.nan_to_num(prior - conditional, nan=-np.inf)
    assert rows.tolist() == np.sort(np.argsort(-fall)[:80]).tolist()


def test_color_filter_without_fine_tuning_draws_at_random() -> None:
    pool = view(proxy_loss=drawn(1), conditional_loss=drawn(1))
    lists = [find(pool.uids, run(pool, "color_filter", seed=seed)) for seed in range(2)]
    assert [len(rows) for rows in lists] == [120, 120]
    assert 15 < len(set(lists[0]) & set(lists[1])) < 60  # 36 by chance


def test_s2l_takes_equal_shares_of_ways_to_be_learnt() -> None:
    ways = np.repeat(
        [[5.0, 4.0, 3.0, 2.0], [5.0, 5.0, 5.0, 5.0], [9.0, 1.0, 1.0, 1.0]], [300, 80, 20], 0
    )
    noisy = (ways + np.random.default_rng(3).normal(0, 0.01, ways.shape)).astype(np.float32)
    noisy[0] = np.nan  # a document without tokens is a way of its own
    pool = view(loss_trajectory=noisy)
    rows = find(pool.uids, run(pool, "s2l", fraction=0.3, clusters=4))
    counts = np.bincount(np.digitize(rows, [1, 300, 380]), minlength=4)
    assert counts.tolist() in ([1, 50, 49, 20], [1, 49, 50, 20])
    again = find(pool.uids, run(pool, "s2l", fraction=0.3, clusters=4))
    assert rows.tolist() == again.tolist()


def test_preselect_learns_from_full_strength_and_as_many_of_the_lowest() -> None:
    examples = runpy.run_path(str(TEXT / "preselect_lite.py"))["examples"]
    strength = np.repeat([0.9, 1.0, np.nan, 0.0, 0.4], [40, 30, 10, 10, 10]).astype(np.float32)
    positives, negatives = examples(strength, np.random.default_rng(0).normal(size=100))
    assert len(set(positives)) == len(set(negatives)) == 20  # two ninths of the 90 that are known
    assert set(strength[positives].tolist()) == {1.0}
    assert set(negatives) == set(range(80, 100))
    few = np.array([1, 0.5, 0.2] + [1] * 40, dtype=np.float32)
    positives, negatives = examples(few, np.zeros(43))
    assert (len(positives), sorted(negatives)) == (2, [1, 2])
    with pytest.raises(StrategyError, match="proxy_tokens"):
        examples(np.ones(4, dtype=np.float32), np.zeros(4))


def test_qurating_is_top_k_when_cold_and_random_when_hot() -> None:
    rating = drawn(3)
    pool = view(preference=rating)
    top = find(pool.uids, run(pool, "qurating_lite", temperature=0.0).stages[0].uids)
    rest = np.setdiff1d(np.arange(N), top)
    assert rating[top].min() > rating[rest].max()
    budget = 0.3 * pool.num_tokens
    assert budget <= pool.n_tokens[top].sum() < budget + 180
    means = []
    for temperature in (0.0, 0.5, 2.0, 1e9):
        lists = [
            find(
                pool.uids,
                run(pool, "qurating_lite", temperature=temperature, seed=seed).stages[0].uids,
            )
            for seed in range(8)
        ]
        means.append(np.mean([rating[rows].mean() for rows in lists]))
    assert means == sorted(means, reverse=True)
    assert means[-1] == pytest.approx(rating.mean(), abs=0.15)


def test_qurating_gives_each_domain_its_share() -> None:
    domains = ["a"] * 300 + ["b"] * 100
    pool = view({"host": domains}, preference=np.arange(N, dtype=np.float32))
    rows = find(pool.uids, run(pool, "qurating_lite", temperature=0.0).stages[0].uids)
    for start, stop in ((0, 300), (300, 400)):
        mine = rows[(rows >= start) & (rows < stop)]
        share = pool.n_tokens[mine].sum() / pool.n_tokens[start:stop].sum()
        assert share == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("curriculum", ["rising", "falling"])
def test_a_curriculum_lines_random_documents_up(curriculum: str) -> None:
    rating = drawn(4)
    pool = view(preference=rating)
    submission = run(pool, "qurating_lite", curriculum=curriculum)
    parts = stages(pool, submission)
    assert len(parts) == 10
    levels = [(rating[part].min(), rating[part].max()) for part in parts]
    if curriculum == "falling":
        levels.reverse()
    assert all(low[1] <= high[0] for low, high in pairwise(levels))
    shown = np.concatenate(parts)
    assert len(shown) == len(set(shown.tolist()))
    assert rating[shown].mean() == pytest.approx(rating.mean(), abs=0.2)
    tokens = np.array([pool.n_tokens[part].sum() for part in parts])
    shares = [stage.share_ppm / 1e6 for stage in submission.stages]
    assert shares == pytest.approx(tokens / tokens.sum(), abs=1e-5)
    with pytest.raises(StrategyError, match="none, rising or falling"):
        run(pool, "qurating_lite", curriculum="up")


def test_rs2_shows_fresh_documents_until_none_are_left() -> None:
    pool = view(tokens_seen=100_000)
    submission = run(pool, "rs2", fraction=0.25)
    parts = stages(pool, submission)
    assert all(len(part) == 100 for part in parts)
    assert len(set(np.concatenate(parts[:4]).tolist())) == N
    assert len(parts) == 10  # of about 10,000 tokens each
    later = np.concatenate(parts[4:8])
    assert len(set(later.tolist())) == N
    assert parts[0].tolist() != parts[4].tolist()
    shown = np.array([stage.share_ppm for stage in submission.stages[:-1]]) / 1e6 * 100_000
    passes = np.array([(pool.n_tokens[part] + 1).sum() for part in parts[:-1]])
    assert shown == pytest.approx(passes, rel=0.02)
    assert run(pool, "rs2", fraction=0.25).digest == submission.digest
    assert run(pool, "rs2", fraction=0.25, seed=1).digest != submission.digest


def test_rs2_of_a_large_pool_is_one_pass() -> None:
    submission = run(view(tokens_seen=1000), "rs2", fraction=0.5)
    assert (len(submission.stages), submission.n) == (1, 200)


HOSTS = {"host": [f"h{row % 5}" for row in range(N - 1)] + [None]}


def test_domains_come_by_closeness_until_they_hold_the_fraction() -> None:
    closeness = np.array([row % 5 for row in range(N)], dtype=np.float32)
    closeness[-1] = -9
    pool = view(HOSTS, importance=closeness)
    whole, late = stages(pool, run(pool, "domain_upsampling"))
    assert whole.tolist() == list(range(N))
    assert set(late % 5) == {3, 4}  # one fifth of the pool each, and 0.3 of it is wanted
    assert len(late) == 2 * 80 - 1
    submission = run(pool, "domain_upsampling", late=0.1, fraction=0.01)
    assert [stage.share_ppm for stage in submission.stages] == [900_000, 100_000]
    assert set(stages(pool, submission)[1] % 5) == {4}


def test_domains_can_be_named() -> None:
    pool = view(HOSTS)
    late = stages(pool, run(pool, "domain_upsampling", domains="h0,h2"))[1]
    assert set(late % 5) == {0, 2}
    with pytest.raises(StrategyError, match="no document has 'h9' in its host"):
        run(pool, "domain_upsampling", domains="h0,h9")
    with pytest.raises(StrategyError, match=r"'host' names no two domains.*--set domain=COLUMN"):
        run(view(), "domain_upsampling")
    with pytest.raises(StrategyError, match="'source' names no two domains"):
        run(view(), "domain_upsampling", domain="source")
    with pytest.raises(StrategyError, match="late is the part"):
        run(pool, "domain_upsampling", late=1.0)


def test_what_is_likely_as_harmful_text_goes() -> None:
    perplexity = np.exp(drawn(5))
    pool = view(perplexity=perplexity)
    kept = find(pool.uids, run(pool, "harmful_lm_perplexity", reference="host~bad"))
    assert kept.tolist() == np.sort(np.argsort(-perplexity)[:280]).tolist()
    above = find(pool.uids, run(pool, "harmful_lm_perplexity", reference="x", threshold=1.0))
    assert above.tolist() == np.flatnonzero(perplexity > 1).tolist()


def test_reproduce_skips_what_has_no_reference_and_says_why(tiny_home, monkeypatch) -> None:
    monkeypatch.setattr("assay.signals.text.reference.EMBEDDED_HARMFUL", "absent")
    loaded = load(TRACK, SCALE)
    baselines = choose_baselines(loaded, ["harmful_lm_perplexity"])
    found = score_baselines(loaded, baselines, seeds=1, settings=Settings())
    assert found.records == {}
    assert "--set reference=POOL" in found.skipped["harmful_lm_perplexity"]
