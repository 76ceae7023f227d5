"""`assay signals` and `assay baselines`, as a person types them."""

import json
import subprocess
import sys

import pytest

import assay.signals.catalogue
import assay.signals.text.reference
from assay.cli import main
from assay.errors import StrategyError
from assay.foundry.source import FoundrySource
from assay.pool import Pool, build_pool, pool_path
from assay.signals.catalogue import SIGNALS
from assay.strategy.cards import read_card

REFERENCE = "foundry-text-reference"


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


def test_all_names_are_looked_up_before_a_reference_is_built(pool: Pool, monkeypatch, capsys):
    monkeypatch.setattr(assay.signals.text.reference, "EMBEDDED_DEFAULT", f"{REFERENCE}-50")
    words = ["signals", "build", "few", "--workers", "1", "--json", "--only"]
    assert main([*words, "fasttext,minhsh"]) == 2
    assert "did you mean 'minhash'" in capsys.readouterr().err
    assert not pool_path(f"{REFERENCE}-50").exists()
    assert main([*words, "fasttext,minhash"]) == 0
    found = json.loads(capsys.readouterr().out)["signals"]
    assert [signal["name"] for signal in found] == ["fasttext", "minhash"]
    assert list(found[1]["columns"]) == ["minhash_cluster", "minhash_cluster_size"]
    assert pool_path(f"{REFERENCE}-50").exists()


def test_by_default_what_trains_or_reads_a_reference_is_left_out_and_named(pool: Pool, capsys):
    words = ["signals", "build", "few", "--workers", "1"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    built = {signal["name"] for signal in found["signals"]}
    assert {
        "c4",
        "gopher_quality",
        "minhash",
        "repeated_paragraphs",
        "language",
    } <= built
    assert set(found["left_out"]) >= {
        "embedding", "clusters", "semantic_duplicates", "importance", "perplexity", "fasttext",
    }  # fmt: skip
    assert built.isdisjoint(found["left_out"])
    assert main(words) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("left out")
    assert "--all" in line
    assert "fasttext" in line


def test_a_missing_reference_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    some = ("c4", "embedding", "clusters", "importance", "perplexity")
    kept = tuple(signal for signal in SIGNALS if signal.name in some)
    monkeypatch.setattr(assay.signals.catalogue, "SIGNALS", kept)
    lines = (json.dumps({"text": f"A page about {i} things, with words. " * 5}) for i in range(30))
    (tmp_path / "d.jsonl").write_text("\n".join(lines))
    build_pool([str(tmp_path / "d.jsonl")], pool_path("own"), name="own", vocab_size=300)
    assert main(["signals", "build", "own", "--all", "--workers", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["left_out"]) == {"importance", "perplexity"}
    assert all("own-reference" in reason for reason in found["left_out"].values())
    assert [signal["name"] for signal in found["signals"]] == ["c4", "embedding", "clusters"]


def test_listing_imports_neither_scipy_nor_torch():
    program = (
        "import sys\nfrom assay.cli import main\nmain(['signals', 'list'])\n"
        "sys.exit(any(name in sys.modules for name in ('scipy', 'torch', 'sklearn', 'pandas')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL).returncode == 0
    )


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
    assert c4["ranks"] == {"side": "above", "comparator": "no_filter"}
    assert main(["baselines", "--track", "text"]) == 0
    assert "text / c4: keep the documents" in capsys.readouterr().out


def test_an_unknown_track_is_refused(capsys):
    assert main(["baselines", "--track", "txet"]) == 2
    assert "did you mean 'text'" in capsys.readouterr().err


def test_a_file_without_its_fields_is_told_which(tmp_path):
    (tmp_path / "mine.py").write_text('"""Mine.\n\nClaim:  None.\nSource: Me.\n"""\n')
    with pytest.raises(StrategyError, match="does not say Ranks, Cost, Form, Needs"):
        read_card(tmp_path / "mine.py", "text")


@pytest.mark.parametrize(
    ("ranks", "message"),
    [
        ("better than all", "it is `above NAME`"),
        ("above rendom", "did you mean 'random'"),
        ("above mine", "no baseline"),
    ],
)
def test_a_claim_that_cannot_be_tested_is_refused(tmp_path, ranks, message):
    fields = "".join(f"{name}: none\n" for name in ("Claim", "Source", "Cost", "Form", "Needs"))
    (tmp_path / "random.py").touch()
    (tmp_path / "mine.py").write_text(f'"""Mine.\n\n{fields}Ranks: {ranks}\n"""\n')
    with pytest.raises(StrategyError, match=message):
        read_card(tmp_path / "mine.py", "text")
