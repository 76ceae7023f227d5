"""From an id list to records, on the tiny track: the whole flow, its caches and its resumption."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from assay import ledger
from assay.canonical import digest_file
from assay.cli import main
from assay.errors import RunError, SubmissionError, SuiteError
from assay.pool import Pool
from assay.record import result_digest
from assay.runner.plan import derive_seed, make_plan
from assay.runner.scoring import score_file
from assay.score.text import score
from assay.settings import MachineSettings, Settings
from assay.submission import Manifest
from assay.track.load import load
from tiny import SCALE, TRACK

QUIET = Settings(device="cpu", progress=False)
AT = {"track": TRACK, "scale": SCALE}


@pytest.fixture
def ids(tiny_home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "s.npy"
    np.save(path, Pool.open("tiny-pool").uids[::3])
    return path


def score_once(path: Path, **changes) -> dict:
    (record,) = score_file(
        path, **({"seeds": 1, "settings": QUIET, "manifest": Manifest()} | AT | changes)
    )
    return record


def test_a_record_says_what_led_to_the_score(ids: Path) -> None:
    record = score_once(ids)
    loaded = load(TRACK, SCALE)
    assert record["track"]["seal"] == loaded.seal
    assert record["track"]["sealed"]
    assert record["digests"]["pool"] == Pool.open("tiny-pool").root
    assert record["training"]["tokens_seen"] == loaded.recipe.tokens_seen
    assert record["training"]["parameters"] == loaded.recipe.model.num_parameters
    assert record["seed"] == derive_seed(record["submission"]["digest"], loaded.label, 0)
    assert 0 < record["metrics"]["bits_per_byte"] < 9
    assert ledger.read_ledger(TRACK, SCALE) == [record]


def test_every_metric_follows_from_the_outputs_that_were_kept(ids: Path, tiny_home: Path) -> None:
    record = score_once(ids)
    (outputs,) = tiny_home.glob("runs/*/outputs.parquet")
    again = score(pq.read_table(outputs), load(TRACK, SCALE).suite).as_json()
    assert again == record["metrics"]


def test_the_checkpoint_loads_with_transformers_alone(ids: Path, tiny_home: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    score_once(ids)
    (folder,) = tiny_home.glob("runs/*/checkpoint")
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokens = tokenizer("Ada lives in", return_tensors="pt")["input_ids"]
    assert model(tokens).logits.shape == (1, tokens.shape[1], 512)
    assert tokens[0].tolist() == Pool.open("tiny-pool").tokenizer().encode("Ada lives in").ids


def test_a_run_that_has_a_record_is_not_repeated(ids: Path, tiny_home: Path) -> None:
    first = score_once(ids)
    assert score_once(ids) == first
    assert len(ledger.read_ledger()) == 1


def test_a_second_run_from_nothing_has_the_same_result_digest(ids: Path) -> None:
    first = score_once(ids)
    second = score_once(ids, fresh=True)
    assert second["result_digest"] == first["result_digest"]
    assert second["digests"] == first["digests"]


def test_seeds_differ_and_are_not_chosen(ids: Path) -> None:
    records = score_file(ids, seeds=2, settings=QUIET, manifest=Manifest(), **AT)
    assert records[0]["seed"] != records[1]["seed"]
    assert records[0]["digests"]["trace"] != records[1]["digests"]["trace"]


def test_a_wrong_checkpoint_is_found_out(ids: Path, tiny_home: Path) -> None:
    score_once(ids)
    (weights,) = tiny_home.glob("runs/*/checkpoint/model.safetensors")
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    shutil.rmtree(tiny_home / "ledger")
    with pytest.raises(RunError, match="do not match their digest"):
        score_once(ids)


def test_an_invalid_submission_is_refused_before_anything_is_trained(
    tiny_home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bad.npy"
    uids = Pool.open("tiny-pool").uids[:30].copy()
    uids["f1"][3] ^= 1
    np.save(path, uids)
    with pytest.raises(SubmissionError, match="S2"):
        score_once(path)
    assert not (tiny_home / "runs").exists()


@pytest.mark.slow
def test_two_processes_give_the_losses_of_one(ids: Path, tiny_home: Path) -> None:
    one = score_once(ids)
    trace = np.load(next(tiny_home.glob("runs/*/trace.npy")))
    two = score_once(
        ids, fresh=True, settings=Settings(device="cpu", progress=False, machine=MachineSettings(2))
    )
    split = np.load(next(tiny_home.glob("runs/*/trace.npy")))
    np.testing.assert_allclose(split, trace, rtol=2e-3)
    assert two["device"]["processes"] == 2
    assert two["metrics"]["bits_per_byte"] == pytest.approx(
        one["metrics"]["bits_per_byte"], rel=5e-3
    )


def test_processes_that_cannot_share_a_batch_are_refused(ids: Path) -> None:
    three = Settings(device="cpu", progress=False, machine=MachineSettings(3))
    with pytest.raises(RunError, match=r"machine\.processes=3 does not divide"):
        score_once(ids, settings=three)


KILLED = Settings(device="cpu", progress=False, threads=1)
COMMAND = [sys.executable, "-m", "assay", "score"]


@pytest.mark.slow
def test_killed_at_ten_moments_and_run_again_ends_with_the_same_result(
    ids: Path, tiny_home: Path
) -> None:
    whole = score_once(ids, settings=KILLED)
    plan = make_plan(load(TRACK, SCALE), _submission(ids), Pool.open("tiny-pool"), 0, KILLED)
    command = [*COMMAND, str(ids), "--track", TRACK, "--scale", SCALE, "--fresh", "--json"]
    again = [word for word in command if word != "--fresh"]
    overrides = ["device=cpu", "checkpoint_seconds=0", "progress=false", "threads=1"]
    threads = os.environ | {"ASSAY_HOME": str(tiny_home)}
    shutil.rmtree(tiny_home / "ledger")
    milestones = ["plan.json", "resume.safetensors", "resume.safetensors", "metrics.jsonl"]
    milestones += [
        "checkpoint",
        "trace.npy",
        "trained.json",
        "outputs.parquet",
        "plan.json",
        "trained.json",
    ]
    fresh = True
    killed = 0
    for number, milestone in enumerate(milestones):
        process = subprocess.Popen(
            [*(command if fresh else again), *overrides],
            env=threads, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _wait_for(plan.folder / milestone, process, delay=0.05 * number)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        fresh = number % 3 == 2  # some chains of kills, some starts from nothing
    assert killed >= 5
    done = subprocess.run([*again, *overrides], env=threads, capture_output=True, check=True)
    (record,) = json.loads(done.stdout)["records"]
    assert record["result_digest"] == whole["result_digest"] == result_digest(whole)


def _submission(path: Path):
    from assay.submission import read_submission

    return read_submission(path)


def _wait_for(path: Path, process: subprocess.Popen, delay: float) -> None:
    """Wait until the file appears or the process ends, then a moment longer."""
    deadline = time.monotonic() + 60
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(delay)


def test_the_json_of_score_has_the_promised_shape(ids: Path, capsys) -> None:
    code = main(
        [
            "score",
            str(ids),
            "--track",
            TRACK,
            "--scale",
            SCALE,
            "--json",
            "device=cpu",
            "progress=false",
        ]
    )
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    named = {"submission", "track", "scale", "records", "summary", "noisy_tasks"}
    assert set(document) == named
    (record,) = document["records"]
    assert {"digest", "seed", "path", "metrics"} <= set(record)
    assert {"bits_per_byte", "centered_accuracy", "tasks"} <= set(record["metrics"])
    assert ledger.read_record(Path(record["path"]))["digest"] == record["digest"]


def test_the_board_shows_what_was_scored(ids: Path, capsys) -> None:
    main(
        [
            "score",
            str(ids),
            "--track",
            TRACK,
            "--scale",
            SCALE,
            "--name",
            "thirds",
            "progress=false",
        ]
    )
    capsys.readouterr()
    assert main(["board", "--track", TRACK, "--format", "json"]) == 0
    (table,) = json.loads(capsys.readouterr().out)["tables"]
    assert [row["name"] for row in table["rows"]] == ["thirds"]
    assert main(["board"]) == 0
    assert "thirds" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scale", "huge"], "has no scale 'huge'"),
        (["--track", "tinny"], "did you mean 'tiny'?"),
        (["recipe.optimizer.lr=1"], "Key 'recipe' not in"),
        (["--seeds", "0"], "at least one run"),
        (["machine.processes=3"], "does not divide"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    ids: Path, capsys, words: list[str], message: str
) -> None:
    base = ["score", str(ids), "--track", TRACK, "--scale", SCALE]
    assert main([*base, *words]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("assay: ")
    assert message in error


def test_a_dry_run_says_what_it_would_take_and_trains_nothing(
    ids: Path, tiny_home: Path, capsys
) -> None:
    assert main(["score", str(ids), "--track", TRACK, "--scale", SCALE, "--dry-run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["validation"]["ok"]
    assert document["runs"] == 1
    assert not (tiny_home / "runs").exists()


def test_a_fresh_run_keeps_what_an_earlier_record_points_at(ids: Path, tiny_home: Path) -> None:
    first = score_once(ids)
    score_once(ids, fresh=True)
    kept = {digest_file(path) for path in tiny_home.glob("runs/*/outputs.parquet")}
    assert first["digests"]["outputs"] in kept
    assert len(list(tiny_home.glob("runs/*/outputs.parquet"))) == 2


def test_other_threads_are_another_run_with_the_same_seed(ids: Path) -> None:
    one, two = score_once(ids), score_once(ids, settings=KILLED)
    assert one["seed"] == two["seed"]
    assert one["digests"]["run"] != two["digests"]["run"]


def test_a_missing_suite_is_found_before_training(ids: Path, tiny_home: Path) -> None:
    next(tiny_home.glob("suites/*/continuation_clean.jsonl")).unlink()
    with pytest.raises(SuiteError, match="continuation_clean"):
        score_once(ids)
    assert not list(tiny_home.glob("runs/*/resume.safetensors"))
    assert ledger.read_ledger() == []


def test_two_commands_at_once_do_one_run(ids: Path, tiny_home: Path) -> None:
    words = [*COMMAND, str(ids), "--track", TRACK, "--scale", SCALE, "--json", "progress=false"]
    pair = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=120) for process in pair]
    digests = {json.loads(out)["records"][0]["digest"] for out, _ in answers}
    assert len(digests) == len(ledger.read_ledger()) == 1


def test_a_name_with_control_characters_is_refused(ids: Path, capsys) -> None:
    words = ["score", str(ids), "--track", TRACK, "--scale", SCALE, "--name", "a\x1bb"]
    assert main(words) == 2
    assert "M1" in capsys.readouterr().err
