"""Forgeries of a text record, each with every digest made to match as far as its forger can."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from assay import ledger
from assay.canonical import digest_bytes, digest_file, digest_json
from assay.cli import main
from assay.pool import load_pool
from assay.runner.plan import SUBMISSION_FILE, derive_seed
from assay.runner.scoring import OUTPUTS_FILE, score_file
from assay.runner.training import CHECKPOINT, TRACE_FILE
from assay.selection import select_rows
from assay.settings import Settings
from assay.spec import plain
from assay.submission import Manifest, submission_of, validate, write_submission
from assay.track.load import load
from assay.train.checkpoint import weights_file
from forgery import (
    Record,
    copy_artifact,
    detail,
    edit_outputs,
    edit_plan,
    folder_of,
    forged,
    seeds_in_order,
    statuses,
    verified,
    with_outputs,
)
from tiny import SCALE, STEPS, TRACK


@pytest.fixture
def records(text_home: Path) -> list[Record]:
    return seeds_in_order(TRACK, SCALE)


@pytest.fixture
def record(records: list[Record]) -> Record:
    return records[0]


def test_a_true_record_passes_every_level_to_the_bit(record: Record, text_home: Path) -> None:
    found = verified(record, text_home, rerun="prefix")
    assert statuses(found, "ok") == [check.name for check in found.checks]
    assert (found.level, found.exit_code) == ("replay", 0)
    assert "to the bit" in detail(found, "evaluation")
    assert f"first 20 of {STEPS} losses, bit for bit" in detail(found, "prefix")


def test_without_a_rerun_the_checkpoint_is_the_last_level(record: Record, text_home: Path) -> None:
    found = verified(record, text_home)
    assert (found.level, found.exit_code) == ("checkpoint", 0)


def test_a_full_rerun_has_the_same_result_and_leaves_nothing(
    record: Record, text_home: Path
) -> None:
    before = sorted(path.name for path in (text_home / "runs").iterdir() if path.is_dir())
    found = verified(record, text_home, rerun="full")
    assert detail(found, "full") == "the whole result, bit for bit"
    assert (found.level, found.exit_code) == ("replay", 0)
    assert sorted(p.name for p in (text_home / "runs").iterdir() if p.is_dir()) == before


def test_a_changed_metric_is_caught_by_its_digests(record: Record, text_home: Path) -> None:
    record["metrics"]["bits_per_byte"] -= 1e-9
    found = verified(record, text_home)
    assert statuses(found, "failed") == ["record", "metrics"]
    assert (found.level, found.exit_code) == (None, 3)


def test_a_changed_metric_is_caught_by_its_outputs(record: Record, text_home: Path) -> None:
    metrics = json.loads(json.dumps(record["metrics"]))
    task = next(iter(metrics["tasks"]))
    metrics["tasks"][task]["bits_per_byte"] -= 1e-9
    found = verified(forged(record, metrics=metrics), text_home)
    assert statuses(found, "failed") == ["metrics"]
    assert f"tasks.{task}.bits_per_byte is" in detail(found, "metrics")
    assert (found.level, found.exit_code) == ("digests", 4)


def test_a_metric_that_the_outputs_do_not_give_is_caught(record: Record, text_home: Path) -> None:
    metrics = record["metrics"] | {"bonus": 1.0}
    found = verified(forged(record, metrics=metrics), text_home)
    assert detail(found, "metrics") == "bonus is in the record alone"
    assert found.exit_code == 4


def test_a_swapped_subset_is_caught_by_its_digest(record: Record, text_home: Path) -> None:
    other = submission_of(load_pool("tiny-pool").uids[1::3])
    write_submission(other, folder_of(record) / SUBMISSION_FILE)
    found = verified(record, text_home)
    assert statuses(found, "failed") == ["submission"]
    assert found.exit_code == 3


def test_a_swapped_subset_is_caught_by_the_replay(record: Record, text_home: Path) -> None:
    pool, loaded = load_pool("tiny-pool"), load(TRACK, SCALE)
    other = submission_of(pool.uids[1::3])
    write_submission(other, folder_of(record) / SUBMISSION_FILE)
    seed = derive_seed(other.digest, loaded.label, 0)
    edit_plan(record, submission=other.digest, seed=seed)
    shown = validate(other, pool, loaded.rules, loaded.recipe.budget).shown
    assert shown
    forgery = forged(
        record,
        submission__digest=other.digest,
        submission__tokens=shown,
        submission__repeats=round(loaded.recipe.budget.amount / shown, 4),
        seed=seed,
        digests__selection=select_rows(other, pool).digest,
    )
    found = verified(forgery, text_home, rerun="prefix")
    assert statuses(found, "failed") == ["prefix"]
    assert "on the same software and machine" in detail(found, "prefix")
    assert (found.level, found.exit_code) == ("checkpoint", 6)


def edit_recipe(home: Path, lr: float) -> str:
    """Change a learning rate in the track's file; return what the file held."""
    path = home / "tracks" / TRACK / "scales" / f"{SCALE}.yaml"
    before = path.read_text()
    document = yaml.safe_load(before)
    document["recipe"]["optimizer"]["lr"] = lr
    path.write_text(yaml.safe_dump(document))
    return before


def test_an_edited_recipe_is_told_from_suite_and_pool(record: Record, text_home: Path) -> None:
    edit_recipe(text_home, lr=1e-4)
    found = verified(record, text_home, rerun="prefix")
    assert statuses(found, "failed") == ["recipe", "seal"]
    assert {"suite", "pool", "metrics"} <= set(statuses(found, "ok"))
    assert {"evaluation", "prefix"} <= set(statuses(found, "skipped"))
    assert found.exit_code == 3


def test_other_rules_break_the_seal_alone(record: Record, text_home: Path) -> None:
    path = text_home / "tracks" / TRACK / "track.yaml"
    document = yaml.safe_load(path.read_text())
    document["rules"]["max_repeats"] += 1
    path.write_text(yaml.safe_dump(document))
    found = verified(record, text_home)
    assert statuses(found, "failed") == ["seal"]
    assert found.exit_code == 3


def test_training_under_another_recipe_is_caught_by_the_replay(
    record: Record, text_home: Path
) -> None:
    before = edit_recipe(text_home, lr=1e-4)
    (secret,) = score_file(
        text_home / "s.npy",
        track=TRACK,
        scale=SCALE,
        seeds=1,
        settings=Settings(device="cpu", threads=1, progress=False),
        manifest=Manifest(),
    )
    assert not secret["track"]["sealed"]
    (text_home / "tracks" / TRACK / "scales" / f"{SCALE}.yaml").write_text(before)
    loaded = load(TRACK, SCALE)
    forgery = forged(
        secret,
        track=record["track"],
        digests__recipe=digest_json(plain(loaded.recipe)),
    )
    assert verified(forgery, text_home).exit_code == 0
    found = verified(forgery, text_home, rerun="prefix")
    assert statuses(found, "failed") == ["prefix"]
    assert found.exit_code == 6


def test_a_seed_of_ones_own_is_caught(record: Record, text_home: Path) -> None:
    edit_plan(record, seed=1)
    found = verified(forged(record, seed=1), text_home)
    assert statuses(found, "failed") == ["seed"]
    assert found.exit_code == 3


def test_another_seed_is_caught_by_the_plan_and_by_the_replay(
    records: list[Record], text_home: Path
) -> None:
    record, other = records
    forgery = forged(record, seed=other["seed"])
    found = verified(forgery, text_home)
    assert statuses(found, "failed") == ["plan"]
    assert found.exit_code == 5
    edit_plan(record, seed=other["seed"])
    found = verified(forgery, text_home, rerun="prefix")
    assert statuses(found, "failed") == ["prefix"]
    assert found.exit_code == 6


def test_a_swapped_checkpoint_is_caught_by_its_digest(
    records: list[Record], text_home: Path
) -> None:
    record, other = records
    copy_artifact(CHECKPOINT, other, record)
    found = verified(record, text_home)
    assert statuses(found, "failed") == ["weights"]
    assert statuses(found, "skipped") == ["evaluation"]
    assert (found.level, found.exit_code) == ("metrics", 5)


def test_a_swapped_checkpoint_is_caught_by_its_outputs(
    records: list[Record], text_home: Path
) -> None:
    record, other = records
    copy_artifact(CHECKPOINT, other, record)
    forgery = forged(record, digests__checkpoint=other["digests"]["checkpoint"])
    found = verified(forgery, text_home)
    assert statuses(found, "failed") == ["evaluation"]
    assert (found.level, found.exit_code) == ("metrics", 5)


def test_a_swapped_checkpoint_with_its_outputs_is_caught_by_a_full_rerun(
    records: list[Record], text_home: Path
) -> None:
    record, other = records
    copy_artifact(CHECKPOINT, other, record)
    forgery = with_outputs(record, copy_artifact(OUTPUTS_FILE, other, record))
    forgery = forged(forgery, digests__checkpoint=other["digests"]["checkpoint"])
    assert verified(forgery, text_home, rerun="prefix").exit_code == 0
    found = verified(forgery, text_home, rerun="full")
    assert statuses(found, "failed") == ["full"]
    assert "digests.checkpoint is" in detail(found, "full")
    assert (found.level, found.exit_code) == ("checkpoint", 6)


def test_a_checkpoint_that_does_not_load_is_one_line(record: Record, text_home: Path) -> None:
    weights = weights_file(folder_of(record) / CHECKPOINT)
    assert weights is not None
    weights.write_bytes(b"\xff" * 64)
    found = verified(forged(record, digests__checkpoint=digest_file(weights)), text_home)
    assert statuses(found, "failed") == ["evaluation"]
    assert "does not load" in detail(found, "evaluation")


@pytest.mark.parametrize("missing", ["item", "task"])
def test_a_partial_suite_is_caught(record: Record, text_home: Path, missing: str) -> None:
    def drop(table: pa.Table) -> pa.Table:
        first = table["task"][0].as_py()
        of_first = pc.equal(table["task"], first)
        if missing == "item":
            of_first = pc.and_(of_first, pc.equal(table["item"], 3))
        return table.filter(pc.invert(of_first))

    found = verified(edit_outputs(record, drop), text_home)
    assert statuses(found, "failed") == ["complete"]
    assert {"metrics", "evaluation"} <= set(statuses(found, "skipped"))
    assert "expected items" in detail(found, "complete")
    assert (found.level, found.exit_code) == ("digests", 4)


def improve(table: pa.Table) -> pa.Table:
    """Give the gold answer of one item a little more probability."""
    rows = table.to_pylist()
    rows[5]["log_likelihood"][rows[5]["gold"]] *= 1 - 1e-12
    return pa.Table.from_pylist(rows, schema=table.schema)


def test_edited_outputs_are_caught_by_their_digest(record: Record, text_home: Path) -> None:
    edit_outputs(record, improve)
    found = verified(record, text_home)
    assert "outputs" in statuses(found, "failed")
    assert found.exit_code == 3


def test_edited_outputs_are_caught_by_the_checkpoint(record: Record, text_home: Path) -> None:
    found = verified(edit_outputs(record, improve), text_home)
    assert statuses(found, "failed") == ["evaluation"]
    assert (found.level, found.exit_code) == ("metrics", 5)


def disturbed_trace(record: Record, size: float) -> Record:
    """Shift every loss by a fraction of itself and make the record say so, from another machine."""
    path = folder_of(record) / TRACE_FILE
    trace = np.load(path) * np.float32(1 + size)
    np.save(path, trace)
    return forged(
        record,
        digests__trace=digest_bytes(trace.astype("<f4").tobytes()),
        training__final_loss=float(trace[-1]),
        device__name="another processor",
    )


def test_elsewhere_losses_may_differ_by_rounding(record: Record, text_home: Path) -> None:
    found = verified(disturbed_trace(record, 1e-5), text_home, rerun="prefix")
    assert statuses(found, "failed") == []
    assert "name another processor there" in detail(found, "prefix")
    assert (found.level, found.exit_code) == ("replay", 0)


def test_elsewhere_losses_may_not_differ_by_more(record: Record, text_home: Path) -> None:
    found = verified(disturbed_trace(record, 1e-2), text_home, rerun="prefix")
    assert statuses(found, "failed") == ["prefix"]
    assert found.exit_code == 6


def test_another_seed_is_no_rounding(records: list[Record], text_home: Path) -> None:
    """A record that claims another machine gains a tolerance, which no other seed fits."""
    record, other = records
    edit_plan(record, seed=other["seed"])
    forgery = forged(record, seed=other["seed"], device__name="another processor")
    assert verified(forgery, text_home, rerun="prefix").exit_code == 6


def test_a_loss_that_is_not_finite_agrees_with_nothing(record: Record, text_home: Path) -> None:
    path = folder_of(record) / TRACE_FILE
    trace = np.load(path)
    trace[3] = np.nan
    np.save(path, trace)
    digest = digest_bytes(trace.astype("<f4").tobytes())
    forgery = forged(record, digests__trace=digest, device__name="another processor")
    found = verified(forgery, text_home, rerun="prefix")
    assert statuses(found, "failed") == ["trace"]
    assert statuses(found, "skipped") == ["prefix"]
    assert found.exit_code == 3


def test_what_is_not_here_is_skipped_and_said(record: Record, text_home: Path) -> None:
    shutil.rmtree(folder_of(record))
    found = verified(record, text_home, rerun="prefix")
    assert statuses(found, "failed") == []
    assert {"submission", "weights", "outputs", "evaluation", "prefix"} <= set(
        statuses(found, "skipped")
    )
    assert (found.level, found.exit_code) == (None, 7)


def test_a_record_and_its_list_are_enough_to_train_again(record: Record, text_home: Path) -> None:
    shutil.rmtree(folder_of(record))
    found = verified(record, text_home, rerun="full", given=text_home / "s.npy")
    assert detail(found, "full") == "the whole result, bit for bit"
    assert "weights" in statuses(found, "skipped")
    assert found.exit_code == 7


def test_a_run_put_aside_is_found(record: Record, text_home: Path) -> None:
    folder = folder_of(record)
    shutil.copytree(folder, folder.with_name(f"{folder.name}.1"))
    (folder / OUTPUTS_FILE).unlink()
    assert verified(record, text_home).exit_code == 0


def test_a_track_that_is_not_here_or_newer_is_skipped(record: Record, text_home: Path) -> None:
    found = verified(forged(record, track__version=record["track"]["version"] + 1), text_home)
    assert "verify it with assay" in detail(found, "track")
    assert found.exit_code == 7
    found = verified(forged(record, track__name="elsewhere"), text_home)
    assert "no track elsewhere" in detail(found, "track")
    assert "track" in statuses(found, "skipped")


def test_the_command_names_a_record_by_its_first_digits(
    record: Record, text_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digits = record["digest"].removeprefix("sha256:")[:10]
    assert main(["verify", digits, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    assert (document["level"], document["exit_code"]) == ("checkpoint", 0)
    assert document["record"] == record["digest"]
    assert {"level", "name", "status", "detail"} == set(document["checks"][0])


def test_the_table_has_one_line_a_check(
    record: Record, text_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ledger.record_path(record)
    metrics = forged(record, metrics=record["metrics"] | {"bits_per_byte": 0.1})
    entry = json.loads(path.read_text())
    path.write_text(json.dumps(entry | {"body": metrics}))
    assert main(["verify", str(path)]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert sum("failed" in line for line in lines) == 2
    (line,) = (line for line in lines if "its digest is not that of its content" in line)
    assert line.split()[:3] == ["digests", "record", "failed"]
    assert lines[-1] == "level reached: none (exit code 3)"
