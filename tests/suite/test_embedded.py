import pytest

from assay.errors import SuiteError
from assay.suite import Suite
from assay.suite.embedded import EMBEDDED_SUITE, embedded_tasks, prepare_suite
from assay.suite.files import load_suite, write_suite


@pytest.fixture
def sealed(tmp_path):
    return write_suite(EMBEDDED_SUITE, 1, embedded_tasks(), tmp_path / "sealed")


def test_the_embedded_suite_is_written_where_it_is_needed(sealed, tmp_path):
    folder = tmp_path / "home" / "suites" / "x"
    assert prepare_suite(sealed, folder) == folder
    assert load_suite(folder) == sealed
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    prepare_suite(sealed, folder)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_minimal_pairs_are_scored_without_a_space_before_them(sealed):
    tasks = {task.name: task for task in sealed.tasks}
    assert tasks["agreement"].delimiter == ""
    assert tasks["fact_cloze"].delimiter == " "
    assert {task.form for task in sealed.tasks if task.group == "heldout"} == {"text"}


def test_an_altered_copy_is_refused_and_not_silently_written_again(sealed, tmp_path):
    folder = prepare_suite(sealed, tmp_path / "copy")
    (folder / "agreement.jsonl").write_text("{}\n")
    with pytest.raises(SuiteError, match=r"agreement\.jsonl: expected"):
        prepare_suite(sealed, folder)


def test_another_seal_than_what_is_generated_is_refused(sealed, tmp_path):
    tasks = {name: (items[:-1], fields) for name, (items, fields) in embedded_tasks().items()}
    other = write_suite(EMBEDDED_SUITE, 1, tasks, tmp_path / "other")
    with pytest.raises(SuiteError, match="not the one that sealed"):
        prepare_suite(other, tmp_path / "copy")


def test_other_suites_are_never_made_up(tmp_path):
    task = write_suite("mine", 1, embedded_tasks(), tmp_path / "mine").tasks[0]
    with pytest.raises(SuiteError, match="is missing"):
        prepare_suite(Suite("mine", 1, (task,)), tmp_path / "nowhere")
