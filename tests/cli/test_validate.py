"""`assay validate`, as a person types it, and as fast as it has to be."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from assay.cli import main
from assay.pool import Pool
from assay.pool.manifest import Manifest, TokenizerEntry
from assay.pool.uid import UID_DTYPE, sort_order
from assay.track.spec import Budget, Rules

WHERE = ("--track", "text", "--scale", "pico")


def bare_pool(folder: Path, n: int) -> Pool:
    """Write a pool without documents: all that validation looks at, in the real layout."""
    folder.mkdir(parents=True)
    uids = np.random.PCG64(0).random_raw(2 * n).view(UID_DTYPE)
    np.save(folder / "uids.npy", uids[sort_order(uids)])
    np.save(folder / "n_tokens.npy", np.full(n, 99, dtype=np.int32))
    digest = "sha256:" + "0" * 64
    manifest = Manifest(
        format=1,
        name="bare",
        kind="text",
        n=n,
        num_tokens=99 * n,
        num_bytes=400 * n,
        root=digest,
        fingerprint=digest,
        tokenizer=TokenizerEntry("tokenizer.json", digest, 300, 0),
        columns=(),
        shards=(),
        files={"uids.npy": digest, "n_tokens.npy": digest},
        sources=(),
    )
    (folder / "pool.json").write_bytes(manifest.to_bytes())
    return Pool.open(folder)


@pytest.fixture
def pool(tmp_path, monkeypatch) -> Pool:
    pool = bare_pool(tmp_path / "pool", 100)
    loaded = SimpleNamespace(
        rules=Rules(forms=("ids", "weighted"), units=("document", "tokens512"), max_repeats=4),
        recipe=SimpleNamespace(budget=Budget(10_000, "tokens", 10)),
        label="text/pico@1",
    )
    monkeypatch.setattr("assay.track.load.load", lambda track, scale: loaded)
    monkeypatch.setattr("assay.track.pools.open_pool", lambda loaded: pool)
    return pool


def test_an_accepted_list_exits_with_0(tmp_path, capsys, pool):
    np.save(tmp_path / "s.npy", pool.uids)
    assert main(["validate", str(tmp_path / "s.npy"), *WHERE]) == 0
    assert "accepted for text/pico@1" in capsys.readouterr().out


def test_json_is_the_promised_document(tmp_path, capsys, pool):
    np.save(tmp_path / "s.npy", pool.uids[:50])
    assert main(["validate", str(tmp_path / "s.npy"), *WHERE, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    assert (document["n"], document["unique"], document["tokens"]) == (50, 50, 50 * 99)
    assert document["digest"].startswith("sha256:")
    assert [finding["rule"] for finding in document["findings"]] == ["S4"]


def test_a_refused_list_exits_with_2_and_still_prints_the_document(tmp_path, capsys, pool):
    np.save(tmp_path / "s.npy", np.concatenate([pool.uids[:50], pool.uids[:1]]))
    assert main(["validate", str(tmp_path / "s.npy"), *WHERE, "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    errors = [f for f in document["findings"] if f["severity"] == "error"]
    assert [(f["rule"], f["row"]) for f in errors] == [("S3", 50)]


def test_a_refused_list_is_explained_to_people(tmp_path, capsys, pool):
    (tmp_path / "s.pkl").write_bytes(b"\x80\x04.")
    assert main(["validate", str(tmp_path / "s.pkl"), *WHERE]) == 2
    printed = capsys.readouterr().out
    assert "REFUSED" in printed
    assert "error F1" in printed


def test_the_unit_of_chunk_ids_can_be_given(tmp_path, capsys, pool):
    uid = f"{int(pool.uids['f0'][0]):016x}{int(pool.uids['f1'][0]):016x}"
    (tmp_path / "s.txt").write_text("\n".join([f"{uid}#0"]))
    assert main(["validate", str(tmp_path / "s.txt"), *WHERE]) == 2
    assert "--unit" in capsys.readouterr().out
    main(["validate", str(tmp_path / "s.txt"), *WHERE, "--unit", "tokens512", "--json"])
    assert json.loads(capsys.readouterr().out)["unit"] == "tokens512"


def test_nothing_that_checks_a_list_imports_torch_or_more():
    program = (
        "import sys, assay.cli.validate, assay.cli.select, assay.submission, assay.selection, "
        "assay.strategy, assay.track.pools; "
        "print([m for m in ('torch', 'transformers', 'lm_eval', 'datasets', 'pyarrow', 'tokenizers', 'hydra') "
        "if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".npy", ".txt", ".parquet"])
def test_a_million_ids_are_validated_in_three_seconds(tmp_path, suffix):
    from assay.submission import submission_of, write_submission

    pool = bare_pool(tmp_path / "pool", 1_000_000)
    shuffled = pool.uids[np.argsort(np.random.PCG64(1).random_raw(pool.n))]
    path = tmp_path / f"s{suffix}"
    if suffix == ".npy":
        np.save(path, shuffled)
    else:
        write_submission(submission_of(shuffled), path)
    program = f"""
from pathlib import Path
from assay.pool import Pool
from assay.submission import validate_file
from assay.track.spec import Budget, Rules
import assay.track.pools
rules = Rules(forms=("ids",), units=("document",), max_repeats=4)
report = validate_file(Path({str(path)!r}), Pool.open({str(tmp_path / "pool")!r}), rules, Budget(10**8, "tokens", 10))
assert report.ok and report.unique == 1_000_000, report.findings
report.plain()
"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # processor time: what the clock on the wall shows where nothing else runs
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3.0
