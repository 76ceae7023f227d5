import json
from pathlib import Path
from typing import Any

import pytest

from assay.cli import main
from pairs import make_sample, write_metadata, write_tar


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "crawl.jsonl"
    lines = [
        json.dumps({"text": f"document {i} " * (i + 1), "url": f"http://h{i % 2}.org/{i}"})
        for i in range(30)
    ]
    path.write_text("\n".join([*lines, "{", lines[3]]) + "\n")
    return str(path)


def answer(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_a_named_pool_is_built_listed_shown_and_verified(
    capsys: pytest.CaptureFixture[str], source: str, tmp_path: Path
) -> None:
    built = answer(
        capsys, "pool", "build", source, "--kind", "text", "--name", "mine", "--vocab-size", "300"
    )
    assert (built["name"], built["n"], built["shards"]) == ("mine", 30, 1)
    assert built["report"] == {"corrupt_json": 1, "repeated_id": 1}
    assert built["path"] == str(tmp_path / "home" / "pools" / "mine")
    assert Path(built["report_path"]).is_file()
    listed = {one["name"]: one for one in answer(capsys, "pools")["pools"]}
    assert listed["mine"]["status"] == "built"
    assert listed["mine"]["root"] == built["root"]
    shown = answer(capsys, "pool", "show", "mine")
    assert dict(shown["summary"]["hosts"]) == {"h0.org": 15, "h1.org": 15}
    assert sum(count for _, count in shown["summary"]["tokens_histogram"]) == 30
    verified = answer(capsys, "pool", "verify", "mine")
    assert (verified["ok"], verified["root"]) == (True, built["root"])


def test_a_pool_built_elsewhere_is_known_by_name(
    capsys: pytest.CaptureFixture[str], source: str, tmp_path: Path
) -> None:
    built = answer(capsys, "pool", "build", source, "--out", "else/where", "--vocab-size", "300")
    assert built["path"] == str(tmp_path / "else" / "where")
    listed = {one["name"]: one for one in answer(capsys, "pools")["pools"]}
    assert listed["where"]["path"] == built["path"]
    assert answer(capsys, "pool", "show", "where")["root"] == built["root"]
    again = answer(capsys, "pool", "build", source, "--out", "else/where", "--vocab-size", "300")
    assert again["root"] == built["root"]
    assert main(["pool", "build", source, "--out", "other", "--name", "where"]) == 2
    assert "--name NAME" in capsys.readouterr().err


def test_people_get_a_page_on_stdout_and_a_summary_on_stderr(
    capsys: pytest.CaptureFixture[str], source: str
) -> None:
    assert main(["pool", "build", source, "--name", "mine", "--vocab-size", "300"]) == 0
    assert "1 corrupt_json, 1 repeated_id" in capsys.readouterr().err
    assert main(["pool", "show", "mine"]) == 0
    page = capsys.readouterr().out
    assert "30 (1 repeated ids left out)" in page
    assert "h0.org" in page
    assert main(["pool", "verify", "mine"]) == 0
    assert "verified" in capsys.readouterr().out
    assert main(["pools"]) == 0
    assert "mine" in capsys.readouterr().out


def test_a_damaged_pool_is_exit_code_2_and_names_the_file(
    capsys: pytest.CaptureFixture[str], source: str, tmp_path: Path
) -> None:
    answer(capsys, "pool", "build", source, "--out", "mine", "--vocab-size", "300")
    with (tmp_path / "mine" / "rows.npy").open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x07")
    found = answer(capsys, "pool", "verify", "mine", code=2)
    assert (found["ok"], found["file"]) == (False, "rows.npy")
    assert main(["pool", "verify", "mine"]) == 2
    assert "rows.npy does not verify" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "teaching"),
    [
        (["pool", "build", "absent.jsonl", "--name", "x"], "cannot read"),
        (["pool", "build", "{source}"], "give --name NAME"),
        (["pool", "build", "{source}", "--out", "s3://bucket/x"], "build into a local folder"),
        (["pool", "build", "{source}", "--name", "a b"], "cannot name a pool"),
        (["pool", "build", "{source}", "--name", "x", "--vocab-size", "9"], "--vocab-size 257"),
        (["pool", "build", "{source}", "--name", "x", "--tokenizer", "t.json"], "does not exist"),
        (["pool", "show", "nowhere"], "assay pools"),
        (["pool", "verify", "nowhere"], "assay pools"),
    ],
)
def test_bad_input_is_one_line_that_teaches(
    capsys: pytest.CaptureFixture[str], source: str, words: list[str], teaching: str
) -> None:
    assert main([word.format(source=source) for word in words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = [line for line in said.err.splitlines() if line.startswith("assay:")]
    assert teaching in line


def test_embedded_pools_are_listed_before_anyone_builds_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from assay.track.load import embedded_pools

    listed = {one["name"]: one for one in answer(capsys, "pools")["pools"]}
    for ref in embedded_pools():
        assert listed[ref.name]["status"] == "not built yet"
        assert listed[ref.name]["n"] == ref.size
        assert listed[ref.name]["kind"] == ("text" if "text" in ref.name else "image-text")


def test_a_pool_of_pairs_goes_the_same_way(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_tar(tmp_path / "shards" / "0.tar", [make_sample(n) for n in range(12)])
    write_metadata(tmp_path / "metadata" / "0.parquet", range(2, 20))
    words = ("pool", "build", "shards", "--kind", "image-text", "--metadata", "metadata")
    built = answer(capsys, *words, "--name", "mine")
    assert (built["kind"], built["n"], built["candidates"]) == ("image-text", 10, 18)
    assert built["report"] == {"not_in_metadata": 2, "missing_sample": 8}
    listed = {one["name"]: one for one in answer(capsys, "pools")["pools"]}
    assert (listed["mine"]["kind"], listed["mine"]["n"]) == ("image-text", 10)
    assert main(["pool", "show", "mine"]) == 0
    page = capsys.readouterr().out
    assert "pairs      10 of 18 candidates" in page
    assert "embeddings l14_img (3), l14_txt (2)" in page
    assert "documents" not in page
    assert main(["pool", "verify", "mine"]) == 0
    assert "10 pairs" in capsys.readouterr().out
    assert main(["pools"]) == 0
    assert "10 pairs" in capsys.readouterr().out
    (tmp_path / "shards" / "0.tar").unlink()
    assert answer(capsys, "pool", "verify", "mine", code=2)["num_bad"] == 10
    assert main(["pool", "verify", "mine"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"assay: {tmp_path}/shards/0.tar does not verify: pair ")


@pytest.mark.parametrize(
    ("words", "teaching"),
    [
        (["--metadata", "m"], "--metadata is for --kind image-text"),
        (["--verify-sha256"], "--verify-sha256 is for --kind image-text"),
        (["--kind", "image-text", "--vocab-size", "300"], "--vocab-size is for --kind text"),
    ],
)
def test_options_of_the_other_kind_are_refused(
    capsys: pytest.CaptureFixture[str], source: str, words: list[str], teaching: str
) -> None:
    assert main(["pool", "build", source, "--name", "x", *words]) == 2
    assert teaching in capsys.readouterr().err
