"""Indexes of suites: built once, mended, and refused where they are not the sealed ones."""

import json
from pathlib import Path

import numpy as np
import pytest

from assay.audit.index_folder import MANIFEST_FILE, sealed_manifest, write_manifest
from assay.audit.ngrams import load_index, suite_index
from assay.audit.seal import index_manifest
from assay.cli import main
from assay.errors import SuiteError
from assay.suite import Suite
from assay.suite.embedded import embedded_tasks
from assay.suite.files import write_suite
from assay.track.load import load


@pytest.fixture
def foundry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Suite, Path]:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    folder = tmp_path / "foundry-text"
    return write_suite("foundry-text", 1, embedded_tasks(), folder), folder


@pytest.mark.parametrize("track", ["text", "clip"])
def test_the_sealed_manifest_is_that_of_an_index_built_now(
    track: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    loaded = load(track, "pico")
    sealed = sealed_manifest(loaded.folder, loaded.suite.name)
    assert sealed.read_bytes() == index_manifest(loaded)


def test_an_index_is_built_once_and_again_where_it_was_damaged(
    foundry: tuple[Suite, Path], tmp_path: Path
) -> None:
    unsealed = tmp_path / "nothing.json"
    path = suite_index(*foundry, unsealed)
    first, written = load_index(path), (path / MANIFEST_FILE).stat().st_mtime_ns
    assert suite_index(*foundry, unsealed) == path
    assert (path / MANIFEST_FILE).stat().st_mtime_ns == written
    (path / "parts.json").write_text(json.dumps([]))
    again = load_index(suite_index(*foundry, unsealed))
    assert again.parts == first.parts
    assert np.array_equal(again.windows, first.windows)


def test_an_index_that_is_whole_but_not_the_sealed_one_is_refused(
    foundry: tuple[Suite, Path],
) -> None:
    sealed = sealed_manifest(load("text", "pico").folder, "foundry-text")
    path = suite_index(*foundry, sealed)
    about = json.loads((path / MANIFEST_FILE).read_bytes())
    del about["files"]
    windows = np.load(path / "windows.npy")
    np.save(path / "windows.npy", windows[: len(windows) // 2])
    (path / MANIFEST_FILE).unlink()
    write_manifest(path, about)
    with pytest.raises(
        SuiteError, match=r"is not the index that .*foundry-text\.index\.json seals"
    ):
        suite_index(*foundry, sealed)


def test_the_command_refuses_it_in_one_line(
    tiny_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ["--track", "tiny", "--scale", "pico"]
    ids = tmp_path / "s.npy"
    assert main(["select", "random", *at, "--out", str(ids)]) == 0
    loaded = load("tiny", "pico")
    sealed_manifest(loaded.folder, loaded.suite.name).write_bytes(b"{}")
    capsys.readouterr()
    assert main(["audit", str(ids), *at]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert "is not the index that" in last
    assert "remove the folder" in last
