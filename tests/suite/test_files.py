import pytest

from assay.canonical import digest_file
from assay.errors import SuiteError
from assay.suite import Suite, Task
from assay.suite.files import (
    SUITE_FILE,
    dump_suite_yaml,
    load_suite,
    read_items,
    suite_folder,
    write_suite,
)

CHOICES = [{"context": f"Question {i}?", "choices": ["yes", "no"], "gold": i % 2} for i in range(6)]
TEXTS = [{"text": "Über den Wolken\u2028\nzweite Zeile"}, {"text": "x"}]
FIELDS = {"group": "a", "form": "choice", "shots": 2}


@pytest.fixture
def sealed(tmp_path):
    tasks = {"q": (CHOICES, FIELDS), "heldout_x": (TEXTS, {"group": "heldout", "form": "text"})}
    return write_suite("s", 3, tasks, tmp_path / "s"), tmp_path / "s"


def test_what_is_written_is_read_back(sealed):
    suite, folder = sealed
    assert load_suite(folder) == load_suite(folder / SUITE_FILE) == suite
    assert read_items(suite, suite.tasks[0], folder) == CHOICES
    assert read_items(suite, suite.tasks[1], folder) == TEXTS
    assert suite_folder(suite, folder) == folder
    assert suite.tasks[0] == Task("q", "a", "choice", digest_file(folder / "q.jsonl"), 6, shots=2)


def test_the_same_items_have_the_same_bytes(sealed, tmp_path):
    suite, _ = sealed
    reordered = [dict(reversed(item.items())) for item in CHOICES]
    tasks = {"q": (reordered, FIELDS), "heldout_x": (TEXTS, {"group": "heldout", "form": "text"})}
    assert write_suite("s", 3, tasks, tmp_path / "again") == suite
    assert dump_suite_yaml(suite) == (tmp_path / "again" / SUITE_FILE).read_text("utf-8")


def test_an_altered_file_is_named_with_both_digests_and_the_remedy(sealed):
    suite, folder = sealed
    path = folder / "q.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    expected, got = suite.tasks[0].digest, digest_file(path)
    for read in (
        lambda: suite_folder(suite, folder),
        lambda: read_items(suite, suite.tasks[0], folder),
    ):
        with pytest.raises(SuiteError, match=rf"q\.jsonl: expected {expected}, got {got}; restore"):
            read()


def test_a_missing_file_is_named(sealed):
    suite, folder = sealed
    (folder / "heldout_x.jsonl").unlink()
    with pytest.raises(SuiteError, match=r"heldout_x\.jsonl is missing"):
        suite_folder(suite, folder)
    with pytest.raises(SuiteError, match=r"heldout_x\.jsonl is missing"):
        read_items(suite, suite.tasks[1], folder)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("core18", "assay suite fetch core"),
        ("blimp", "assay suite build blimp"),
        ("foundry-text", "run the same command again"),
        ("core-of-mine", "assay track new"),
    ],
)
def test_the_remedy_is_the_command_that_brings_the_files_back(name, command, tmp_path):
    suite = write_suite(name, 1, {"q": (CHOICES, FIELDS)}, tmp_path / "s")
    (tmp_path / "s" / "q.jsonl").unlink()
    with pytest.raises(SuiteError, match=command):
        suite_folder(suite, tmp_path / "s")


def test_a_folder_that_exists_is_never_written_into(sealed):
    _, folder = sealed
    with pytest.raises(SuiteError, match="exists already"):
        write_suite("s", 3, {"q": (CHOICES, FIELDS)}, folder)


def test_a_refused_suite_leaves_nothing_behind(tmp_path):
    tasks = {"q": (CHOICES, FIELDS), "r": ([{"text": ""}], {"group": "a", "form": "text"})}
    with pytest.raises(SuiteError, match="r item 0: text is empty"):
        write_suite("s", 1, tasks, tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../q", "a/b", "", ".hidden", "q u", "q" * 101])
def test_a_task_name_that_is_no_file_name_is_refused(name, tmp_path):
    with pytest.raises(SuiteError, match="task name"):
        write_suite("s", 1, {name: (CHOICES, FIELDS)}, tmp_path / "s")


def test_a_definition_with_a_hostile_name_is_refused(tmp_path):
    suite = Suite("s", 1, (Task("../../etc/passwd", "a", "text", "sha256:0", 1),))
    (tmp_path / "s.yaml").write_text(dump_suite_yaml(suite))
    with pytest.raises(SuiteError, match="task name"):
        load_suite(tmp_path / "s.yaml")


def test_a_task_listed_twice_is_refused(tmp_path):
    task = Task("q", "a", "text", "sha256:0", 1)
    (tmp_path / "s.yaml").write_text(dump_suite_yaml(Suite("s", 1, (task, task))))
    with pytest.raises(SuiteError, match="'q' is listed twice"):
        load_suite(tmp_path / "s.yaml")


def test_an_absent_or_malformed_definition_is_refused(tmp_path):
    with pytest.raises(SuiteError, match="does not exist"):
        load_suite(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("name: s\nversion: one\ntasks: []\n")
    with pytest.raises(SuiteError, match="version: expected int"):
        load_suite(tmp_path / "bad.yaml")


@pytest.mark.parametrize("shots", [3, 4, 10])
def test_more_shots_than_different_other_items_are_refused(shots, tmp_path):
    items = [*CHOICES[:3], CHOICES[0]]
    with pytest.raises(SuiteError, match=f"{shots} shots need {shots + 1} different items, got 3"):
        write_suite("s", 1, {"q": (items, {**FIELDS, "shots": shots})}, tmp_path / "s")


def test_held_out_text_takes_no_shots(tmp_path):
    with pytest.raises(SuiteError, match="takes no shots"):
        write_suite(
            "s", 1, {"h": (TEXTS, {"group": "a", "form": "text", "shots": 1})}, tmp_path / "s"
        )


def test_a_promise_of_another_number_of_items_is_refused(sealed):
    suite, folder = sealed
    task = suite.tasks[1]
    wrong = Task(task.name, task.group, task.form, task.digest, task.num_items + 1)
    with pytest.raises(SuiteError, match="promises 3 items, got 2"):
        read_items(suite, wrong, folder)
