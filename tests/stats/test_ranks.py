import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import expit

from assay.stats.bradley_terry import bradley_terry, fit_strengths
from assay.stats.multiplicity import benjamini_hochberg, holm
from assay.stats.noise import estimate_noise
from assay.stats.ranks import displayed_ranks, leave_one_task_out, rank_intervals, seed_stability

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_holm_adjusts_a_worked_example() -> None:
    # Holm (1979) by hand: sorted 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1, made monotone.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(P_VALUES)
def test_adjusted_p_values_keep_their_order_and_never_fall(p: list[float]) -> None:
    adjusted, discovery = holm(p), benjamini_hochberg(p)
    assert all(a >= x - 1e-12 for a, x in zip(adjusted, p, strict=True))
    assert all(d <= a + 1e-12 for d, a in zip(discovery, adjusted, strict=True))
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


def test_the_family_of_all_pairs_has_at_most_five_percent_errors() -> None:
    rng = np.random.default_rng(8)
    tables = rng.normal(0, 1, (1500, 5, 3))
    wrong = 0
    for table in tables:
        noise = estimate_noise({str(i): row for i, row in enumerate(table.tolist())})
        ranks = displayed_ranks(noise, lower_is_better=True)
        assert ranks is not None
        wrong += max(ranks.values()) > 1
    assert wrong / len(tables) < 0.055  # 5 % and one standard error of this simulation


def test_clear_differences_are_ranked_and_ties_share() -> None:
    noise = estimate_noise(
        {"a": [1.0, 1.01, 0.99], "b": [1.001, 1.0, 1.01], "c": [3.0, 3.01, 2.99]}
    )
    assert displayed_ranks(noise, lower_is_better=True) == {"a": 1, "b": 1, "c": 3}
    assert displayed_ranks(noise, lower_is_better=False) == {"a": 2, "b": 2, "c": 1}
    intervals = rank_intervals(noise, lower_is_better=True, seed=0)
    assert (intervals["c"].low, intervals["c"].high) == (3, 3)
    assert (intervals["a"].low, intervals["a"].high) == (1, 2)
    assert sum(interval.p_best for interval in intervals.values()) == pytest.approx(1)
    assert intervals["c"].p_top3 == 1


def test_without_noise_there_are_no_ranks() -> None:
    noise = estimate_noise({"a": [1.0], "b": [2.0]})
    assert displayed_ranks(noise, lower_is_better=True) is None
    assert rank_intervals(noise, lower_is_better=True, seed=0) == {}


def test_rank_intervals_cover_the_true_rank() -> None:
    rng, true = np.random.default_rng(9), np.arange(6) * 0.6
    covered, tables = 0, 150
    for number in range(tables):
        table = rng.normal(true[:, None], 1, (6, 3))
        noise = estimate_noise({str(i): row for i, row in enumerate(table.tolist())})
        found = rank_intervals(noise, lower_is_better=True, seed=number)
        covered += sum(found[str(i)].low <= i + 1 <= found[str(i)].high for i in range(6))
    assert covered / (6 * tables) > 0.94


def test_leaving_one_task_out_finds_the_rank_that_hangs_on_it() -> None:
    scores = np.array([[1.0, 1.0, 1.0], [-0.5, 2.0, 2.1], [2.0, 2.0, 2.0]])
    assert leave_one_task_out(scores, lower_is_better=True) == [(1, 2), (1, 3), (2, 3)]


def test_a_ranking_that_one_seed_makes_is_unstable() -> None:
    assert seed_stability([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [3.0, 3.0, 3.0]]) == 1
    assert seed_stability([[1.0, 1.0, 1.0], [0.0, 1.2, 1.2], [3.0, 3.0, 3.0]]) == pytest.approx(
        1 / 3
    )
    assert seed_stability([[1.0], [2.0]]) is None


def test_strengths_are_those_of_logistic_regression() -> None:
    rng = np.random.default_rng(10)
    wins = rng.integers(1, 9, (4, 4)).astype(float)
    np.fill_diagonal(wins, 0)

    def loss(theta: np.ndarray) -> float:
        return -(wins * np.log(expit(theta[:, None] - theta[None, :]))).sum() + theta.sum() ** 2

    expected = optimize.minimize(loss, np.zeros(4), tol=1e-12).x
    assert fit_strengths(wins, prior=0.0) == pytest.approx(expected - expected.mean(), abs=1e-4)


def test_winning_every_task_is_a_finite_strength() -> None:
    scores = np.stack([np.ones(12), np.zeros(12), np.tile([0.5, -0.5], 6)])
    best, middle, last = bradley_terry(scores, lower_is_better=False)
    assert np.isfinite(best)
    assert best > max(middle, last)
    worst, *_ = bradley_terry(scores, lower_is_better=True)
    assert worst == pytest.approx(-best)


def test_benjamini_hochberg_is_scipys() -> None:
    p = [0.01, 0.04, 0.03, 0.005]
    assert benjamini_hochberg(p) == stats.false_discovery_control(p).tolist()
    assert benjamini_hochberg([]) == []
