import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assay.stats.items import item_error, on_new_items
from assay.stats.noise import Noise, difference, estimate_noise, half_width, pooled_sd

SCORES = st.lists(st.floats(-10, 10), min_size=2, max_size=6)


def test_a_pooled_difference_of_two_entries_is_students_test() -> None:
    a, b = [1.0, 1.4, 1.1], [2.0, 1.7, 2.2, 2.4]
    found = estimate_noise({"a": a, "b": b}).difference("a", "b")
    expected = stats.ttest_ind(a, b, equal_var=True)
    assert found is not None
    assert found.form == "pooled"
    assert found.p_two_sided == pytest.approx(expected.pvalue, rel=1e-10)
    assert (found.low, found.high) == pytest.approx(
        tuple(expected.confidence_interval()), rel=1e-10
    )
    assert found.p_greater == pytest.approx(stats.ttest_ind(a, b, alternative="greater").pvalue)


def test_entries_with_their_own_variance_are_welchs_test() -> None:
    a, b = [1.0, 1.4, 1.1], [2.0, 0.2, 3.2, 4.4]
    own = {"a": float(np.std(a, ddof=1)), "b": float(np.std(b, ddof=1))}
    found = Noise(None, 0, own, {"a": a, "b": b}).difference("a", "b")
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert found is not None
    assert (found.form, found.degrees) == ("welch", pytest.approx(expected.df))
    assert found.p_two_sided == pytest.approx(expected.pvalue, rel=1e-10)


def test_a_noisy_entry_keeps_its_variance_and_leaves_the_pool_alone() -> None:
    rng = np.random.default_rng(1)
    values = {str(i): rng.normal(0, 0.003, 3).tolist() for i in range(4)}
    noise = estimate_noise(values | {"wild": [0.0, 0.5, -0.4]})
    assert set(noise.own) == {"wild"}
    assert (noise.sd, noise.degrees) == pooled_sd(list(values.values()))
    between = noise.difference("wild", "0")
    assert between is not None
    assert between.form == "welch"
    assert noise.half_width("wild") > 50 * noise.half_width("0")  # type: ignore[operator]


def test_one_seed_each_has_no_noise_estimate() -> None:
    noise = estimate_noise({"a": [1.0], "b": [2.0]})
    assert (noise.sd, noise.degrees) == (None, 0)
    assert noise.difference("a", "b") is None
    assert noise.half_width("a") is None


def test_equal_scores_do_not_differ_and_unequal_ones_without_noise_do() -> None:
    assert difference(0.0, 0.0, 4, "pooled").p_two_sided == 1
    assert difference(0.1, 0.0, 4, "pooled").p_two_sided == 0


@given(st.lists(SCORES, min_size=2, max_size=5), st.floats(-5, 5))
def test_shifting_all_scores_changes_no_noise(samples: list[list[float]], shift: float) -> None:
    before = pooled_sd(samples)
    after = pooled_sd([[x + shift for x in group] for group in samples])
    assert after[1] == before[1]
    assert after[0] == pytest.approx(before[0], abs=1e-6)


@given(SCORES, SCORES)
def test_a_difference_turned_round_is_its_mirror(a: list[float], b: list[float]) -> None:
    noise = estimate_noise({"a": a, "b": b})
    one, other = noise.difference("a", "b"), noise.difference("b", "a")
    assert one is not None
    assert other is not None
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)
    assert one.p_two_sided == pytest.approx(other.p_two_sided)


@pytest.mark.parametrize("entries", [2, 3, 6, 15])
def test_nominal_intervals_of_three_seeds_cover_95_percent(entries: int) -> None:
    rng = np.random.default_rng(20 + entries)
    tables = rng.normal(0, 1, (3000, entries, 3))
    covered = np.zeros(2)
    for table in tables:
        noise = estimate_noise({str(i): row for i, row in enumerate(table.tolist())})
        width, gap = noise.half_width("0"), noise.difference("0", "1")
        assert width is not None
        assert gap is not None
        covered += [abs(table[0].mean()) <= width, gap.low <= 0 <= gap.high]
    assert (covered / len(tables) > 0.935).all()
    assert (covered / len(tables) < 0.965).all()


@pytest.mark.parametrize("sds", [(1, 2), (1, 1, 1, 2), (1, 1, 1, 2, 2, 2), (1,) * 9 + (2,)])
def test_twice_the_noise_costs_what_the_docstring_says(sds: tuple[int, ...]) -> None:
    rng, tables, k = np.random.default_rng(24), 1500, len(sds)
    covered: dict[int, list[bool]] = {2: [], 3: [], 4: []}
    for table in rng.normal(0, 1, (tables, k, 3)) * np.array(sds)[:, None]:
        noise = estimate_noise({str(i): row for i, row in enumerate(table.tolist())})
        for i, j in itertools.combinations(range(k), 2):
            gap = noise.difference(str(i), str(j))
            assert gap is not None
            covered[sds[i] + sds[j]].append(gap.low <= 0 <= gap.high)
    quiet, mixed, noisy = covered.values()
    assert 0.925 < np.mean(quiet + mixed + noisy) < 0.965
    assert np.mean(mixed) > 0.85
    assert not quiet or np.mean(quiet) > 0.94
    assert not noisy or np.mean(noisy) > 0.87


def test_half_widths_are_scipys() -> None:
    assert half_width(2.0, 7, 3) == pytest.approx(
        stats.t.ppf(0.975, 7) * 2 / math.sqrt(3), rel=1e-12
    )


def test_independent_items_have_the_textbook_error() -> None:
    rng = np.random.default_rng(6)
    one, two = rng.normal(0, 1, 50), rng.normal(0, 2, 80)
    found = item_error({"one": one, "two": two})
    expected = math.hypot(stats.sem(one), stats.sem(two)) / 2
    assert found.se == pytest.approx(expected, rel=1e-12)


def test_item_errors_cover_when_items_share_passages() -> None:
    rng = np.random.default_rng(7)
    labels, naive, clustered, tables = np.repeat(np.arange(40), 5), 0, 0, 1200
    for _ in range(tables):
        passage = np.repeat(rng.normal(0, math.sqrt(0.7), (2, 40)), 5, axis=1)
        a, b = passage + rng.normal(0, math.sqrt(0.3), (2, 200))
        delta = (a.mean() + b.mean()) / 2
        by_task = {"a": a, "b": b}
        for which, clusters in (("naive", None), ("clustered", {"a": labels, "b": labels})):
            error = item_error(by_task, clusters)
            found = difference(delta, error.se, error.degrees, "pooled")
            hit = found.low <= 0 <= found.high
            naive, clustered = (
                naive + (hit and which == "naive"),
                clustered + (hit and which != "naive"),
            )
    assert 0.935 < clustered / tables < 0.97
    assert naive / tables < 0.75


@pytest.mark.parametrize(
    ("run_sd", "tasks", "items"), [(0.05, 3, 60), (0.2, 3, 60), (0.2, 8, 30), (1.0, 3, 60)]
)
def test_intervals_for_new_items_cover_over_seeds_and_items(
    run_sd: float, tasks: int, items: int
) -> None:
    rng, tables, covered = np.random.default_rng(25), 1500, 0
    for _ in range(tables):
        shared = rng.normal(
            0, 1, (2, 1, tasks, items)
        )  # what an entry makes of an item, whatever the seed
        runs = rng.normal(0, run_sd, (2, 3, 1, 1)) + rng.normal(0, 0.3, (2, 3, tasks, items))
        scores = shared + runs
        a, b = scores.mean(axis=(2, 3)).tolist()
        seed = estimate_noise({"a": a, "b": b}).difference("a", "b")
        assert seed is not None
        gaps = scores[0].mean(axis=0) - scores[1].mean(axis=0)
        found = on_new_items(seed, item_error({str(t): gap for t, gap in enumerate(gaps)}))
        covered += found.low <= 0 <= found.high
    assert 0.935 < covered / tables < 0.965


def test_new_items_only_widen() -> None:
    seed = difference(0.3, 0.1, 12, "pooled")
    wide = on_new_items(seed, item_error({"a": np.array([0.1, 0.5, 0.2, 0.4])}))
    assert wide.delta == seed.delta
    assert wide.low < seed.low
    assert wide.high > seed.high
