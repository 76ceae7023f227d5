"""Forged results: whatever a worker says, only what its outputs give is written."""

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.canonical import digest_bytes
from assay_board import results
from forged_results import Forger
from forgery import forged, resealed
from tiny_lists import a_list


@pytest.fixture
def forger(server):
    return Forger(server)


def test_forged_metrics_are_refused_and_the_honest_result_still_counts(forger):
    for value in (0.1, 0, "0.1", None, True):
        forger.refused("W5", forged(forger.record, metrics__bits_per_byte=value))
    tasks = forger.record["metrics"]["tasks"]
    forger.refused("W5", forged(forger.record, metrics__tasks={}))
    forger.refused("W5", forged(forger.record, metrics__tasks=tasks | {"more": {}}))
    assert forger.bring().status_code == 201


def test_forged_outputs_are_refused(forger, monkeypatch):
    monkeypatch.setattr(results, "MAX_OUTPUTS_BYTES", 10_000_000)
    table = pq.read_table(io.BytesIO(forger.parts["outputs"]))
    better = pa.array([[0.0] * len(row) for row in table["log_likelihood"].to_pylist()])
    column = table.schema.get_field_index("log_likelihood")
    record, data = forger.with_outputs(table.set_column(column, table.schema.field(column), better))
    forger.refused("W5", record, outputs=data)
    record, data = forger.with_outputs(table.slice(1))
    forger.refused("W5", record, outputs=data)
    record, data = forger.with_outputs(pa.concat_tables([table, table.slice(0, 1)]))
    forger.refused("W5", record, outputs=data)
    record, data = forger.with_outputs(table.rename_columns([f"c{n}" for n in range(7)]))
    forger.refused("W5", record, outputs=data)
    record, data = forger.with_outputs(pa.table({"task": ["a" * 30_000_000]}))
    forger.refused("W5", record, outputs=data)
    for data in (b"", b"PAR1", b"x" * 1000, forger.parts["outputs"][:-9]):
        forger.refused(
            "W5", forged(forger.record, digests__outputs=digest_bytes(data)), outputs=data
        )


def test_another_seed_law_list_or_name_is_refused(forger):
    record, other = forger.record, "sha256:" + "0" * 64
    source = record["seed_source"]
    forger.refused("W3", forged(record, seed=record["seed"] + 1))
    forger.refused("W3", forged(record, seed_source__index=1))
    forger.refused("W3", forged(record, seed_source=source | {"index": False}))
    forger.refused("W3", resealed({k: v for k, v in record.items() if k != "seed_source"}))
    forger.refused("W2", forged(record, track__seal=other))
    forger.refused("W2", forged(record, track__version=2))
    forger.refused("W2", forged(record, track__name="text"))
    forger.refused("W2", forged(record, digests__pool=other))
    forger.refused("W2", forged(record, digests__recipe=other))
    forger.refused("W2", forged(record, digests__suite=other))
    forger.refused("W2", forged(record, training__steps=23))
    forger.refused("W4", forged(record, submission__digest=other))
    forger.refused("W4", forged(record, submission__manifest__name="somebody else"))
    forger.refused("W4", forged(record, submission__unique=1))
    forger.refused("W4", forged(record, digests__selection=other))


def test_a_forged_trace_is_refused(forger):
    def saved(array, **options) -> bytes:
        stream = io.BytesIO()
        np.save(stream, array, **options)
        return stream.getvalue()

    trace = np.load(io.BytesIO(forger.parts["trace"]))
    for other in (trace[:-1], trace + 1, trace.astype(np.float64), trace[None], trace * np.nan):
        forger.refused("W6", trace=saved(other))
    forger.refused("W6", trace=saved(np.array([{}]), allow_pickle=True))
    forger.refused("W6", trace=b"")
    huge = b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,)}"
    forger.refused("W6", trace=b"\x93NUMPY\x01\x00" + len(huge).to_bytes(2, "little") + huge)
    forger.refused("W6", forged(forger.record, digests__trace=digest_bytes(b"")))
    forger.refused("W6", forged(forger.record, training__final_loss=0.5))


def test_what_is_no_record_is_refused(forger):
    record = forger.record
    for data in (
        b"",
        b"{}",
        b"[]",
        b"null",
        b"NaN",
        b"[" * 100_000,
        b"\xff",
        b'{"kind":"run"}',
        b"1" * 5000,
    ):
        forger.refused("W1", data)
    forger.refused("W1", record | {"digest": "sha256:" + "0" * 64})
    forger.refused("W1", record | {"metrics": record["metrics"] | {"bits_per_byte": 0.1}})
    forger.refused("W1", forged(record, more="fields"))
    forger.refused("W1", forged(record, format=2))
    forger.refused("W1", forged(record, device__name="\x1b[2J"))
    forger.refused("W1", forged(record, software__assay="\u202ex"))
    forger.refused("W1", forged(record, clock__note="x" * 5000))
    forger.refused("W1", forged(record, clock__note="x" * 2_000_000))
    forger.refused("W1", forged(record, digests__run="../../etc/passwd"))
    deep: dict[str, Any] = {}
    for _ in range(9):
        deep = {"deeper": deep}
    forger.refused("W1", forged(record, clock__deep=deep))


def test_a_law_is_not_called_unsealed(forger):
    forger.refused("W2", forged(forger.record, track__sealed=False))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_other_record_than_the_honest_one_is_written(forger, data):
    """Any value of a section may be replaced; what no metric rests on may differ, and nothing else."""
    record = forger.record
    section = data.draw(st.sampled_from(["submission", "track", "digests", "training", "metrics"]))
    key = data.draw(st.sampled_from(sorted(record[section])))
    if (section, key) in (
        ("digests", "run"),
        ("digests", "checkpoint"),
        ("training", "final_loss"),
    ):
        return
    value = data.draw(st.none() | st.booleans() | st.integers() | st.text(max_size=9))
    known = {("training", name) for name in record["training"]} - {("training", "steps")}
    if (section, key) in known or value == record[section][key]:
        return
    answer = forger.bring(forged(record, **{f"{section}__{key}": value}))
    assert answer.status_code == 422, (section, key, value)
    assert answer.json()["rule"][0] == "W"
    assert forger.server.board.ledger.size == 1


def test_a_result_is_brought_once_and_acknowledged_again(server):
    forger = Forger(server)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: forger.bring(), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert server.board.ledger.size == 2
    # Another one, as true as it may be, comes too late.
    other = forged(forger.record, clock__train_seconds=0.001)
    assert forger.bring(other).status_code == 409
    assert server.call(forger.worker, forger.lease, "heartbeat").status_code == 200
    body = {"reason": "changed my mind"}
    assert server.call(forger.worker, forger.lease, "failure", **body).status_code == 410
    assert server.board.ledger.size == 2


def test_a_result_of_one_lease_is_none_of_another(forger):
    server = forger.server
    server.hand_in(server.team("others"), a_list(50))
    forger.lease = server.lease(forger.worker)
    answer = forger.bring()
    assert (answer.status_code, answer.json()["rule"]) == (422, "W3")
