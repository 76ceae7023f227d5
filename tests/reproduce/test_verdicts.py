"""Verdicts on claims, over scores that are made up so that the truth is known."""

import numpy as np
import pytest

from assay.home import package_folder
from assay.reproduce.verdicts import LEVEL, Verdict, judge
from assay.stats.noise import estimate_noise
from assay.strategy.cards import Ranking, cards

SD = 0.01
ABOVE, BELOW = Ranking("above", "random"), Ranking("below", "random")


def scores(rng: np.random.Generator, mean: float, seeds: int = 3) -> list[float]:
    return rng.normal(mean, SD, seeds).tolist()


def verdicts(
    claims: dict[str, Ranking | None], *, lower_is_better: bool, seeds: int = 3
) -> dict[str, Verdict]:
    """Judge a table in which `good` is far better than random, `bad` far worse and `even` the same."""
    rng = np.random.default_rng(5)
    gain = -1 if lower_is_better else 1
    means = {"random": 0.5, "good": 0.5 + 0.1 * gain, "bad": 0.5 - 0.1 * gain, "even": 0.501}
    values = {name: scores(rng, mean, seeds) for name, mean in means.items()}
    return judge(estimate_noise(values), claims, lower_is_better=lower_is_better)


@pytest.mark.parametrize("lower_is_better", [True, False])
def test_true_false_and_undecided_claims_are_told_apart(lower_is_better):
    above = verdicts({"good": ABOVE, "bad": ABOVE, "even": ABOVE}, lower_is_better=lower_is_better)
    assert {name: one.word for name, one in above.items()} == {
        "random": "no claim",
        "good": "reproduced",
        "bad": "refuted",
        "even": "not distinguishable",
    }
    below = verdicts({"good": BELOW, "bad": BELOW}, lower_is_better=lower_is_better)
    assert (below["good"].word, below["bad"].word) == ("refuted", "reproduced")


def test_the_interval_is_that_of_the_difference_and_p_is_adjusted():
    found = verdicts({"good": ABOVE, "bad": ABOVE, "even": ABOVE}, lower_is_better=True)
    good = found["good"]
    assert good.gain is not None
    assert good.gain.form == "pooled"
    assert good.gain.low < good.gain.delta < good.gain.high < 0
    assert found["even"].gain.low < 0 < found["even"].gain.high
    smallest, middle, largest = sorted(
        (one for one in found.values() if one.gain), key=lambda one: one.gain.p_two_sided
    )
    assert smallest.p_holm == pytest.approx(3 * smallest.gain.p_two_sided, rel=1e-9)
    assert middle.p_holm == pytest.approx(2 * middle.gain.p_two_sided, rel=1e-9)
    assert largest.p_holm == pytest.approx(largest.gain.p_two_sided, rel=1e-9)


def test_what_cannot_be_tested_says_why():
    found = verdicts({"good": Ranking("above", "c4")}, lower_is_better=True)
    assert (found["good"].word, found["good"].gain) == ("not tested", None)
    assert "c4 has no score" in found["good"].why
    single = verdicts({"good": ABOVE}, lower_is_better=True, seeds=1)
    assert single["good"].word == "not tested"
    assert "one seed" in single["good"].why


def test_a_noisy_baseline_is_not_believed_for_the_quiet_ones():
    rng = np.random.default_rng(3)
    values = {f"quiet {i}": rng.normal(0.5, 0.001, 3).tolist() for i in range(8)}
    values |= {"random": rng.normal(0.5, 0.001, 3).tolist(), "noisy": [0.40, 0.52, 0.49]}
    found = judge(estimate_noise(values), {"noisy": ABOVE}, lower_is_better=True)["noisy"]
    assert found.gain.form == "welch"
    assert found.word == "not distinguishable"


@pytest.mark.parametrize(("num_claims", "num_true"), [(3, 0), (12, 0), (12, 6)])
def test_a_wrong_verdict_anywhere_in_a_table_is_rare(num_claims, num_true):
    """The family-wise error; its standard error over the trials is 0.6 points."""
    rng = np.random.default_rng(17)
    claims = {str(i): ABOVE for i in range(num_claims)}
    trials, wrong, found_true = 1200, 0, 0
    for _ in range(trials):
        means = {name: 0.6 if int(name) < num_true else 0.5 for name in claims}
        values = {name: scores(rng, mean) for name, mean in means.items()}
        values["random"] = scores(rng, 0.5)
        words = {
            n: v.word
            for n, v in judge(estimate_noise(values), claims, lower_is_better=False).items()
        }
        true = [words[name] == "reproduced" for name in claims if int(name) < num_true]
        found_true += sum(true)
        null = [
            words[name] in ("reproduced", "refuted") for name in claims if int(name) >= num_true
        ]
        refuted = [words[name] == "refuted" for name in claims if int(name) < num_true]
        wrong += any(null) or any(refuted)
    assert wrong / trials <= LEVEL
    # One in a hundred looks noisier than the rest, keeps its own variance, and is not believed.
    assert found_true >= 0.97 * trials * num_true


def test_every_baseline_says_what_it_ranks_above_or_below_or_that_it_claims_nothing():
    for modality in ("text", "clip"):
        names = {path.stem for path in (package_folder("baselines") / modality).glob("*.py")}
        found = {card.name: card.ranks for card in cards(modality)}
        assert set(found) == names
        assert found["oracle"] == ABOVE
        assert found["worst_first"] == BELOW
        assert found["random"] is None
