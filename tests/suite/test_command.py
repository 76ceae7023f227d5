import json

import pytest

from assay.cli import main


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "src" / "copa.jsonl"
    path.parent.mkdir()
    record = {"query": "It rained, so", "choices": ["it was wet.", "it was dry."], "gold": 0}
    path.write_text(json.dumps(record) + "\n")
    return path.parent


def test_build_says_what_is_absent(source, tmp_path, capsys):
    assert main(["suite", "build", "core", str(source), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("core1@1: 1 tasks, 1 items")
    assert "absent: hellaswag_zeroshot, jeopardy" in printed
    assert (tmp_path / "out" / "suite.yaml").is_file()


def test_build_answers_in_json(source, tmp_path, capsys):
    arguments = ["suite", "build", "core", str(source), "--out", str(tmp_path / "out"), "--json"]
    assert main(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["name"], document["tasks"], document["items"]) == ("core1", 1, 1)
    assert len(document["absent"]) == 21


def test_bad_input_is_one_line_and_code_2(tmp_path, capsys):
    assert main(["suite", "build", "blimp", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("assay: ")
    assert error.count("\n") == 1


def test_fetch_takes_a_mirror(tmp_path, capsys):
    arguments = ["suite", "fetch", "core", "--out", str(tmp_path / "o"), "--mirror", str(tmp_path)]
    assert main(arguments) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_list_shows_the_suites_of_private_tracks(source, tmp_path, capsys):
    main(["suite", "build", "core", str(source), "--out", str(tmp_path / "out")])
    folder = tmp_path / "home/tracks/mine/suites"
    folder.mkdir(parents=True)
    (folder / "core1.yaml").write_bytes((tmp_path / "out/suite.yaml").read_bytes())
    capsys.readouterr()
    assert main(["suite", "list", "--json"]) == 0
    suites = json.loads(capsys.readouterr().out)["suites"]
    assert {"track": "mine", "name": "core1", "version": 1, "tasks": 1, "items": 1} in [
        {key: value for key, value in suite.items() if key != "path"} for suite in suites
    ]
