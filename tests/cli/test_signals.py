"""`assay signals` and `assay baselines`, as a person types them."""

import json

import pytest

from assay.cli import main
from assay.errors import StrategyError
from assay.foundry.source import FoundrySource
from assay.pool import Pool, build_pool, pool_path
from assay.signals.catalogue import SIGNALS
from assay.strategy.cards import read_card


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        yield build_pool([FoundrySource(100)], pool_path("few"), name="few", vocab_size=300)


def test_building_says_what_it_made_and_the_second_time_the_same(pool: Pool, capsys):
    words = ["signals", "build", "few", "--only", "c4_ok, fineweb", "--workers", "1", "--json"]
    assert main(words) == 0
    first = json.loads(capsys.readouterr().out)
    assert [signal["name"] for signal in first["signals"]] == ["c4", "fineweb"]
    assert first["pool_root"] == pool.root
    assert "c4_ok" in first["signals"][0]["columns"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == first
    assert main(words[:-1]) == 0
    assert "fineweb" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["build", "few", "--only", "finewev"], "did you mean 'fineweb'"),
        (["build", "nowhere"], "nowhere"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(pool, capsys, words, message):
    assert main(["signals", *words]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.strip().count("\n") == 0


def test_every_signal_and_column_is_listed_once(capsys):
    assert main(["signals", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["signals"]
    assert [one["name"] for one in listed] == [signal.name for signal in SIGNALS]
    names = [(one["kind"], name) for one in listed for name in one["columns"]]
    assert len(names) == len(set(names))
    assert all(meaning for one in listed for meaning in one["columns"].values())
    assert main(["signals", "list"]) == 0
    assert "gopher_quality_ok" in capsys.readouterr().out


def test_baselines_say_what_they_claim_cost_and_need(capsys):
    assert main(["baselines", "--track", "clip", "--json"]) == 0
    clip = json.loads(capsys.readouterr().out)["baselines"]
    assert {card["modality"] for card in clip} == {"clip"}
    assert main(["baselines", "--json"]) == 0
    every = json.loads(capsys.readouterr().out)["baselines"]
    c4 = next(card for card in every if card["name"] == "c4")
    assert c4["papers"] == ["https://arxiv.org/abs/1910.10683"]
    assert "21.1" in c4["claim"]
    assert c4["form"] == "ids"
    assert main(["baselines", "--track", "text"]) == 0
    assert "text / c4: keep the documents" in capsys.readouterr().out


def test_an_unknown_track_is_refused(capsys):
    assert main(["baselines", "--track", "txet"]) == 2
    assert "did you mean 'text'" in capsys.readouterr().err


def test_a_file_without_its_fields_is_told_which(tmp_path):
    (tmp_path / "mine.py").write_text('"""Mine.\n\nClaim:  None.\nSource: Me.\n"""\n')
    with pytest.raises(StrategyError, match="does not say Cost, Form, Needs"):
        read_card(tmp_path / "mine.py", "text")
