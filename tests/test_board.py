import csv
import io
import json

import numpy as np
import pytest
from scipy import stats

from assay import ledger
from assay.board import board_csv, board_json, board_text, build_board, half_width, pooled_sd
from assay.errors import LedgerError
from assay.record import build_record


def record(submission: str, seed: int, bits: float, accuracy: float = 0.5, **change) -> dict:
    return build_record(
        submission={
            "digest": f"sha256:{submission}", "form": "ids", "unit": "document", "n": 10, "unique": 10, "tokens": 100,
            "repeats": 1.5, "pool_n": 100, "manifest": {"name": submission},
        },
        track={"name": "t", "scale": "s", "version": 1, "modality": "text", "seal": "sha256:aa", "sealed": True},
        seed=seed,
        digests={"run": f"{submission}{seed}", "pool": "sha256:bb"},
        training={},
        metrics={"bits_per_byte": bits, "centered_accuracy": accuracy},
        software={"torch": "2"},
        device={"type": "cpu"},
        clock={"finished": "2026-01-01T00:00:00+00:00", **change},
    )  # fmt: skip


def test_the_result_digest_ignores_the_clock_and_the_record_digest_does_not() -> None:
    one, two = record("a", 1, 2.0, train_seconds=1), record("a", 1, 2.0, train_seconds=2)
    assert one["result_digest"] == two["result_digest"]
    assert one["digest"] != two["digest"]
    assert record("a", 1, 2.5)["result_digest"] != one["result_digest"]
    assert record("a", 2, 2.0)["result_digest"] != one["result_digest"]


def test_an_edited_record_is_found_out(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    path = ledger.append(record("a", 1, 2.0))
    assert ledger.read_ledger("t", "s") == [record("a", 1, 2.0)]
    edited = json.loads(path.read_text())
    edited["body"]["metrics"]["bits_per_byte"] = 1.0
    path.write_text(json.dumps(edited))
    with pytest.raises(LedgerError, match="was edited"):
        ledger.read_ledger()


def test_rows_are_ranked_by_bits_per_byte_with_pooled_intervals() -> None:
    rng = np.random.default_rng(5)
    values = {
        name: rng.normal(mean, 0.1, 3) for name, mean in (("good", 1.0), ("bad", 3.0), ("mid", 2.0))
    }
    records = [record(name, j, float(x)) for name, xs in values.items() for j, x in enumerate(xs)]
    (table,) = build_board(records)
    assert [row.name for row in table.rows] == ["good", "mid", "bad"]
    pooled = np.sqrt(np.mean([np.var(xs, ddof=1) for xs in values.values()]))
    assert table.degrees == 6
    assert table.pooled_sd["bits_per_byte"] == pytest.approx(pooled)
    low, high = stats.t.interval(0.95, 6, loc=values["good"].mean(), scale=pooled / np.sqrt(3))
    best = table.rows[0].estimates["bits_per_byte"]
    assert (best.mean - best.half_width, best.mean + best.half_width) == pytest.approx((low, high))


def test_the_order_of_records_changes_nothing() -> None:
    records = [
        record(name, j, bits + j / 10) for name, bits in (("a", 1.0), ("b", 2.0)) for j in range(3)
    ]
    assert (
        board_json(build_board(records))["tables"][0]["rows"]
        == board_json(build_board(records[::-1]))["tables"][0]["rows"]
    )


def test_one_seed_has_no_interval() -> None:
    assert pooled_sd([[1.0], [2.0]]) == (None, 0)
    assert half_width(None, 0, 1) is None
    (table,) = build_board([record("a", 1, 2.0)])
    assert table.rows[0].estimates["bits_per_byte"].half_width is None
    assert "no noise estimate" in board_text([table])


def test_different_seals_and_pools_never_share_a_table() -> None:
    other = record("a", 1, 2.0)
    other["track"] = other["track"] | {"seal": "sha256:cc"}
    elsewhere = record("a", 1, 2.0)
    elsewhere["digests"] = elsewhere["digests"] | {"pool": "sha256:dd"}
    assert len(build_board([record("a", 1, 2.0), other, elsewhere])) == 3


def test_the_csv_holds_what_the_table_holds() -> None:
    tables = build_board([record("a", j, 1.0 + j / 10) for j in range(2)] + [record("b", 1, 2.0)])
    rows = list(csv.DictReader(io.StringIO(board_csv(tables))))
    assert [row["name"] for row in rows] == ["a", "b"]
    assert float(rows[0]["bits_per_byte"]) == tables[0].rows[0].estimates["bits_per_byte"].mean
    assert rows[1]["bits_per_byte_sd"] == ""
