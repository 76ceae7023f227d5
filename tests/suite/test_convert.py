import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import zstandard

from assay.errors import SuiteError
from assay.suite.convert import build_blimp, build_core
from assay.suite.core import CORE
from assay.suite.files import load_suite, read_items
from assay.suite.passages import passages

REAL = Path(__file__).parents[2] / "../shared/data/text/eval"
COUNTS = {
    "jeopardy": 2117, "bigbench_qa_wikidata": 20321, "arc_easy": 2376, "arc_challenge": 1172,
    "copa": 100, "commonsense_qa": 1221, "piqa": 1838, "openbook_qa": 500, "lambada_openai": 5153,
    "winograd": 273, "winogrande": 1267, "bigbench_dyck_languages": 1000, "agi_eval_lsat_ar": 230,
    "bigbench_cs_algorithms": 1320, "bigbench_operators": 210, "bigbench_repeat_copy_logic": 32,
    "boolq": 3270, "bigbench_language_identification": 10000,
}  # fmt: skip


def record(task, i):
    if task.form == "choice":
        return {
            "query": f"Question: {task.name} {i}\n",
            "choices": [f"a{i}", " b", "c"],
            "gold": i % 3,
        }
    if task.form == "schema":
        return {"context_options": [f"x{i}", "y"], "continuation": "z. ", "gold": i % 2, "note": 1}
    return {"context": f"{task.name} {i} is ", "continuation": " that", "category": "k"}


@pytest.fixture
def source(tmp_path):
    for task in CORE:
        path = tmp_path / "src" / f"{task.file}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(record(task, i)) + "\n" for i in range(13)))
    return tmp_path / "src"


def test_core_has_dclms_tasks_in_dclms_way(source, tmp_path):
    suite, absent = build_core(source, tmp_path / "core")
    assert (suite.name, absent, len(suite.tasks)) == ("core", [], 22)
    tasks = {task.name: task for task in suite.tasks}
    shots = {0: 7, 3: 1, 10: 14}
    assert {n: sum(task.shots == n for task in suite.tasks) for n in shots} == shots
    assert sum(task.form == "choice" for task in suite.tasks) == 11
    assert {t.name for t in suite.tasks if t.form == "schema"} == {"winograd", "winogrande"}
    assert all(task.delimiter == " " for task in suite.tasks)
    assert all(t.normalization == "tokens" for t in suite.tasks if t.form == "choice")
    assert tasks["boolq"].group == "reading_comprehension"


def test_questions_end_as_llm_foundry_ends_them(source, tmp_path):
    folder = tmp_path / "core"
    suite, _ = build_core(source, folder)
    items = {task.name: read_items(suite, task, folder)[1] for task in suite.tasks}
    assert items["arc_easy"] == {
        "context": "Question: arc_easy 1\nAnswer:",
        "choices": ["a1", "b", "c"],
        "gold": 1,
    }
    assert items["copa"]["context"] == "Question: copa 1"
    assert items["jeopardy"] == {"context": "jeopardy 1 is\nAnswer:", "continuation": "that"}
    assert items["coqa"] == {"context": "coqa 1 is", "continuation": "that"}
    assert items["winograd"] == {"contexts": ["x1", "y"], "continuation": "z.", "gold": 1}


def test_compressed_and_flat_files_are_the_same_suite(source, tmp_path):
    expected, _ = build_core(source, tmp_path / "core")
    flat = tmp_path / "flat"
    flat.mkdir()
    for i, path in enumerate(sorted(source.rglob("*.jsonl"))):
        data, name = path.read_bytes(), path.name.replace("jeopardy_all", "jeopardy")
        if i % 2:
            (flat / f"{name}.zst").write_bytes(zstandard.ZstdCompressor().compress(data))
        else:
            (flat / f"{name}.gz").write_bytes(gzip.compress(data))
    assert build_core(flat, tmp_path / "again") == (expected, [])


def test_absent_files_make_a_part_that_is_named_so(source, tmp_path):
    (source / "language_understanding/hellaswag.jsonl").unlink()
    suite, absent = build_core(source, tmp_path / "core")
    assert suite.name == "core20"
    assert absent == ["hellaswag_zeroshot", "hellaswag"]
    assert load_suite(tmp_path / "core") == suite


def test_an_empty_folder_is_refused_with_the_command_to_run(tmp_path):
    with pytest.raises(SuiteError, match="assay suite fetch core"):
        build_core(tmp_path, tmp_path / "core")


def test_two_files_of_one_name_are_refused(source, tmp_path):
    shutil.copy(source / "commonsense_reasoning/copa.jsonl", source / "copa.jsonl")
    with pytest.raises(SuiteError, match="are both 'copa'"):
        build_core(source, tmp_path / "core")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"question": 1}', "copa.jsonl:1: .*expects the key 'choices'"),
        ("{", "copa.jsonl:1: not JSON"),
    ],
)
def test_a_record_of_another_form_is_refused_by_line(line, said, source, tmp_path):
    (source / "commonsense_reasoning/copa.jsonl").write_text(line + "\n")
    with pytest.raises(SuiteError, match=said):
        build_core(source, tmp_path / "core")


def test_blimp_has_a_task_a_paradigm_whatever_the_layout(tmp_path):
    pairs = [
        {"UID": f"p{i % 2}", "sentence_good": f"good {i}.", "sentence_bad": f"bad {i}.",
         "field": "syntax/semantics", "linguistics_term": "binding"}
        for i in range(6)
    ]  # fmt: skip
    (tmp_path / "one.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    many = tmp_path / "data"
    many.mkdir()
    for k in range(2):
        lines = (json.dumps(pair) + "\n" for pair in pairs[k::2])
        (many / f"p{k}.jsonl").write_text("".join(lines))
    suite = build_blimp(tmp_path / "one.jsonl", tmp_path / "a")
    assert suite == build_blimp(many, tmp_path / "b")
    assert suite.name == "blimp2"
    task = suite.tasks[1]
    assert (task.name, task.group, task.delimiter, task.normalization) == (
        "p1", "syntax_semantics", "", "none",
    )  # fmt: skip
    assert read_items(suite, task, tmp_path / "a")[0] == {
        "context": "",
        "choices": ["good 1.", "bad 1."],
        "gold": 0,
    }


def test_a_folder_without_pairs_is_refused(tmp_path):
    with pytest.raises(SuiteError, match="holds no BLiMP pairs"):
        build_blimp(tmp_path, tmp_path / "out")


@pytest.mark.realdata
def test_the_real_core_files_have_the_counts_and_chances_that_are_published(tmp_path):
    if not REAL.is_dir():
        pytest.skip("no real data here")
    suite, absent = build_core(REAL, tmp_path / "core")
    assert suite.name == "core18"
    assert absent == ["hellaswag_zeroshot", "hellaswag", "squad", "coqa"]
    assert {task.name: task.num_items for task in suite.tasks} == COUNTS
    two = {"copa", "piqa", "winograd", "winogrande", "boolq"}
    for task in suite.tasks:
        items = read_items(suite, task, tmp_path / "core")
        sizes = {len(item.get("choices", item.get("contexts", "."))) for item in items}
        assert sizes == {1 if task.form == "exact" else 2 if task.name in two else 4}
        found = len(np.unique(passages(items)))
        # LSAT's analytical reasoning: four games in each of ten tests.
        assert found == 40 if task.name == "agi_eval_lsat_ar" else found >= 0.89 * len(items)


@pytest.mark.realdata
def test_the_real_blimp_has_67_paradigms_of_1000_pairs(tmp_path):
    if not REAL.is_dir():
        pytest.skip("no real data here")
    suite = build_blimp(REAL / "blimp.jsonl.zst", tmp_path / "blimp")
    assert suite.name == "blimp"
    assert [task.num_items for task in suite.tasks] == [1000] * 67
