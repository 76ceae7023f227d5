"""`assay noise`, `plan` and `reproduce`, as a person types them, on a track that trains in a second."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay import ledger
from assay.canonical import digest_json
from assay.cli import main
from assay.pool import Pool
from assay.stats.power import detectable_difference
from assay.strategy.baselines import applicable_baselines
from assay.submission import read_submission
from assay.track.load import load
from assay.track.seals import add_seals
from tiny import SCALE, TRACK

AT = ["--track", TRACK, "--scale", SCALE]
HOW = ["device=cpu", "threads=1", "progress=false"]
TWO = ["--only", "oracle,random", "--seeds", "2"]


@pytest.fixture(scope="module")
def reproduced(tiny_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which two baselines were reproduced and became the expected scores, once."""
    home = tmp_path_factory.mktemp("reproduced") / "home"
    shutil.copytree(tiny_template, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        assert main(["reproduce", *AT, *TWO, "--write-expected", *HOW]) == 0
    return home


@pytest.fixture
def home(reproduced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "home"
    shutil.copytree(reproduced, copy)
    monkeypatch.setenv("ASSAY_HOME", str(copy))
    return copy


def answer(capsys: pytest.CaptureFixture[str], words: list[str], code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def expected_file(home: Path) -> Path:
    return home / "tracks" / TRACK / "expected" / f"{SCALE}.json"


def test_reproducing_again_runs_nothing_and_is_identical(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = answer(capsys, ["reproduce", *AT, *TWO, *HOW])
    assert len(ledger.read_ledger()) == 4
    assert document["deviating"] == []
    assert [row["name"] for row in document["baselines"]] == ["oracle", "random"]
    for row in document["baselines"]:
        assert {column["status"] for column in row["metrics"].values()} == {"identical"}
    means = [row["metrics"]["bits_per_byte"]["mean"] for row in document["baselines"]]
    values = [
        r["metrics"]["bits_per_byte"]
        for r in ledger.read_ledger()
        if r["submission"]["manifest"]["name"] == "oracle"
    ]
    assert means[0] == pytest.approx(np.mean(values))


def test_a_moved_expectation_is_a_deviation_with_its_own_exit_code(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(expected_file(home).read_text())
    bits = document["baselines"]["random"]["metrics"]["bits_per_byte"]
    bits["values"] = [value + 3 for value in bits["values"]]
    expected_file(home).write_text(json.dumps(document))
    assert main(["reproduce", *AT, *TWO, *HOW]) == 2
    assert "not what SEALS.json sealed" in capsys.readouterr().err
    loaded = load(TRACK, SCALE)
    add_seals(loaded.folder, {f"{loaded.label} expected": digest_json(document)})
    assert main(["reproduce", *AT, *TWO, *HOW]) == 1
    assert "DEVIATES random: bits/byte -3.0" in capsys.readouterr().out


def test_results_are_written_from_records_with_verdicts(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.json"
    document = answer(capsys, ["reproduce", *AT, *TWO, "--out", str(out), *HOW])
    written = json.loads(out.read_text())
    assert written["baselines"] == document["baselines"]
    oracle, random = (one["verdict"] for one in written["baselines"])
    assert oracle["claim"] == {"side": "above", "comparator": "random"}
    assert oracle["word"] in ("reproduced", "not distinguishable", "refuted")
    assert oracle["gain"]["low"] < oracle["gain"]["delta"] < oracle["gain"]["high"]
    assert random["word"] == "no claim"
    assert written["baselines"][0]["repeats"] > 0
    assert main(["reproduce", *AT, *TWO, "--out", str(tmp_path / "results.md"), *HOW]) == 0
    assert "oracle above random" in capsys.readouterr().out
    assert "| oracle |" in (tmp_path / "results.md").read_text()


def test_results_that_cannot_be_written_are_refused_first(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", *AT, "--out", str(tmp_path / "results.pdf"), *HOW]) == 2
    assert "--out" in capsys.readouterr().err
    assert len(ledger.read_ledger()) == 4


def test_the_baselines_lists_are_those_that_select_writes(home: Path, tmp_path: Path) -> None:
    ids = tmp_path / "s.npy"
    assert main(["select", "random", *AT, "--out", str(ids)]) == 0
    digests = {r["submission"]["digest"] for r in ledger.read_ledger()}
    assert read_submission(ids).digest in digests


def test_a_baseline_with_another_setting_is_a_row_of_its_own(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["reproduce", *AT, *TWO, "--also", "random:fraction=0.5", *HOW]
    (scale,) = answer(capsys, [*words, "--dry-run"])["scales"]
    planned = [(one["name"], one["to_run"]) for one in scale["submissions"]]
    assert planned == [("oracle", 0), ("random", 0), ("random:fraction=0.5", 2)]
    rows = {row["name"]: row for row in answer(capsys, words)["baselines"]}
    assert set(rows) == {"oracle", "random", "random:fraction=0.5"}
    variant = rows["random:fraction=0.5"]
    assert (variant["unique"], rows["random"]["unique"]) == (150, 90)
    assert variant["verdict"]["word"] == "no claim"
    assert variant["metrics"]["bits_per_byte"]["status"] == "not expected yet"
    assert answer(capsys, [*words, "--dry-run"])["to_run"] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["random:speed=2"], "random has no parameter 'speed'"),
        (["rando:fraction=0.5"], "no baseline 'rando' applies"),
        (["random:fraction=0.5", "--write-expected"], "leave out one of the two"),
    ],
)
def test_what_is_no_variant_is_refused_first(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["reproduce", *AT, *TWO, "--also", *words, *HOW]) == 2
    assert message in capsys.readouterr().err


def test_a_dry_run_counts_what_remains(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = answer(capsys, ["reproduce", *AT, "--seeds", "3", "--dry-run", *HOW])
    (scale,) = document["scales"]
    finished = {one["name"]: (one["finished"], one["to_run"]) for one in scale["submissions"]}
    names = [baseline.name for baseline in applicable_baselines(load(TRACK, SCALE))]
    scored = {"oracle": (2, 1), "random": (2, 1)}
    assert finished == dict.fromkeys(names, (0, 3)) | scored
    assert len(ledger.read_ledger()) == 4
    clocks = [
        r["clock"]["train_seconds"] + r["clock"]["evaluate_seconds"] for r in ledger.read_ledger()
    ]
    assert scale["seconds"] == pytest.approx((3 * len(names) - 4) * np.median(clocks))
    assert (scale["expected_on"], scale["gpu_hours"], scale["usd"]) == ("here", 0, None)
    assert not any(one["elsewhere"] for one in scale["submissions"])


def test_runs_under_other_settings_count_as_new_and_are_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ["threads=2", "device=cpu", "progress=false"]
    command = ["reproduce", *AT, "--only", "oracle,random", "--seeds", "3", "--dry-run"]
    (scale,) = answer(capsys, [*command, *other])["scales"]
    assert [(one["finished"], one["elsewhere"]) for one in scale["submissions"]] == [(0, 2)] * 2
    assert main([*command, *other]) == 0
    assert "4 of those to run have a record under other settings" in capsys.readouterr().out


def test_a_plan_counts_runs_by_what_decides_their_bits(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = tmp_path / "s.npy"
    assert main(["select", "random", *AT, "--out", str(ids)]) == 0
    words = ["plan", str(ids), "--track", TRACK, "--scales", SCALE, "--seeds", "3"]
    assert answer(capsys, [*words, *HOW])["to_run"] == 1
    assert answer(capsys, [*words, "device=cpu", "threads=2"])["to_run"] == 3
    document = answer(capsys, [*words, *HOW])
    (scale,) = document["scales"]
    noise = answer(capsys, ["noise", *AT, "--ledger-only"])["metrics"][0]
    assert scale["degrees"] == noise["noise"]["degrees"] == 2
    assert scale["detectable"]["bits_per_byte"] == noise["detectable"][2]["against_equal"]
    assert scale["calibration"] == ""


def test_a_list_that_the_track_refuses_is_no_run(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = tmp_path / "bad.npy"
    uids = Pool.open("tiny-pool").uids[:30].copy()
    uids["f1"][3] ^= 1
    np.save(ids, uids)
    document = answer(
        capsys, ["plan", str(ids), "oracle", "--track", TRACK, "--scales", SCALE, *HOW], code=2
    )
    bad, good = document["scales"][0]["submissions"]
    assert bad["problem"].startswith("S2: ")
    assert (bad["to_run"], good["to_run"], document["to_run"]) == (0, 1, 1)


def test_a_plan_over_scales_that_are_not_here_adds_up(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["plan", "random", "--track", "text", "--scales", "1b-1x,411m-1x", "--seeds", "2"]
    document = answer(capsys, [*words, *HOW])
    hours = 2 * (864_000 + 93_600) / 3600
    assert document["seconds"] == pytest.approx(hours * 3600)
    assert document["gpu_hours"] == pytest.approx(hours)
    assert document["usd"] == pytest.approx(2.5 * hours)
    assert document["scales"][0]["calibration"].startswith("assay noise --track text --scale 1b-1x")
    assert not (home / "pools" / "foundry-text-4000").exists()
    assert main([*words, *HOW]) == 0
    assert "not calibrated yet" in capsys.readouterr().out


def test_noise_adds_the_seeds_that_are_missing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["noise", *AT, "--submission", "random", "--seeds", "3"]
    document = answer(capsys, [*words, *HOW])
    assert document["seeds"] == {"oracle": 2, "random": 3}
    assert len(ledger.read_ledger()) == 5
    bits = document["metrics"][0]
    assert bits["noise"]["degrees"] == 3
    assert bits["signal"]["n"] == 2
    assert document["marked"] is None
    sd, effect = bits["noise"]["sd"], 2 * bits["noise"]["sd"]
    planned = answer(
        capsys,
        ["plan", "random", "--track", TRACK, "--scales", SCALE, "--difference", repr(effect), *HOW],
    )
    seeds = planned["scales"][0]["seeds_needed"]
    found = [detectable_difference(sd, 3, n, n) for n in (seeds - 1, seeds)]
    assert found[0] > effect >= found[1]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["noise", *AT, "--seeds", "1"], "two runs or more"),
        (["noise", *AT, "--ledger-only", "--mark"], "assay reproduce --track tiny"),
        (["noise", *AT, "--ledger-only", "--submission", "random"], "leave one out"),
        (["noise", *AT, "--submission", "nope.npy"], "no file 'nope.npy'"),
        (["plan", "randum", "--track", TRACK, "--scales", SCALE], "did you mean 'random'?"),
        (["plan", "random", "--track", TRACK, "--scales", "pico,pico"], "different scales"),
        (["plan", "random", "--track", TRACK, "--scales", SCALE, "--seeds", "0"], "one run"),
        (["plan", "random", "--difference", "-1"], "is above 0"),
        (["reproduce", *AT, "--only", "orakle"], "did you mean 'oracle'?"),
        (["reproduce", *AT, "--seeds", "1", "--write-expected"], "at least 2"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_baselines_that_read_the_truth_need_a_pool_that_has_one(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "pools" / "tiny-pool.truth.parquet").unlink()
    document = answer(capsys, ["reproduce", *AT, "--dry-run", *HOW])
    names = {one["name"] for one in document["scales"][0]["submissions"]}
    assert {"no_filter", "quality_rules", "random"} <= names
    assert names.isdisjoint({"oracle", "worst_first", "graded"})


def test_a_baseline_that_cannot_choose_any_more_is_skipped_and_missed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(home / "baselines")
    (home / "pools" / "tiny-pool.truth.parquet").write_bytes(b"PAR1")
    document = answer(capsys, ["reproduce", *AT, *TWO, *HOW], code=1)
    assert "cannot be read" in document["skipped"]["oracle"]
    assert document["deviating"] == ["oracle"]
    (row,) = document["baselines"]
    assert row["metrics"]["bits_per_byte"]["status"] == "identical"


@pytest.mark.slow
def test_an_image_text_baseline_is_reproduced_as_well(
    tiny_clip_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["reproduce", "--track", "tiny-clip", "--scale", "pico", "--seeds", "1"]
    document = answer(capsys, [*words, "--only", "random", *HOW])
    (row,) = document["baselines"]
    assert row["metrics"]["average"]["status"] == "not expected yet"
    assert document["pooled_sd"] == {"average": None, "centered_average": None}
