"""`assay select`, as a person types it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from assay.cli import main
from assay.foundry.source import FoundrySource
from assay.pool import Pool, build_pool
from assay.submission import read_manifest, read_submission, sidecar_path
from assay.track.spec import Budget, Rules

WHERE = ("--track", "text", "--scale", "pico")


@pytest.fixture(scope="module")
def pool(tmp_path_factory) -> Pool:
    folder = tmp_path_factory.mktemp("select") / "foundry"
    return build_pool([FoundrySource(200)], folder, vocab_size=300)


@pytest.fixture(autouse=True)
def pico(monkeypatch, pool) -> None:
    """A scale of the test's own, so that no sealed one is built."""
    rules = Rules(forms=("ids", "weighted", "staged"), units=("document",), max_repeats=4)
    loaded = SimpleNamespace(
        modality="text",
        rules=rules,
        recipe=SimpleNamespace(budget=Budget(pool.num_tokens // 2, "tokens", 10)),
        label="text/pico@1",
    )
    monkeypatch.setattr("assay.track.load.load", lambda track, scale: loaded)
    monkeypatch.setattr("assay.track.pools.open_pool", lambda loaded: pool)


def test_a_baseline_becomes_a_list_with_its_manifest(tmp_path, capsys, pool):
    out = tmp_path / "s.npy"
    words = ["--set", "fraction=0.5", "--seed", "3", "--author", "Ada", "--author", "Grace"]
    assert main(["select", "random", *WHERE, "--out", str(out), *words]) == 0
    printed = capsys.readouterr()
    assert "100 examples" in printed.out
    assert "(parameters: fraction=0.5; seed 3)" in printed.out
    manifest = read_manifest(sidecar_path(out))
    assert manifest.authors == ("Ada", "Grace")
    assert manifest.digest == read_submission(out).digest
    assert manifest.strategy is not None
    assert manifest.strategy["parameters"] == {"fraction": 0.5}
    assert manifest.strategy["pool_root"] == pool.root
    assert np.load(out).dtype == np.dtype("u8,u8")


def test_json_is_one_document_on_stdout(tmp_path, capsys):
    out = tmp_path / "s.parquet"
    assert main(["select", "quality_rules", *WHERE, "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["path"] == str(out)
    assert document["digest"] == read_submission(out).digest
    assert document["strategy"]["name"] == "quality_rules"
    assert {"n", "unique", "tokens", "findings", "curation_seconds"} <= document.keys()


@pytest.mark.parametrize("suffix", [".npy", ".parquet", ".csv", ".txt.zst"])
def test_the_format_follows_the_suffix_and_the_list_is_the_same(tmp_path, suffix):
    out = tmp_path / f"s{suffix}"
    assert main(["select", "random", *WHERE, "--out", str(out)]) == 0
    main(["select", "random", *WHERE, "--out", str(tmp_path / "other.npy")])
    assert read_submission(out).digest == read_submission(tmp_path / "other.npy").digest


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["randon", "--out", "s.npy"], "did you mean 'random'"),
        (["nowhere/mine.py", "--out", "s.npy"], "No such file"),
        (["random", "--out", "s.pkl"], "formats are"),
        (["random", "--out", "s.npy", "--set", "fractoin=1"], "did you mean 'fraction'"),
        (["random", "--out", "s.npy", "--set", "fraction=lots"], "type float"),
        (["random", "--out", "s.npy", "--code", "ftp://x"], "M1: code"),
        (["random", "--out", "s.npy", "--set", "fraction=0.01"], "S4: random for text/pico@1"),
    ],
)
def test_what_is_wrong_is_one_line_exit_code_2_and_no_file(
    tmp_path, monkeypatch, capsys, words, message
):
    monkeypatch.chdir(tmp_path)
    assert main(["select", *words, *WHERE]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.strip().count("\n") == 0
    assert not list(tmp_path.iterdir())


def test_an_expression_becomes_a_list_whose_manifest_has_it(tmp_path, monkeypatch, capsys, pool):
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    out = tmp_path / "s.npy"
    where = "top(n_tokens, 0.4) & gopher_stop_words >= 0"
    assert main(["select", "--where", where, *WHERE, "--out", str(out)]) == 0
    assert "80 examples" in capsys.readouterr().out
    manifest = read_manifest(sidecar_path(out))
    assert manifest.method == where
    assert manifest.strategy is not None
    assert manifest.strategy["parameters"] == {"where": where}
    assert list(manifest.strategy["inputs"]) == ["gopher_stop_words"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give a strategy, or --where"),
        (["random", "--where", "n_tokens > 3"], "not both"),
        (
            ["--where", "n_tokns > 3"],
            "character 1: there is no column 'n_tokns' (did you mean 'n_tokens'?)",
        ),
    ],
)
def test_it_takes_a_strategy_or_an_expression(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(["select", *words, *WHERE, "--out", "s.npy"]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_negative_seed_is_refused(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["select", "random", *WHERE, "--out", "s.npy", "--seed", "-1"])
    assert caught.value.code == 2
    assert "--seed" in capsys.readouterr().err


def test_a_file_of_ones_own_runs_from_any_folder(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.py").write_text(
        '"""Mine."""\ndef select(pool, *, seed, n: int = 150): return pool.uids[:n]\n'
    )
    monkeypatch.chdir(tmp_path)
    assert main(["select", "mine.py", *WHERE, "--out", "s.npy", "--name", "Best"]) == 0
    manifest = read_manifest(tmp_path / "s.npy.json")
    assert (manifest.name, manifest.method) == ("Best", "Mine.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.py", "s.npy", "s.npy.json"]
