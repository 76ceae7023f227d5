"""A CLIP submission scored end to end on a track that trains in seconds."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from assay import ledger
from assay.board import build_board
from assay.cli import main
from assay.errors import RunError, SubmissionError, TrackError
from assay.pool import load_pool
from assay.runner.scoring import OUTPUTS_FILE, score_file
from assay.score.clip import score_clip
from assay.settings import MachineSettings, Settings
from assay.submission import Manifest, staged, submission_of, write_submission
from assay.track.load import load
from tiny_clip import BATCH, SCALE, STEPS, TRACK, VIT, make_tiny_clip_track

QUIET = Settings(device="cpu", threads=1, progress=False)


@pytest.fixture
def ids(tiny_clip_home: Path) -> Path:
    """Half of the pool, as DataComp saves a subset."""
    pool = load_pool("tiny-pairs-200")
    path = tiny_clip_home.parent / "subset.npy"
    np.save(path, pool.uids[::2])
    return path


def score(path: Path, *, seeds: int = 1, settings: Settings = QUIET, fresh: bool = False):
    return score_file(
        path,
        track=TRACK,
        scale=SCALE,
        seeds=seeds,
        settings=settings,
        manifest=Manifest(name="half"),
        fresh=fresh,
    )


def run_folder(record: dict, home: Path) -> Path:
    return home / "runs" / record["digests"]["run"].removeprefix("sha256:")[:20]


def test_a_record_says_what_led_to_the_score(ids, tiny_clip_home):
    (record,) = score(ids)
    assert record["track"]["modality"] == "clip"
    assert record["track"]["sealed"] is True
    assert record["submission"]["samples"] == 100
    assert record["submission"]["repeats"] == pytest.approx(STEPS * BATCH / 100, abs=1e-4)
    assert record["training"]["samples_seen"] == STEPS * BATCH
    assert record["training"]["undecodable"] == 0
    assert {"pool", "suite_data", "selection", "outputs"} <= set(record["digests"])
    metrics = record["metrics"]
    assert set(metrics["tasks"]) == {"colour", "retrieval"}
    mains = [task["main_metric"] for task in metrics["tasks"].values()]
    assert metrics["average"] == pytest.approx(np.mean(mains))
    assert ledger.read_ledger(TRACK, SCALE) == [record]


def test_every_metric_follows_from_the_outputs_that_were_kept(ids, tiny_clip_home):
    (record,) = score(ids)
    outputs = pq.read_table(run_folder(record, tiny_clip_home) / OUTPUTS_FILE)
    again = score_clip(outputs, load(TRACK, SCALE).suite)  # type: ignore[arg-type]
    assert json.loads(json.dumps(again.as_json())) == record["metrics"]


def test_the_checkpoint_loads_in_plain_open_clip(ids, tiny_clip_home):
    (record,) = score(ids)
    folder = run_folder(record, tiny_clip_home) / "checkpoint"
    import open_clip

    import assay.clip  # noqa: F401  # makes open_clip importable beside a CPU torch

    network = open_clip.create_model(f"local-dir:{folder}")
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == record["training"]["parameters"]


def test_a_second_run_from_nothing_has_the_same_result_digest(ids, tiny_clip_home):
    (one,) = score(ids)
    (two,) = score(ids, fresh=True)
    assert one["result_digest"] == two["result_digest"]
    assert one["digest"] != two["digest"]


def test_two_processes_give_the_losses_of_one(ids, tiny_clip_home):
    """A contrastive loss needs the whole batch, wherever its pairs are."""
    (one,) = score(ids)
    both = Settings(device="cpu", threads=1, progress=False, machine=MachineSettings(processes=2))
    (two,) = score(ids, settings=both)
    assert two["device"]["processes"] == 2
    traces = [np.load(run_folder(record, tiny_clip_home) / "trace.npy") for record in (one, two)]
    assert traces[0] == pytest.approx(traces[1], rel=2e-3)
    assert traces[0][:3] == pytest.approx(traces[1][:3], rel=1e-5)
    assert one["metrics"]["average"] == pytest.approx(two["metrics"]["average"], abs=0.12)


def test_two_processes_give_the_losses_of_one_to_a_transformer_too(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("ASSAY_HOME", str(home))
    ids = tmp_path / "subset.npy"
    np.save(ids, make_tiny_clip_track(home, VIT).uids[::2])
    both = Settings(device="cpu", threads=1, progress=False, machine=MachineSettings(processes=2))
    records = [score(ids)[0], score(ids, settings=both)[0]]
    one, two = (np.load(run_folder(record, home) / "trace.npy") for record in records)
    assert one == pytest.approx(two, rel=1e-4)


def test_processes_that_would_split_a_group_of_the_batch_norms_are_refused(ids, tiny_clip_home):
    settings = Settings(device="cpu", progress=False, machine=MachineSettings(processes=3))
    with pytest.raises(
        RunError, match=r"processes=3 does not divide .* batch of 4 groups of 4 pairs"
    ):
        score(ids, settings=settings)


def test_sharding_is_refused(ids, tiny_clip_home):
    machine = MachineSettings(processes=2, sharding="fsdp")
    with pytest.raises(RunError, match=r"use machine\.sharding=none"):
        score(ids, settings=Settings(device="cpu", progress=False, machine=machine))


def test_killed_and_run_again_ends_with_the_same_result(ids, tiny_clip_home):
    command = [
        *(sys.executable, "-m", "assay", "score", str(ids), "--track", TRACK, "--scale", SCALE),
        *("device=cpu", "threads=1", "progress=false", "checkpoint_seconds=0"),
    ]
    for _ in range(40):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        stopped = _kill_in_training(process, tiny_clip_home)
        if stopped:
            break
    assert stopped, "the run was never caught while it trained"
    (resumed,) = score(ids)
    (whole,) = score(ids, fresh=True)
    assert resumed["result_digest"] == whole["result_digest"]


def _kill_in_training(process: subprocess.Popen, home: Path) -> bool:
    """Kill the process once a checkpoint is there; tell whether it was caught before its end."""
    while process.poll() is None:
        if list(home.glob("runs/*/resume.safetensors")):
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            return not list(home.glob("runs/*/trained.json"))
        time.sleep(0.002)
    process.communicate()
    return False


def test_an_id_of_another_pool_is_refused_before_anything_is_trained(ids, tiny_clip_home):
    uids = np.load(ids)
    uids["f0"][0] ^= 1
    np.save(ids, np.sort(uids))
    with pytest.raises(SubmissionError, match="S2"):
        score(ids)
    assert not (tiny_clip_home / "runs").exists()


def test_a_curriculum_with_weights_is_scored(ids, tiny_clip_home):
    pool = load_pool("tiny-pairs-200")
    early = submission_of(pool.uids[:80], repeats=np.full(80, 2))
    path = ids.with_suffix(".parquet")
    write_submission(staged([(0.75, early), (0.25, submission_of(pool.uids[80:]))]), path)
    (record,) = score(path)
    assert record["submission"]["form"] == "staged"
    assert record["submission"]["samples"] == 160 + 120
    assert record["submission"]["unique"] == 200


def test_an_edited_tokenizer_is_found_before_training(ids, tiny_clip_home):
    (tiny_clip_home / "tracks" / TRACK / "tokenizer.json").write_text("{}")
    with pytest.raises(TrackError, match="not the sealed tokenizer"):
        score(ids)
    assert not (tiny_clip_home / "runs").exists()


def test_the_board_ranks_by_the_average(ids, tiny_clip_home, capsys):
    (record,) = score(ids)
    (table,) = build_board(ledger.read_ledger(TRACK, SCALE))
    assert [metric.name for metric in table.metrics] == ["average", "centered_average"]
    assert table.rows[0].estimates["average"].mean == record["metrics"]["average"]
    better = json.loads(json.dumps(record))
    better["metrics"]["average"] += 0.1
    better["submission"]["digest"] = "sha256:" + "1" * 64
    (table,) = build_board([record, better])
    assert table.rows[0].submission == better["submission"]["digest"]
    assert main(["board", "--track", TRACK]) == 0
    assert "average ↑" in capsys.readouterr().out


def test_linear_probes_lie_beside_the_record(ids, tiny_clip_home, capsys):
    command = ["score", str(ids), "--track", TRACK, "--scale", SCALE, "--linear-probe"]
    assert main([*command, "--json", "device=cpu", "threads=1", "progress=false"]) == 0
    document = json.loads(capsys.readouterr().out)
    (probe,) = document["linear_probe"]
    assert 0 <= probe["colour"]["lp_acc1"] <= 1
    assert probe["colour"]["num_train"] + probe["colour"]["num_test"] == 18
    (record,) = ledger.read_ledger(TRACK, SCALE)
    assert "linear_probe" not in json.dumps(record)
    kept = run_folder(record, tiny_clip_home) / "linear_probe.json"
    assert json.loads(kept.read_bytes()) == probe
    assert main(["score", "x.npy", "--track", "text", "--scale", "pico", "--linear-probe"]) == 2
    assert "needs image features" in capsys.readouterr().err


def test_the_verbs_are_those_of_text(ids, tiny_clip_home, capsys):
    there = ["--track", TRACK, "--scale", SCALE]
    out = tiny_clip_home.parent / "basic.npy"
    assert main(["select", "basic_filter", *there, "--out", str(out), "--json"]) == 0
    chosen = json.loads(capsys.readouterr().out)
    assert 20 < chosen["samples"] < 200
    assert main(["validate", str(out), *there, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == chosen["digest"]
    assert main(["score", str(out), *there, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["validation"]["ok"] is True
    assert main(["score", str(out), *there, "--json", "device=cpu", "progress=false"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["summary"]["average"]["mean"] > 0
    assert main(["tracks"]) == 0
    assert f"{TRACK}/{SCALE}" in capsys.readouterr().out
