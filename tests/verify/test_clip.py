"""The same code on an image-text record."""

from pathlib import Path

import pyarrow as pa
import pytest

from assay.runner.training import CHECKPOINT
from forgery import (
    Record,
    copy_artifact,
    detail,
    edit_outputs,
    edit_plan,
    forged,
    seeds_in_order,
    statuses,
    verified,
)
from tiny_clip import SCALE, STEPS, TRACK


@pytest.fixture
def records(clip_home: Path) -> list[Record]:
    return seeds_in_order(TRACK, SCALE)


def test_a_true_record_passes_every_level_to_the_bit(
    records: list[Record], clip_home: Path
) -> None:
    found = verified(records[0], clip_home, rerun="prefix")
    assert statuses(found, "ok") == [check.name for check in found.checks]
    assert "to the bit" in detail(found, "evaluation")
    assert f"first {STEPS} of {STEPS} losses, bit for bit" in detail(found, "prefix")
    assert (found.level, found.exit_code) == ("replay", 0)


def test_a_full_rerun_has_the_same_result(records: list[Record], clip_home: Path) -> None:
    found = verified(records[0], clip_home, rerun="full")
    assert detail(found, "full") == "the whole result, bit for bit"
    assert found.exit_code == 0


def test_a_changed_metric_is_caught(records: list[Record], clip_home: Path) -> None:
    metrics = records[0]["metrics"]
    found = verified(
        forged(records[0], metrics=metrics | {"average": metrics["average"] + 0.01}), clip_home
    )
    assert statuses(found, "failed") == ["metrics"]
    assert found.exit_code == 4


def test_a_swapped_checkpoint_and_another_seed_are_caught(
    records: list[Record], clip_home: Path
) -> None:
    record, other = records
    copy_artifact(CHECKPOINT, other, record)
    edit_plan(record, seed=other["seed"])
    weights = other["digests"]["checkpoint"]
    forgery = forged(record, digests__checkpoint=weights, seed=other["seed"])
    found = verified(forgery, clip_home, rerun="prefix")
    assert statuses(found, "failed") == ["evaluation", "prefix"]
    assert (found.level, found.exit_code) == ("metrics", 5)


def test_edited_outputs_and_a_partial_suite_are_caught(
    records: list[Record], clip_home: Path
) -> None:
    def surer(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        rows[0]["log_prob"] *= 1 - 1e-12
        return pa.Table.from_pylist(rows, schema=table.schema)

    edited = edit_outputs(records[0], surer)
    assert statuses(verified(edited, clip_home), "failed") == ["evaluation"]
    partial = edit_outputs(edited, lambda table: table.slice(0, len(table) - 1))
    found = verified(partial, clip_home)
    assert statuses(found, "failed") == ["complete"]
    assert found.exit_code == 4


def test_an_edited_suite_is_told_from_the_recipe(records: list[Record], clip_home: Path) -> None:
    path = clip_home / "tracks" / TRACK / "suites" / f"{TRACK}.yaml"
    path.write_text(path.read_text().replace("version: 1", "version: 2"))
    found = verified(records[0], clip_home)
    assert statuses(found, "failed") == ["suite", "seal"]
    assert "recipe" in statuses(found, "ok")
    assert {"complete", "metrics", "evaluation"} <= set(statuses(found, "skipped"))
    assert found.exit_code == 3
