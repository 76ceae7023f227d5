import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr

from assay.stats import transfer
from assay.stats.calibration import calibrate
from assay.stats.transfer import (
    decision_accuracy,
    kendall_tau_b,
    noise_ceiling,
    rank_transfer,
    selective_curve,
    spearman,
)

TIED = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=5, max_size=15)


@given(TIED)
def test_correlations_are_scipys_with_ties(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=float).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert kendall_tau_b(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)


@given(TIED)
def test_decision_accuracy_counts_ties_half_whichever_scale_has_them(
    pairs: list[tuple[int, int]],
) -> None:
    x, y = np.array(pairs, dtype=float).T
    assert decision_accuracy(x, y) == decision_accuracy(y, x)
    assert decision_accuracy(x, y) + decision_accuracy(x, -y) == pytest.approx(1)


@settings(max_examples=40)
@given(TIED.flatmap(lambda pairs: st.tuples(st.just(pairs), st.permutations(pairs))))
def test_the_order_of_recipes_changes_nothing(
    both: tuple[list[tuple[int, int]], list[tuple[int, int]]],
) -> None:
    (x, y), shuffled = (np.array(pairs, dtype=float).T for pairs in both)
    if min(len(set(x)), len(set(y))) < 3:
        return
    assert rank_transfer(*shuffled, seed=1) == rank_transfer(x, y, seed=1)


@pytest.mark.parametrize("n", [6, 11, 20])
@pytest.mark.parametrize("r", [0.3, 0.7, 0.9])
def test_resampled_intervals_cover_in_simulation(n: int, r: float, monkeypatch) -> None:
    monkeypatch.setattr(transfer, "RESAMPLES", 300)
    rng, tables, covered, above = np.random.default_rng(14), 200, np.zeros(2), 0
    tau = 2 / math.pi * math.asin(r)
    for number in range(tables):
        x = rng.normal(size=n)
        found = rank_transfer(x, r * x + math.sqrt(1 - r * r) * rng.normal(size=n), seed=number)
        kendall, accuracy = found.kendall, found.decision_accuracy
        covered += [
            kendall.low <= tau <= kendall.high,
            accuracy.low <= (1 + tau) / 2 <= accuracy.high,
        ]
        above += (1 + tau) / 2 > accuracy.high
    assert (covered / tables > 0.92).all()  # 95 % and two standard errors of this simulation
    assert n < 11 or (covered / tables < 0.985).all()
    assert (
        above / tables < 0.025 + 0.022
    )  # of both ends, the upper one is not the one that is missed


@pytest.mark.parametrize(
    ("n", "r", "least"),
    [(6, 0.9, 0.96), (11, 0.3, 0.94), (11, 0.9, 0.93), (11, 0.95, 0.90), (20, 0.9, 0.94)],
)
def test_spearmans_interval_covers_as_its_docstring_says(n: int, r: float, least: float) -> None:
    rng, tables, covered = np.random.default_rng(19), 800, 0
    rho = 6 / math.pi * math.asin(r / 2)
    for _ in range(tables):
        x = rng.normal(size=n)
        y = r * x + math.sqrt(1 - r * r) * rng.normal(size=n)
        found = transfer._spearman_interval(spearman(x, y), n)
        covered += found.low <= rho <= found.high
    assert least < covered / tables < 0.985


def test_perfect_agreement_is_not_certainty() -> None:
    x = np.arange(6.0)
    found = rank_transfer(x, x**2, seed=0)
    assert (
        found.spearman.value
        == found.kendall.value
        == found.decision_accuracy.value
        == pytest.approx(1)
    )
    assert found.decision_accuracy.low < 0.9
    assert found.spearman.low < 0.95
    assert found.regret == 0
    turned = rank_transfer(x, -x, seed=0)
    assert (turned.decision_accuracy.value, turned.decision_accuracy.low) == (0, 0)
    assert turned.decision_accuracy.high > 0.1
    assert turned.regret == 5


def test_pearson_shows_what_one_recipe_does() -> None:
    x = np.array([0.0, 0.1, 0.2, 0.3, 10.0])
    y = np.array([0.3, 0.0, 0.2, 0.1, 9.0])
    found = rank_transfer(x, y, seed=0).pearson
    assert found.value == pytest.approx(stats.pearsonr(x, y).statistic)
    assert found.low < 0 < 0.99 < found.value


def test_the_ceiling_is_what_a_perfect_predictor_reaches() -> None:
    rng, reached, ceilings = np.random.default_rng(15), [], []
    for _ in range(200):
        true = rng.normal(0, 1.5, 15)
        measured = true + rng.normal(0, 1, 15)
        reached.append(decision_accuracy(true, measured))
        ceiling = noise_ceiling(measured, np.ones(15))
        ceilings.append(math.nan if ceiling is None else ceiling)
    assert np.nanmean(ceilings) == pytest.approx(np.mean(reached), abs=0.03)
    assert noise_ceiling(np.array([1.0, 1.1, 0.9, 1.0]), np.ones(4)) is None
    assert noise_ceiling(np.arange(4.0), np.zeros(4)) == 1


def test_leaving_close_pairs_undecided_trades_coverage_for_accuracy() -> None:
    rng = np.random.default_rng(16)
    x = rng.normal(size=60)
    curve = selective_curve(x, x + rng.normal(0, 0.7, 60))
    assert curve[0].coverage == 1
    assert [p.coverage for p in curve] == sorted((p.coverage for p in curve), reverse=True)
    assert curve[-1].accuracy > curve[0].accuracy + 0.1


def test_probabilities_are_calibrated_on_unseen_recipes() -> None:
    rng, recipes = np.random.default_rng(17), 40
    true = rng.normal(0, 1, recipes)
    small = true + rng.normal(0, 0.3, recipes)
    large = true + rng.normal(0, 0.4, recipes)
    found = calibrate(small, large, np.full(recipes, 0.09))
    assert found is not None
    assert found.brier < 0.13
    assert all(
        abs(bin.predicted - bin.observed) < 0.15 for bin in found.reliability if bin.pairs > 80
    )
    assert found.probability(0.0, 0.18) == 0.5
    # What the model of the simulation says, its shrinkage by measurement noise included.
    spread = math.sqrt(2 * (0.09 / 1.09) + 2 * 0.16)
    assert found.probability(1.0, 0.18) == pytest.approx(ndtr(1 / 1.09 / spread), abs=0.1)


def test_few_recipes_are_insufficient() -> None:
    assert calibrate(np.arange(14.0), np.arange(14.0), np.ones(14)) is None
