"""The selector: its limits are random and top-k, its frequencies those of the weights, its order nobody's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assay.pool.uid import UID_DTYPE
from assay.strategy.sampling import choose, gumbel_noise, quotas_of, weights_of


def uids(n: int, seed: int = 0) -> np.ndarray:
    made = np.zeros(n, dtype=UID_DTYPE)
    draw = np.random.default_rng(seed)
    made["f0"], made["f1"] = draw.integers(0, 2**63, size=(2, n), dtype=np.uint64)
    return made


scores_of = st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=80).map(np.array)


@given(scores_of, st.floats(0, 1), st.integers(0, 5))
def test_temperature_zero_is_top_k(scores, fraction, seed):
    k = round(fraction * len(scores))
    rows = choose(scores, gumbel_noise(uids(len(scores)), seed, "t"), k)
    assert len(rows) == k
    assert sorted(scores[rows]) == sorted(np.sort(scores)[len(scores) - k :])


@given(scores_of, st.floats(0, 1), st.integers(0, 5))
def test_temperature_infinity_is_random_whatever_the_scores(scores, fraction, seed):
    k, noise = round(fraction * len(scores)), gumbel_noise(uids(len(scores)), seed, "t")
    drawn = choose(scores, noise, k, temperature=np.inf)
    assert np.array_equal(drawn, choose(np.zeros(len(scores)), noise, k))
    assert np.array_equal(drawn, choose(-scores, noise, k, temperature=1e30))


def test_draws_of_one_follow_the_softmax():
    scores, temperature, n = np.array([0.0, 1.0, 2.0, -1.0, 0.5]), 0.7, 5000
    ids = uids(5)
    drawn = [
        int(choose(scores, gumbel_noise(ids, seed, "one"), 1, temperature=temperature)[0])
        for seed in range(n)
    ]
    weights = np.exp(scores / temperature)
    expected = n * weights / weights.sum()
    assert stats.chisquare(np.bincount(drawn, minlength=5), expected).pvalue > 1e-4


def test_inclusion_in_draws_without_replacement_matches_sequential_drawing():
    weights, n = np.array([4.0, 2.0, 1.0, 1.0]), 5000
    ids = uids(4)
    counts = np.zeros(4)
    for seed in range(n):
        counts[choose(np.log(weights), gumbel_noise(ids, seed, "two"), 2, temperature=1.0)] += 1
    shares = weights / weights.sum()
    exact = shares + [
        sum(shares[j] * shares[i] / (1 - shares[j]) for j in range(4) if j != i) for i in range(4)
    ]
    assert np.abs(counts / n - exact).max() < 4 * np.sqrt(0.25 / n)


def test_noise_is_standard_gumbel_and_differs_by_seed_and_purpose():
    ids = uids(20_000)
    first = gumbel_noise(ids, 0, "a")
    assert stats.kstest(first, stats.gumbel_r.cdf).pvalue > 1e-4
    for other in (gumbel_noise(ids, 1, "a"), gumbel_noise(ids, 0, "b")):
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.03


@given(
    scores_of,
    st.floats(0, 1),
    st.sampled_from([0.0, 0.5, np.inf]),
    st.integers(0, 3),
    st.integers(1, 40),
    st.booleans(),
)
def test_the_order_of_examples_plays_no_part(
    scores, fraction, temperature, seed, num_groups, costly
):
    n = len(scores)
    ids, groups = uids(n), np.arange(n) % num_groups
    costs = 1 + np.arange(n) * 37 % 90 if costly else np.ones(n)
    amount = round(fraction * costs.sum())

    def chosen(order: np.ndarray) -> set:
        rows = choose(
            scores[order],
            gumbel_noise(ids[order], seed, "o"),
            amount,
            temperature=temperature,
            costs=costs[order] if costly else None,
            groups=groups[order],
        )
        return set(ids[order][rows].tolist())

    assert chosen(np.arange(n)) == chosen(np.random.default_rng(seed).permutation(n))


def test_an_example_keeps_its_draw_beside_other_candidates():
    ids = uids(100)
    assert np.array_equal(gumbel_noise(ids, 3, "x")[10:20], gumbel_noise(ids[10:20], 3, "x"))


@given(scores_of, st.integers(0, 3000))
def test_tokens_reach_the_budget_and_no_further_than_one_document(scores, budget):
    costs = 1 + np.arange(len(scores)) * 37 % 90
    rows = choose(scores, gumbel_noise(uids(len(scores)), 0, "c"), budget, costs=costs)
    assert costs[rows].sum() >= min(budget, costs.sum())
    assert costs[rows].sum() - budget < costs.max()


documents_of = st.lists(st.tuples(st.integers(1, 500), st.integers(0, 30)), min_size=1, max_size=80)


@given(
    documents_of,
    st.floats(0, 1.2),
    st.sampled_from(["proportional", "uniform", "named"]),
    st.sampled_from([0.0, 1.0, np.inf]),
    st.integers(0, 3),
)
def test_tokens_by_group_reach_the_budget_and_no_further_than_one_document(
    documents, fraction, shares, temperature, seed
):
    costs, groups = np.array(documents).T
    if shares == "named":  # every third group gets nothing
        shares = {group: float(group % 3) for group in range(31)}
    names, place = np.unique(groups, return_inverse=True)
    sizes = np.bincount(place, costs)
    weights = weights_of(names, sizes, shares)
    amount = round(fraction * costs.sum())
    noise = gumbel_noise(uids(len(costs)), seed, "cg")
    rows = choose(
        costs % 7, noise, amount, temperature=temperature, costs=costs, groups=groups, shares=shares
    )
    spent = np.bincount(place[rows], costs[rows], minlength=len(names))
    available = sizes[weights > 0].sum()
    assert spent.sum() >= min(amount, available)
    assert spent.sum() == 0 or spent.sum() - amount < costs[rows].max()
    largest = np.array([costs[place == group].max() for group in range(len(names))])
    assert (np.abs(spent - quotas_of(sizes, weights, amount)) < largest).all()


@pytest.mark.parametrize("by_tokens", [False, True])
def test_groups_too_small_for_their_quota_get_their_share_over_seeds(by_tokens):
    ones, twos, seeds, fraction = 120, 60, 400, 0.3
    groups = np.concatenate([np.arange(ones), np.repeat(ones + np.arange(twos), 2)])
    costs = 50 + np.arange(len(groups)) * 37 % 100 if by_tokens else np.ones(len(groups))
    ids, counts, spent = uids(len(groups)), np.zeros(len(groups)), []
    for seed in range(seeds):
        rows = choose(
            np.zeros(len(groups)),
            gumbel_noise(ids, seed, "fair"),
            round(fraction * costs.sum()),
            costs=costs if by_tokens else None,
            groups=groups,
        )
        counts[rows] += 1
        spent.append(costs[rows].sum())
    assert np.ptp(spent) < costs.max()
    shares = counts / seeds
    assert abs(shares[:ones].mean() - fraction) < 0.02
    assert abs(shares[ones:].mean() - fraction) < 0.02
    # None is always in or never: five deviations of 400 draws.
    assert np.abs(shares[:ones] - fraction).max() < 0.12


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), min_size=1, max_size=8),
    st.integers(0, 300),
)
def test_quotas_use_the_whole_amount_and_give_no_group_more_than_it_has(groups, amount):
    sizes, weights = np.array(groups, dtype=float).T
    quotas = quotas_of(sizes, weights, amount)
    assert (quotas <= sizes + 1e-9).all()
    assert (quotas[weights == 0] == 0).all()
    assert quotas.sum() == pytest.approx(min(amount, sizes[weights > 0].sum()))
    # Whoever is not full has its share of what the full ones left.
    partial = (weights > 0) & (quotas < sizes - 1e-9)
    if partial.any():
        rate = quotas[partial] / weights[partial]
        assert np.allclose(rate, rate[0])
        full = (weights > 0) & ~partial
        assert (quotas[full] <= rate[0] * weights[full] + 1e-6).all()


@settings(max_examples=50)
@given(st.integers(1, 60), st.floats(0, 1), st.sampled_from(["proportional", "uniform"]))
def test_groups_together_get_exactly_the_examples_asked_for(n, fraction, shares):
    groups = np.array(["a", "b", "c", "d"])[np.arange(n) % 7 % 4]
    k = round(fraction * n)
    noise = gumbel_noise(uids(n), 0, "g")
    rows = choose(np.zeros(n), noise, k, groups=groups, shares=shares)
    assert len(rows) == k
    _, counts = np.unique(groups[rows], return_counts=True)
    _, sizes = np.unique(groups, return_counts=True)
    if shares == "proportional" and len(counts) == len(sizes):
        assert np.abs(counts - fraction * sizes).max() <= 1.5


def test_explicit_shares_and_missing_scores():
    groups = np.array(["a"] * 10 + ["b"] * 10)
    scores = np.arange(20.0)
    scores[19] = np.nan
    noise = gumbel_noise(uids(20), 0, "s")
    rows = choose(scores, noise, 8, groups=groups, shares={"a": 1, "b": 3})
    assert rows.tolist() == [8, 9, 13, 14, 15, 16, 17, 18]
