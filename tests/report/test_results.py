"""The page of results, from records that are made up."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.errors import CompareError
from assay.report.figure import UNKNOWN
from assay.report.markdown import markdown
from assay.report.results import check_results_path, results_report, write_results
from assay.reproduce.lists import ListFacts
from assay.reproduce.table import ReferenceTable, reference_table
from assay.signals.columns import TrainedModel
from assay.strategy.cards import Ranking
from scored import nano, scored, text_task

MEANS = {"oracle": 0.4, "random": 0.6, "no_filter": 0.6, "worst_first": 0.9, "wrong|<b>": 0.8}
CLAIMS = {
    "oracle": Ranking("above", "random"),
    "worst_first": Ranking("below", "random"),
    "no_filter": Ranking("above", "random"),
    "wrong|<b>": Ranking("above", "random"),
    "random": None,
}


@pytest.fixture(scope="module")
def table() -> ReferenceTable:
    loaded = replace(nano())
    rng = np.random.default_rng(2)
    found = {
        name: [
            scored(loaded, name, seed, {"facts": text_task(x, 1 - x / 4)})
            for seed, x in enumerate(rng.normal(mean, 0.005, 3).tolist())
        ]
        for name, mean in MEANS.items()
    }
    found["oracle"][-1]["submission"]["manifest"]["curation_seconds"] = 12.5
    skipped = {"fasttext": "there is no reference"}
    return reference_table(loaded, "sha256:bb", found, None, skipped, CLAIMS)


def test_verdicts_stand_beside_scores_sizes_and_costs(table):
    scores, claims, skipped = results_report(table).figures
    rows = {row[0]: row for row in scores.table.rows}
    assert next(iter(rows)) == "oracle"
    assert rows["oracle"][-2:] == ("above random", "reproduced")
    assert rows["oracle"][3:7] == ("3", "10 (10%)", "1.50", "12.5")
    assert rows["wrong|<b>"][-1] == "refuted"
    assert rows["worst_first"][-2:] == ("below random", "reproduced")
    assert rows["no_filter"][-1] == "not distinguishable"
    assert rows["random"][-2:] == ("no claim", "no claim")
    assert len(claims.table.rows) == 4
    assert skipped.table.rows == (("fasttext", "there is no reference"),)


def test_the_undamaged_share_is_shown_where_it_is_known(table):
    assert "clean" not in results_report(table).figures[0].table.columns
    first, *others = table.baselines
    known = replace(table, baselines=(replace(first, made=ListFacts(clean=0.875)), *others))
    scores = results_report(known).figures[0]
    place = scores.table.columns.index("clean")
    assert [row[place] for row in scores.table.rows][:2] == ["88%", UNKNOWN]
    assert "planted defect" in scores.caption


def test_the_own_accuracy_of_a_network_is_shown_where_it_is_known(table):
    assert "network" not in results_report(table).figures[0].table.columns
    first, *others = table.baselines
    network = TrainedModel("sha256:aa", "sha256:bb", 4000, accuracy=0.286, tried_on=500)
    known = replace(table, baselines=(replace(first, made=ListFacts(networks=(network,))), *others))
    scores = results_report(known).figures[0]
    place = scores.table.columns.index("network")
    assert [row[place] for row in scores.table.rows][:2] == ["28.6%", "-"]
    assert "did not learn from" in scores.caption


def test_the_csv_holds_every_number_in_full(table):
    _, claims, _ = results_report(table).figures
    rows = {row["baseline"]: row for row in csv.DictReader(io.StringIO(claims.csv))}
    gain = next(b for b in table.baselines if b.name == "oracle").verdict.gain
    assert gain is not None
    assert float(rows["oracle"]["difference"]) == gain.delta
    assert float(rows["oracle"]["low"]) == gain.low


def test_names_end_no_cell_of_the_markdown(table):
    text = markdown(results_report(table))
    line = next(
        line for line in text.splitlines() if "wrong" in line and line.startswith("| wrong")
    )
    assert "\\|" in line
    assert line.replace("\\|", "").count("|") == 10
    assert "<b>" not in text.replace("\\<b>", "")


def test_a_page_comes_with_markdown_json_and_figures(table, tmp_path: Path):
    pytest.importorskip("vl_convert")
    check_results_path(tmp_path / "results.html")
    first, *others = write_results(table, tmp_path / "results.html")
    page = first.read_text()
    assert "reproduced" in page
    assert "wrong|&lt;b&gt;" in page
    assert "<b>" not in page.split("<main>")[1].split("</main>")[0]
    assert {path.name for path in others} >= {
        "results.md", "results.json", "baselines.csv", "claims.svg", "claims.png", "skipped.csv",
    }  # fmt: skip
    assert all(path.stat().st_size for path in others)


@pytest.mark.parametrize("suffix", [".md", ".json"])
def test_the_suffix_says_what_is_written(table, tmp_path, suffix):
    path = tmp_path / f"results{suffix}"
    check_results_path(path)
    assert write_results(table, path) == [path]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    if suffix == ".json":
        found = json.loads(path.read_text())
        assert {b["name"]: b["verdict"]["word"] for b in found["baselines"]}[
            "oracle"
        ] == "reproduced"


def test_another_suffix_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(CompareError, match=r"\.html"):
        check_results_path(tmp_path / "results.pdf")
