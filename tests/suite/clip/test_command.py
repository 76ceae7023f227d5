import json

import pytest

from assay.cli import main
from assay.suite.clip import load_clip_suite
from clip_folders import captioned, labelled, write_layout


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))


@pytest.fixture
def source(tmp_path):
    write_layout(tmp_path / "src/animals", [labelled([0, 1])], classes=["cat", "dog"])
    write_layout(tmp_path / "src/photos", [captioned([["a"]])], kind="retrieval")
    return tmp_path / "src"


def test_folders_become_a_suite(source, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["suite", "build", "clip", str(source / "animals"), str(source / "photos")]
    assert main([*arguments, "--out", str(out), "--name", "pets"]) == 0
    assert capsys.readouterr().out.startswith("pets@1: 2 tasks, 3 items\nsealed in")
    assert [task.name for task in load_clip_suite(out).tasks] == ["animals", "photos"]


def test_bad_folders_are_one_line_and_code_2(tmp_path, capsys):
    arguments = ["suite", "build", "clip", str(tmp_path / "nothing"), "--out", str(tmp_path / "o")]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("assay: ")
    assert error.count("\n") == 1


def test_core_takes_one_folder(source, tmp_path, capsys):
    arguments = ["suite", "build", "core", str(source), str(source), "--out", str(tmp_path / "o")]
    assert main(arguments) == 2
    assert "core takes one folder, got 2" in capsys.readouterr().err


@pytest.fixture
def published(source, tmp_path):
    """A suite definition whose files are elsewhere."""
    path = tmp_path / "home/tracks/mine/suites/pets.yaml"
    path.parent.mkdir(parents=True)
    task = {"name": "animals", "group": "g", "kind": "classification", "main_metric": "acc1"}
    task |= {"num_items": 2, "num_classes": 2, "source": "them/animals"}
    document = {"name": "pets", "version": 1, "modality": "clip", "tasks": [task]}
    path.write_text(json.dumps(document))
    return path


def test_fetch_takes_a_suite_by_name_and_a_mirror(published, source, tmp_path, capsys):
    arguments = ["suite", "fetch", "pets", "--out", str(tmp_path / "o"), "--mirror", str(source)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("4 files in")
    assert "assay track new NAME --like clip --pool" in printed
    assert (tmp_path / "o/lock.json").is_file()


def test_fetch_names_the_nearest_suite(published, tmp_path, capsys):
    assert main(["suite", "fetch", "petz", "--out", str(tmp_path / "o")]) == 2
    assert "no suite 'petz' (did you mean 'pets'?)" in capsys.readouterr().err


def test_list_and_show_know_both_kinds(published, capsys):
    assert main(["suite", "list"]) == 0
    printed = capsys.readouterr().out
    assert "mine: pets@1, 1 tasks, 2 items" in printed
    assert "text: foundry-text@1" in printed
    assert main(["suite", "show", "pets", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["tasks"][0]["source"] == "them/animals"
    assert main(["suite", "show", "foundry-text"]) == 0
    assert "choice" in capsys.readouterr().out
