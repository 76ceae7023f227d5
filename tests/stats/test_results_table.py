from pathlib import Path

import pytest

from assay.errors import CompareError
from assay.stats.core import core
from assay.stats.matching import choose_scales, match_runs
from assay.stats.results_table import (
    check_core,
    default_metric,
    find_scale,
    lower_is_better,
    read_results,
)

# RedPajama at 400M-1x, from exp_data/evals of DCLM's repository (MIT), in full precision.
REDPAJAMA = {
    "hellaswag_zeroshot": 0.33578968048095703, "jeopardy": 0.007265977188944816,
    "bigbench_qa_wikidata": 0.443039208650589, "arc_easy": 0.4608585834503174,
    "arc_challenge": 0.22610922157764435, "copa": 0.5899999737739563, "commonsense_qa": 0.2588042616844177,
    "piqa": 0.6273123025894165, "openbook_qa": 0.3019999861717224, "lambada_openai": 0.39394527673721313,
    "hellaswag": 0.3344951272010803, "winograd": 0.6153846383094788, "winogrande": 0.5114443302154541,
    "bigbench_dyck_languages": 0.22699999809265137, "agi_eval_lsat_ar": 0.2652173936367035,
    "bigbench_cs_algorithms": 0.4166666567325592, "bigbench_operators": 0.12857143580913544,
    "bigbench_repeat_copy_logic": 0.0, "squad": 0.12128666043281555, "coqa": 0.13127896189689636,
    "boolq": 0.6000000238418579, "bigbench_language_identification": 0.2549000084400177,
}  # fmt: skip

TABLE = """Dataset,params,tokens,lr,creation_date,score,loss
a,1e8,2e9,0.1,2024-01,0.30,3.0
a,1e8,2e9,0.1,2024-02,0.31,2.9
a,1e8,2e9,0.5,2024-03,0.99,2.0
b,1e8,2e9,0.1,2024-01,0.20,
b,1e9,2e10,0.1,2024-01,0.40,2.0
a,1e9,2e10,0.1,2024-01,0.50,1.9
"""


def table(folder: Path, text: str = TABLE) -> Path:
    path = folder / "results.csv"
    path.write_text(text)
    return path


def test_core_is_dclms_to_the_last_digits() -> None:
    assert core(REDPAJAMA, "core_v1") == pytest.approx(0.15389592682697747, abs=1e-12)
    assert core(REDPAJAMA, "core_v2") == pytest.approx(0.12889384471349705, abs=1e-12)


def test_core_with_a_missing_task_is_no_smaller_average() -> None:
    assert core({task: x for task, x in REDPAJAMA.items() if task != "copa"}) is None
    assert core(REDPAJAMA | {"copa": float("nan")}) is None


def test_the_newest_run_at_the_common_rate_counts(tmp_path: Path) -> None:
    rows = read_results(table(tmp_path))
    small, large = find_scale(rows, "100M-1x"), find_scale(rows, "1B-1x")
    found = match_runs(rows, small, large, "score", "score")
    assert found.recipes == ("a", "b")
    assert [row.scores["score"] for row in found.small] == [0.31, 0.20]
    assert [row.scores["score"] for row in found.large] == [0.50, 0.40]
    assert (found.small_lr, found.large_lr) == (0.1, 0.1)


def test_a_run_without_the_metric_is_left_out(tmp_path: Path) -> None:
    rows = read_results(table(tmp_path))
    small, large = find_scale(rows, "100M-1x"), find_scale(rows, "1B-1x")
    assert match_runs(rows, small, large, "loss", "score").recipes == ("a",)
    assert choose_scales(rows, None, None, "loss", "score", fewest=2) is None
    chosen = choose_scales(rows, None, None, "score", "score", fewest=2)
    assert chosen is not None
    assert (chosen.small_scale, chosen.large_scale) == (small, large)


def test_scales_are_found_by_their_trade_names_or_refused(tmp_path: Path) -> None:
    rows = read_results(table(tmp_path))
    assert find_scale(rows, "0.9b-1x").params == 1e9
    for wrong in ("1B-2x", "7B-1x", "nano"):
        with pytest.raises(CompareError, match=r"no scale .* it has 100M-1x, 1B-1x"):
            find_scale(rows, wrong)


def test_named_scales_need_no_sizes(tmp_path: Path) -> None:
    rows = read_results(table(tmp_path, "recipe,scale,score\na,nano,1\na,micro,2\n"))
    assert [row.scale.label for row in rows] == ["nano", "micro"]
    assert find_scale(rows, "micro").order > find_scale(rows, "nano").order
    assert default_metric(rows) == "score"


def test_losses_are_known_by_name() -> None:
    assert lower_is_better("perplexity.arc_easy")
    assert not lower_is_better("arc_easy")


@pytest.mark.parametrize(
    "text", ["score\n1\n", "dataset,score\na,1\n", "dataset,params,tokens,score\n,1e8,2e9,1\n", ""]
)
def test_what_is_no_table_of_runs_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CompareError, match=r"needs a column|no row"):
        read_results(table(tmp_path, text))


def test_a_table_without_core_has_nothing_to_check(tmp_path: Path) -> None:
    assert check_core(read_results(table(tmp_path))) is None
