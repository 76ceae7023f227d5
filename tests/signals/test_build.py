"""Building signals: aligned to rows, the same whatever the workers, resumed after a kill, kept by content."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import assay.signals.build
import assay.signals.catalogue
import assay.signals.parts
from assay.errors import SignalError
from assay.pool import Pool, build_pool
from assay.signals.build import build_signals, want
from assay.signals.columns import Columns, Examples, PerExample, PoolInputs, WholePool
from assay.signals.reading import SignalReader
from assay.signals.store import work_folder

N = 2500


@pytest.fixture(scope="module")
def pool(tmp_path_factory) -> Pool:
    folder = tmp_path_factory.mktemp("signals")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        lines = [
            json.dumps({"text": "word " * (i % 40 + 1) + str(i), "id": str(i)}) for i in range(N)
        ]
        # Repeated ids: rows and storage differ.
        (folder / "d.jsonl").write_text("\n".join([*lines, *lines[:50]]))
        return build_pool(
            [str(folder / "d.jsonl")],
            folder / "pool",
            name="signals",
            vocab_size=300,
            id_field="id",
        )


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    monkeypatch.setattr(assay.signals.parts, "PART_EXAMPLES", 1000)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    return tmp_path


def _shape(examples: Examples) -> Columns:
    texts = examples.table.column("text").to_pylist()
    sizes = np.array([len(text) for text in texts], dtype=np.int32)
    return {
        "sizes": sizes,
        "first": np.array([text[:2] for text in texts]),
        "last": np.array([text.split()[-1] for text in texts]),
        "pair": np.stack([sizes, -sizes], axis=1).astype(np.float16),
    }


def _rank(inputs: PoolInputs) -> Columns:
    order = np.argsort(inputs.signal("sizes"), kind="stable")
    rank = np.empty(inputs.pool.n, dtype=np.int64)
    rank[order] = np.arange(inputs.pool.n)
    return {"rank": rank * inputs.parameters["sign"]}


SHAPE = PerExample(
    "shape", 1, "text", ("text",), {"sizes": "a", "first": "b", "last": "b", "pair": "c"}, _shape
)
RANK = WholePool("rank_of_size", 1, "text", {"rank": "d"}, _rank, {"sign": 1}, ("sizes",))


@pytest.fixture
def own(monkeypatch):
    """Two signals of the test's own."""
    monkeypatch.setattr(assay.signals.catalogue, "SIGNALS", (SHAPE, RANK))


def test_columns_are_aligned_to_rows_whatever_their_type(pool, own):
    (stored,) = build_signals(pool, [want("shape", pool)], workers=1)
    texts = list(pool.texts())
    assert stored.column("sizes").tolist() == [len(text) for text in texts]
    assert stored.column("first").tolist() == [text[:2] for text in texts]
    # The last word is a number: later parts have longer ones.
    assert stored.column("last").tolist() == [text.split()[-1] for text in texts]
    assert stored.column("last").dtype == "<U4"
    assert stored.column("pair").shape == (N, 2)
    assert np.array_equal(stored.column("pair")[:, 1], -stored.column("sizes").astype(np.float16))
    assert not work_folder(stored.folder).exists()


def test_a_whole_pool_signal_gets_what_it_needs_and_its_parameters(pool, own):
    up, down = build_signals(pool, [want("rank", pool), want("rank", pool, sign=-1)], workers=1)
    assert up.folder != down.folder
    assert np.array_equal(up.column("rank"), -down.column("rank"))
    sizes = np.array([len(text) for text in pool.texts()])
    assert np.array_equal(np.sort(sizes), sizes[np.argsort(up.column("rank"))])


def test_what_is_there_is_not_computed_again(pool, own, monkeypatch):
    first = build_signals(pool, [want("rank", pool)], workers=1)
    monkeypatch.setattr(assay.signals.build, "compute_part", None)
    monkeypatch.setattr(assay.signals.build, "finish", None)
    assert build_signals(pool, [want("rank", pool)], workers=1) == first


def test_a_version_or_a_parameter_makes_another_key(pool, own, monkeypatch):
    (first,) = build_signals(pool, [want("rank", pool)], workers=1)
    monkeypatch.setattr(
        assay.signals.catalogue, "SIGNALS", (replace(SHAPE, columns=SHAPE.columns, version=2), RANK)
    )
    (second,) = build_signals(pool, [want("rank", pool)], workers=1)
    assert first.key != second.key  # what it needs has changed
    assert first.digests == second.digests


def test_a_killed_build_goes_on_with_the_parts_that_are_missing(pool, own, monkeypatch):
    real, done = assay.signals.build.compute_part, []

    def dying(where, part, wanted):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(part)
        return real(where, part, wanted)

    monkeypatch.setattr(assay.signals.build, "compute_part", dying)
    with pytest.raises(KeyboardInterrupt):
        build_signals(pool, [want("shape", pool)], workers=1)
    monkeypatch.setattr(
        assay.signals.build, "compute_part", lambda *task: done.append(task[1]) or real(*task)
    )
    (stored,) = build_signals(pool, [want("shape", pool)], workers=1)
    assert [(part.start, part.stop) for part in done] == [(0, 1000), (1000, 2000), (2000, N + 50)]
    shutil.rmtree(stored.folder)
    monkeypatch.setattr(assay.signals.build, "compute_part", real)
    (again,) = build_signals(pool, [want("shape", pool)], workers=1)
    assert again.digests == stored.digests


def test_the_number_of_workers_and_the_size_of_batches_change_nothing(pool, home, monkeypatch):
    names = ("gopher_repetition", "c4", "redpajama_v2")

    def digests(workers: int) -> list[dict[str, str]]:
        shutil.rmtree(home / "signals", ignore_errors=True)
        wanted = [want(name, pool) for name in names]
        return [stored.digests for stored in build_signals(pool, wanted, workers=workers)]

    alone = digests(1)
    assert digests(2) == alone
    monkeypatch.setattr(assay.signals.parts, "BATCH_BYTES", 3000)
    assert digests(1) == alone


def test_a_reader_notes_digests_and_costs(pool, own):
    reader = SignalReader(pool)
    reader.column("rank", sign=-1)
    assert list(reader.used) == ["rank(sign=-1)"]
    assert reader.spent >= 0
    again = SignalReader(pool)
    again.column("rank", sign=-1)
    assert again.used == reader.used
    assert again.cpu_seconds == reader.cpu_seconds


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("ranck", {}, "did you mean 'rank'"),
        ("rank", {"sgin": 1}, "did you mean 'sign'"),
        ("rank", {"sign": "up"}, "of type int, got 'up'"),
        ("shape", {"sign": 1}, "no parameter 'sign'"),
    ],
)
def test_what_there_is_not_is_refused_with_a_hint(pool, own, name, parameters, message):
    with pytest.raises(SignalError, match=message):
        want(name, pool, **parameters)


def test_a_signal_of_several_columns_is_read_by_column(pool, own):
    with pytest.raises(SignalError, match="name one of them: sizes, first, last, pair"):
        SignalReader(pool).column("shape")


def test_damage_is_told_with_the_remedy(pool, own):
    (stored,) = build_signals(pool, [want("shape", pool)], workers=1)
    (stored.folder / "sizes.npy").write_bytes(b"cut short")
    with pytest.raises(SignalError, match="remove the folder"):
        stored.column("sizes")
    (stored.folder / "signal.json").write_text("{")
    with pytest.raises(SignalError, match="remove the folder"):
        build_signals(pool, [want("shape", pool)], workers=1)
