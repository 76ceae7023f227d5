import math

import numpy as np
import pytest
from scipy import stats

from assay.stats.noise import estimate_noise, pooled_sd
from assay.stats.power import best_of_inflation, minimal_detectable_effect, seeds_needed
from assay.stats.rules import record_verdict, rerun_tolerance, suspicion_p

# Seeds: against as many with own degrees, against 10 with own, both with a pool of 30 degrees.
PUBLISHED = {
    1: (None, 3.30, 4.10, 3.04),
    2: (5.66, 2.41, 2.90, 2.24),
    3: (3.07, 2.03, 2.37, 1.91),
    5: (2.03, 1.66, 1.83, 1.59),
    10: (1.33, 1.33, 1.30, 1.30),
}


@pytest.mark.parametrize("n", PUBLISHED)
def test_the_planning_table_comes_out(n: int) -> None:
    found = (
        minimal_detectable_effect(n, n),
        minimal_detectable_effect(n, 10),
        minimal_detectable_effect(n, n, degrees=30),
        minimal_detectable_effect(n, 10, degrees=30),
    )
    assert found == pytest.approx(PUBLISHED[n], abs=0.011)


def test_the_detectable_effect_is_found_with_its_power() -> None:
    effect = minimal_detectable_effect(4, 6)
    rng = np.random.default_rng(11)
    a, b = rng.normal(effect, 1, (40_000, 4)), rng.normal(0, 1, (40_000, 6))
    rejected = stats.ttest_ind(a, b, axis=1).pvalue < 0.05
    assert rejected.mean() == pytest.approx(0.8, abs=0.008)


def test_seeds_needed_inverts_the_detectable_effect() -> None:
    for effect in (0.8, 1.6, 3.1):
        n = seeds_needed(effect, degrees=30)
        assert n is not None
        assert minimal_detectable_effect(n, n, degrees=30) <= effect  # type: ignore[operator]
        assert minimal_detectable_effect(n - 1, n - 1, degrees=30) > effect  # type: ignore[operator]
    assert seeds_needed(0.1, other_seeds=3, degrees=30) is None


def test_the_best_of_many_flatters_as_published() -> None:
    found = [best_of_inflation(k) for k in (1, 3, 5, 10, 20, 50)]
    assert found == pytest.approx([0.0, 0.85, 1.16, 1.55, 1.87, 2.25], abs=0.012)
    assert best_of_inflation(2) == pytest.approx(1 / math.sqrt(math.pi))


@pytest.mark.parametrize("entries", [2, 5, 12])
def test_a_record_is_rarely_claimed_where_there_is_none(entries: int) -> None:
    rng = np.random.default_rng(12)
    accepted, tables = 0, 3000
    for table in rng.normal(0, 1, (tables, entries, 3)):
        noise = estimate_noise({str(i): row for i, row in enumerate(table.tolist())})
        for lower in (True, False):
            verdict = record_verdict(noise, "0", "1", lower_is_better=lower)
            assert verdict is not None
            accepted += verdict.accepted
    assert accepted / (2 * tables) <= 0.0113  # 1 % and one standard error of this simulation


def test_a_record_needs_both_size_and_certainty() -> None:
    values = {"new": [1.0, 1.1, 0.9], "best": [1.35, 1.45, 1.25]}
    claimed = record_verdict(estimate_noise(values), "new", "best", lower_is_better=True)
    assert claimed is not None
    assert claimed.accepted
    assert (claimed.gain, claimed.needed) == pytest.approx((0.35, 0.1))
    turned = record_verdict(estimate_noise(values), "new", "best", lower_is_better=False)
    assert turned is not None
    assert not turned.accepted
    many = {"new": [0.95, 1.15] * 40, "best": [1.0, 1.2] * 40}
    small = record_verdict(estimate_noise(many), "new", "best", lower_is_better=True)
    assert small is not None
    assert small.p < 0.01
    assert not small.accepted
    assert (
        record_verdict(estimate_noise({"a": [1.0], "b": [2.0]}), "a", "b", lower_is_better=True)
        is None
    )


def test_the_suspicion_test_is_students_one_sided_test() -> None:
    logs, reruns = [0.9, 1.0, 0.95], [1.2, 1.3, 1.1, 1.25]
    expected = stats.ttest_ind(logs, reruns, equal_var=True, alternative="less").pvalue
    sd, degrees = pooled_sd([logs, reruns])
    assert sd is not None
    gain = float(np.mean(reruns) - np.mean(logs))
    assert suspicion_p(gain, sd, degrees, 3, 4) == pytest.approx(expected)
    assert suspicion_p(-gain, sd, degrees, 3, 4) == pytest.approx(1 - expected)


def test_honest_reruns_agree_99_percent_of_the_time() -> None:
    rng = np.random.default_rng(13)
    claimed, reruns = rng.normal(0, 1, (20_000, 3)), rng.normal(0, 1, 20_000)
    sds = np.sqrt(rng.chisquare(20, 20_000) / 20)
    inside = np.abs(reruns - claimed.mean(axis=1)) <= rerun_tolerance(1.0, 20, 3) * sds
    assert inside.mean() == pytest.approx(0.99, abs=0.003)


@pytest.mark.parametrize("degrees", [1, 2, 4])
def test_few_degrees_have_the_power_that_simulation_finds(degrees: int) -> None:
    effect = minimal_detectable_effect(2, 3, degrees=degrees)
    assert effect is not None
    rng = np.random.default_rng(degrees)
    center = effect / math.sqrt(1 / 2 + 1 / 3)
    drawn = rng.normal(center, 1, 200_000) / np.sqrt(rng.chisquare(degrees, 200_000) / degrees)
    power = (np.abs(drawn) > stats.t.ppf(0.975, degrees)).mean()
    assert power == pytest.approx(0.8, abs=0.005)
