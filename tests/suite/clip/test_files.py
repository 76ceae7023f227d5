import json
from dataclasses import replace

import pytest
import yaml

from assay.canonical import digest_file
from assay.errors import SuiteError
from assay.suite import Suite
from assay.suite.clip import (
    ClipSuite,
    ClipTask,
    clip_suite_folder,
    data_digest,
    dump_clip_suite_yaml,
    load_any_suite,
    load_clip_suite,
)
from assay.suite.clip.files import read_clip_items
from assay.suite.clip.lock import write_lock
from assay.suite.clip.prompts import class_names, prompt_templates
from assay.suite.clip.seal import task_folders, write_clip_suite
from assay.suite.files import write_suite
from clip_folders import associated, captioned, labelled, pack, png, write_layout


@pytest.fixture
def sources(tmp_path):
    animals = write_layout(
        tmp_path / "src/animals",
        [labelled([0, 1, 2]), labelled([2, 0], groups=["x", "y"])],
        classes=["cat", "dog", "newt"],
    )
    photos = write_layout(
        tmp_path / "src/photos", [captioned([["a", "b"], ["c"]])], kind="retrieval"
    )
    cues = write_layout(
        tmp_path / "src/cues", [associated([("A fox", 5, [0, 3])])], kind="association"
    )
    return [str(animals), str(photos), str(cues)]


@pytest.fixture
def suite(sources, tmp_path):
    return write_clip_suite("mine", 1, task_folders(sources), tmp_path / "suite")


def test_a_sealed_suite_says_all_that_counts_and_loads_again(suite, tmp_path):
    animals, photos, cues = suite.tasks
    assert animals.shards == tuple(
        digest_file(tmp_path / f"src/animals/test/{number}.tar") for number in (0, 1)
    )
    assert (animals.kind, animals.main_metric, animals.num_items) == ("classification", "acc1", 5)
    assert animals.classes == (("cat",), ("dog",), ("newt",))
    assert animals.templates == ("a photo of a {c}", "{c}")
    assert (photos.main_metric, photos.num_items, photos.num_captions) == ("mean_recall@1", 2, 3)
    assert (cues.main_metric, cues.num_items) == ("jaccard_score", 1)
    assert load_clip_suite(tmp_path / "suite") == suite
    assert load_any_suite(tmp_path / "suite/suite.yaml") == suite
    assert clip_suite_folder(suite, tmp_path / "suite") == tmp_path / "suite"


def test_items_come_shard_by_shard(suite, tmp_path):
    folder = tmp_path / "suite"
    items = list(read_clip_items(suite, suite.tasks[0], folder))
    assert [item.gold for item in items] == [(0,), (1,), (2,), (2,), (0,)]
    assert [item.group for item in items] == [None, None, None, "x", "y"]
    some = list(read_clip_items(suite, suite.tasks[0], folder, limit=4))
    assert some == items[:4]


def test_a_folder_of_folders_and_synonyms(sources, tmp_path):
    (tmp_path / "src/animals/synonyms.txt").write_text("cat\tfelis catus\ndog\nnewt\teft\n")
    tasks = task_folders([str(tmp_path / "src")])
    assert list(tasks) == ["animals", "cues", "photos"]
    sealed = write_clip_suite("mine", 1, tasks, tmp_path / "out")
    assert sealed.tasks[0].classes == (("cat", "felis catus"), ("dog",), ("newt", "eft"))


def test_two_folders_of_one_name_are_refused(tmp_path):
    with pytest.raises(SuiteError, match=r"are both 'a'"):
        task_folders([str(tmp_path / "x/a"), str(tmp_path / "y/a/")])


def test_text_suites_are_told_apart(tmp_path):
    item = {"context": "a", "continuation": "b"}
    fields = {"group": "g", "form": "exact"}
    write_suite("text", 1, {"t": ([item], fields)}, tmp_path / "text")
    assert isinstance(load_any_suite(tmp_path / "text"), Suite)


@pytest.mark.parametrize("name", ["animals/test/1.tar", "photos/test/0.tar"])
def test_an_altered_or_absent_shard_is_named_with_what_restores_it(suite, tmp_path, name):
    path = tmp_path / "suite" / name
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"x")
    with pytest.raises(SuiteError, match=f"{name}: expected sha256:.*got sha256:.*suite build"):
        clip_suite_folder(suite, tmp_path / "suite")
    path.unlink()
    with pytest.raises(SuiteError, match=f"{name} is missing; .*assay suite build clip"):
        clip_suite_folder(suite, tmp_path / "suite")


def test_another_number_of_items_is_refused(suite, tmp_path):
    task = replace(suite.tasks[0], num_items=6)
    with pytest.raises(SuiteError, match=r"promises 6 items and 0 captions, got 5 and 0"):
        list(read_clip_items(suite, task, tmp_path / "suite"))


def retouch(folder, shards, **layout):
    return write_layout(folder, shards, **{"classes": ["cat", "dog"], **layout})


@pytest.mark.parametrize(
    ("shards", "layout", "problem"),
    [
        ([labelled([0, 2])], {}, "class 2, where classes are 0 to 1"),
        ([[("s0", {"png": png(0)[:60], "cls": b"0"})]], {}, "s0 image 0: unreadable"),
        ([[]], {}, "has no items"),
        ([labelled([0])], {"classes": ["cat", "", "dog"]}, "has an empty line"),
        ([labelled([0])], {"classes": ["cat"]}, "1 classes"),
        ([labelled([0])], {"templates": ["a photo"]}, "template without {c}"),
        ([labelled([0])], {"kind": "multilabel"}, "expected one of classification, retrieval"),
    ],
)
def test_what_cannot_be_evaluated_is_not_sealed(tmp_path, shards, layout, problem):
    source = retouch(tmp_path / "bad", shards, **layout)
    with pytest.raises(SuiteError, match=problem) as caught:
        write_clip_suite("mine", 1, task_folders([str(source)]), tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_in_another_layout_is_refused(tmp_path):
    with pytest.raises(SuiteError, match=r"nshards.txt does not exist; name a folder in CLIP"):
        write_clip_suite("mine", 1, task_folders([str(tmp_path)]), tmp_path / "out")
    with pytest.raises(SuiteError, match=r"exists already"):
        write_clip_suite("mine", 1, task_folders([str(tmp_path)]), tmp_path)


def test_a_classification_needs_class_names(tmp_path):
    source = write_layout(tmp_path / "bare", [labelled([0, 1])])
    with pytest.raises(SuiteError, match=r"classnames.txt does not exist; write a line a class"):
        write_clip_suite("mine", 1, task_folders([str(source)]), tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"main_metric": "mean_recall@1"}, "has no metric"),
        ({"num_items": 0}, "0 items"),
        ({"num_classes": 1}, "1 classes"),
        ({"num_classes": 4}, "3 lists of class names for 4 classes"),
        ({"templates": []}, "without templates"),
        ({"classes": [], "templates": []}, "no class names"),
        ({"classes": [["cat"], [], ["newt"]]}, "a class without a name"),
        ({"classes": [["cat"], [" "], ["newt"]]}, "a class without a name"),
        ({"shards": []}, "no shard"),
        ({"name": "../x"}, "task name"),
        ({"kind": "captioning"}, "expected one of"),
        ({"surprise": 1}, "unknown key"),
    ],
)
def test_a_definition_that_contradicts_itself_is_refused(suite, tmp_path, changes, problem):
    document = yaml.safe_load((tmp_path / "suite/suite.yaml").read_text())
    document["tasks"][0].update(changes)
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(SuiteError, match=problem):
        load_clip_suite(tmp_path / "bad.yaml")


def test_a_task_twice_is_refused(suite, tmp_path):
    twice = replace(suite, tasks=suite.tasks[:1] * 2)
    (tmp_path / "bad.yaml").write_text(dump_clip_suite_yaml(twice))
    with pytest.raises(SuiteError, match=r"listed twice"):
        load_clip_suite(tmp_path / "bad.yaml")


def test_the_data_digest_follows_the_shards(suite, tmp_path):
    other = replace(suite.tasks[0], shards=suite.tasks[0].shards[::-1])
    changed = replace(suite, tasks=(other, *suite.tasks[1:]))
    assert data_digest(suite, tmp_path) == data_digest(suite, tmp_path / "elsewhere")
    assert data_digest(changed, tmp_path) != data_digest(suite, tmp_path)


@pytest.fixture
def unpinned(tmp_path):
    """A suite whose files others published, and its files."""
    write_layout(tmp_path / "open/animals", [labelled([0, 1])], classes=["g:cat", "h:x", "g:dog"])
    templates = tmp_path / "open/animals/zeroshot_classification_templates.txt"
    templates.write_text("g:a {c}\nh:{c}")
    task = ClipTask(
        "animals", "all", "classification", "acc1", 2, 2, prompts="g", source="them/animals"
    )
    return ClipSuite("published", 1, (task,)), tmp_path / "open"


def lock(unpinned):
    suite, folder = unpinned
    return write_lock(suite, folder, sorted(p for p in folder.rglob("*.t*") if p.is_file()))


def test_unpinned_files_are_refused_until_they_are_locked(unpinned):
    suite, folder = unpinned
    for refuse in (clip_suite_folder, data_digest):
        with pytest.raises(SuiteError, match=r"lock.json does not exist.*assay suite fetch"):
            refuse(suite, folder)
    lock(unpinned)
    clip_suite_folder(suite, folder)
    assert class_names(suite.tasks[0], folder) == (("cat",), ("dog",))
    assert prompt_templates(suite.tasks[0], folder) == ("a {c}",)
    assert len(list(read_clip_items(suite, suite.tasks[0], folder))) == 2


@pytest.mark.parametrize("name", ["classnames.txt", "test/0.tar"])
def test_locked_files_stay_what_they_were(unpinned, name):
    suite, folder = unpinned
    lock(unpinned)
    before = data_digest(suite, folder)
    path = folder / "animals" / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(SuiteError, match=f"{name}: expected"):
        clip_suite_folder(suite, folder)
    with pytest.raises(SuiteError, match=f"{name} is not the file that .*lock.json pinned"):
        lock(unpinned)
    (folder / "lock.json").unlink()
    lock(unpinned)
    assert data_digest(suite, folder) != before


def test_a_shard_that_the_lock_leaves_out_is_never_read(unpinned):
    suite, folder = unpinned
    lock(unpinned)
    pack(folder / "animals/test/1.tar", labelled([1]))
    (folder / "animals/test/nshards.txt").write_text("2")
    task = replace(suite.tasks[0], num_items=3)
    with pytest.raises(SuiteError, match=r"promises 3 items.*got 2"):
        list(read_clip_items(suite, task, folder))


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"suite": "other", "version": 1, "files": {}}', '{"files": 3}']
)
def test_a_lock_of_something_else_is_refused(unpinned, text):
    suite, folder = unpinned
    (folder / "lock.json").write_text(text)
    with pytest.raises(SuiteError, match=r"is no lock of published@1"):
        clip_suite_folder(suite, folder)


def test_a_lock_without_class_names_is_refused(unpinned):
    suite, folder = unpinned
    document = json.loads(lock(unpinned).read_bytes())
    del document["files"]["animals/classnames.txt"]
    (folder / "lock.json").write_text(json.dumps(document))
    with pytest.raises(SuiteError, match=r"does not pin 'animals/classnames.txt'"):
        clip_suite_folder(suite, folder)
