"""Baselines as they are and with other settings: their names, and where their lists are kept."""

from pathlib import Path

import pytest

from assay.errors import StrategyError
from assay.strategy import baselines
from assay.strategy.baselines import list_path, load_baseline
from assay.track.load import load


def test_what_is_not_the_default_is_in_the_name() -> None:
    found = load_baseline("ccnet_perplexity:middle=0.2 band=tail head=0.3", "text")
    assert found.name == "ccnet_perplexity:band=tail middle=0.2"
    assert found.settings == found.strategy.defaults | {"band": "tail", "middle": 0.2}
    assert load_baseline("ccnet_perplexity:band=head", "text").name == "ccnet_perplexity"
    assert load_baseline(found.name, "text").settings == found.settings


def test_other_settings_are_another_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    words = ("random", "random:fraction=0.3", "random:fraction=0.5", "random:fraction=0.6")
    loaded = load("text", "nano")
    paths = [list_path(loaded, "sha256:aa", load_baseline(word, "text")) for word in words]
    assert paths[0] == paths[1]
    assert len(set(paths)) == 3
    assert all(path.name.startswith("random-") for path in paths)


def test_other_code_is_another_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    loaded, baseline = load("text", "nano"), load_baseline("random", "text")
    before = list_path(loaded, "sha256:aa", baseline)
    assert before == list_path(loaded, "sha256:aa", baseline)
    package = tmp_path / "assay"
    (package / "strategy").mkdir(parents=True)
    (package / "strategy" / "sampling.py").write_text("CHANGED = True")
    monkeypatch.setattr(baselines, "__file__", str(package / "strategy" / "baselines.py"))
    baselines._code_digest.cache_clear()
    assert list_path(loaded, "sha256:aa", baseline) != before
    baselines._code_digest.cache_clear()


@pytest.mark.parametrize("word", ["random:speed=2", "random:fraction", "random:fraction=much"])
def test_settings_that_there_are_not_are_refused(word: str) -> None:
    with pytest.raises(StrategyError, match=r"parameter|key=value|type float"):
        load_baseline(word, "text")
