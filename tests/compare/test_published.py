"""DCLM's own results, against what others computed from them."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from assay.cli import main
from assay.compare.mixture import fit_mixture
from assay.compare.published import compare_results
from assay.errors import CompareError
from assay.stats.laws import cmr_general_rise
from assay.stats.results_table import check_core, read_results

ANCHOR = Path(__file__).parents[2] / "../shared/data/anchors/DCLM_model_database.csv"
anchored = pytest.mark.skipif(not ANCHOR.is_file(), reason="real data is not here")

# 400M-1x against CORE at 7B-1x over 11 recipes: Pearson r and decision accuracy, as published in analyses of the
# same files. HellaSwag, MMLU and the others keep the direction of accuracy, losses that of losses.
PREDICTORS = {
    "perplexity.lambada_openai": (0.95, 0.945),
    "arc_easy": (0.96, 0.927),
    "perplexity.arc_easy": (0.94, 0.891),
    "perplexity.arc_challenge": (0.94, 0.873),
    "perplexity.mmlu": (0.89, 0.764),
    "core_v1": (0.84, 0.836),
    "extended": (0.67, 0.727),
    "hellaswag_zeroshot": (0.48, 0.582),
    "mmlu_fewshot": (0.17, 0.582),
    "eval_metrics.perplexity": (0.34, 0.473),
    "boolq": (-0.14, 0.418),
}


@pytest.mark.realdata
@anchored
def test_core_follows_from_the_tables_own_accuracies() -> None:
    found = check_core(read_results(ANCHOR))
    assert found is not None
    assert found.rows == 328
    # The table prints ten significant digits; in full precision the error is below 1e-12 (test_results_table.py).
    assert found.max_error < 5e-10
    assert found.versions == {"core_v0": 207, "core_v1": 121}


@pytest.mark.realdata
@anchored
def test_rank_transfer_of_dclms_recipes_is_reproduced(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--results", str(ANCHOR), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["small_scale"], found["large_scale"]) == ("412M-1x", "6.9B-1x")
    assert (found["small_lr"], found["large_lr"]) == (3e-3, 3e-4)
    assert found["spearman"]["value"] == pytest.approx(0.85, abs=0.005)
    assert found["decision_accuracy"]["value"] == pytest.approx(0.836, abs=0.0005)
    assert (found["decision_accuracy"]["low"], found["decision_accuracy"]["high"]) == pytest.approx(
        (0.65, 0.98), abs=0.02
    )
    assert found["pearson"]["value"] == pytest.approx(0.835, abs=0.0005)
    assert {found[name]["n"] for name in ("spearman", "kendall", "decision_accuracy")} == {11}
    x, y = np.array([[r["small"], r["large"]] for r in found["recipes"]]).T
    assert found["kendall"]["value"] == pytest.approx(stats.kendalltau(x, y).statistic)


@pytest.mark.realdata
@anchored
@pytest.mark.parametrize("predictor", PREDICTORS)
def test_published_predictors_come_out(predictor: str) -> None:
    found = compare_results(
        ANCHOR, small="400M-1x", large="7B-1x", metric="core_v1", predictor=predictor
    )
    r, accuracy = PREDICTORS[predictor]
    assert found.transfer.pearson.value == pytest.approx(r, abs=0.0101)
    assert found.transfer.decision_accuracy.value == pytest.approx(accuracy, abs=0.0095)


def results(path: Path, recipes: int = 6) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["recipe", "scale", "score", "heldout_loss"])
        for scale in ("small", "large"):
            for i in range(recipes):
                writer.writerow([f"r{i}", scale, i + (scale == "large"), 9 - i])
    return path


def test_probabilities_need_fifteen_recipes_and_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = str(results(tmp_path / "few.csv", recipes=14))
    assert main(["compare", "--results", table, "--json"]) == 0
    few = json.loads(capsys.readouterr().out)
    assert (few["calibration"], few["probabilities"]) == (None, [])
    assert "insufficient data: 14 recipes at both scales, 15 are needed" in few["why"]
    assert main(["compare", "--results", table]) == 0
    assert few["why"] in capsys.readouterr().out
    table = str(results(tmp_path / "enough.csv", recipes=15))
    assert main(["compare", "--results", table, "--json"]) == 0
    enough = json.loads(capsys.readouterr().out)
    assert enough["why"] == ""
    assert enough["calibration"]["brier"] < 0.1
    first, *_, last = enough["probabilities"]
    assert (first["first"], first["second"], last["second"]) == ("r14", "r13", "r0")
    assert main(["compare", "--results", table]) == 0
    assert "P(beats) at large, from small" in capsys.readouterr().out


def test_a_loss_predicts_with_its_sign_turned(tmp_path: Path) -> None:
    found = compare_results(results(tmp_path / "t.csv"), predictor="heldout_loss", metric="score")
    assert found.transfer.decision_accuracy.value == 1
    assert found.recipes[0].recipe == "r5"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--metric", "nothing"], "no metric nothing"),
        (["--small", "tiny"], "no scale 'tiny'"),
        (["mine"], "leave out 'mine'"),
        (["--law", "d-cpt"], "no column 'params'"),
    ],
)
def test_what_a_table_cannot_answer_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main(["compare", "--results", str(results(tmp_path / "t.csv")), *options]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_too_few_recipes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CompareError, match="fewer than 5 recipes"):
        compare_results(results(tmp_path / "t.csv", recipes=4))


def test_the_recipes_are_written_as_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.csv"
    command = ["compare", "--results", str(results(tmp_path / "t.csv")), "--csv", str(out)]
    assert main(command) == 0
    assert "decision accuracy  1.000" in capsys.readouterr().out
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["recipe"] for row in rows] == ["r5", "r4", "r3", "r2", "r1", "r0"]
    assert float(rows[0]["large"]) == 6


def test_critical_ratios_grow_with_the_budget(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "runs.csv"
    budgets = np.arange(1, 11) * 2.0
    lines = ["ratio,tokens,general_rise,domain_change"]
    for ratio in (0.125, 0.25, 0.5):
        planted = {"alpha2": 0.0, "s2": 1.0, "alpha3": 0.4 * ratio, "s3": -0.5, "beta2": 0.0}
        rises = np.asarray(cmr_general_rise(planted, budgets))
        domain = -ratio * budgets**-0.4 + 0.1
        rows = zip(budgets, rises, domain, strict=True)
        lines += [f"{ratio},{t * 0.2e9},{rise},{change}" for t, rise, change in rows]
    path.write_text("\n".join(lines) + "\n")
    found = fit_mixture(path, "cmr")
    critical = [point.ratio for point in found.critical]
    # 0.4 r / sqrt(T) <= 0.05 where T >= 64 r^2.
    assert critical[:5] == [0.125, 0.25, 0.25, 0.25, 0.25]
    assert critical[-1] == 0.5
    for curve in found.curves:
        assert curve.domain is not None
        planted = {"alpha1": -curve.ratio, "s1": -0.4, "beta1": 0.1}
        assert curve.domain.parameters == pytest.approx(planted, abs=2e-3)
    assert found.critical_curve is not None
    at = found.critical_curve.parameters
    # The table's ratios are a coarse grid: 0.125 at T = 2, 0.5 from T = 16 on.
    assert (
        0.1
        < at["alpha4"] * 4 ** at["s4"] + at["beta3"]
        < at["alpha4"] * 20 ** at["s4"] + at["beta3"]
    )
    assert main(["compare", "--results", str(path), "--law", "cmr"]) == 0
    assert "critical mixture ratio: alpha4" in capsys.readouterr().out
