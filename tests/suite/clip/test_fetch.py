import shutil
from dataclasses import replace
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.errors import SuiteError
from assay.suite.clip import ClipSuite, ClipTask, clip_suite_folder, data_digest, load_clip_suite
from assay.suite.clip.embedded import prepare_clip_suite
from assay.suite.clip.fetch import fetch_clip_suite
from assay.suite.clip.files import read_clip_items
from assay.suite.clip.seal import task_folders, write_clip_suite
from assay.suite.clip.winogavil import association_prompt
from clip_folders import captioned, labelled, png, write_layout


def published(num_cues: int = 3) -> ClipSuite:
    """A suite as DataComp's, its files published by others."""
    animals = ClipTask(
        "animals", "all", "classification", "acc1", 3, 2, source="them/wds_animals_test"
    )
    photos = ClipTask("photos", "all", "retrieval", "mean_recall@1", 1, source="them/wds_photos")
    cues = ClipTask(
        "cues", "all", "association", "jaccard_score", num_cues, source="https://them.test/cues"
    )
    return ClipSuite("published", 1, (animals, photos, cues))


@pytest.fixture
def mirror(tmp_path) -> Path:
    write_layout(
        tmp_path / "mirror/wds_animals_test",
        [labelled([0, 1]), labelled([1])],
        classes=["cat", "dog"],
    )
    write_layout(tmp_path / "mirror/wds_photos", [captioned([["a", "b"]])], kind="retrieval")
    (tmp_path / "mirror/cues").mkdir()
    for number, count in enumerate([2, 1]):
        rows = [
            {
                "cue": cue,
                "candidates": ["bee", "owl", "ant"],
                "associations": ["ant", "bee"],
                "candidate_images": [{"bytes": png(i), "path": None} for i in range(3)],
            }
            for cue in ["Insect", "wings"][:count]
        ]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"mirror/cues/{number:04d}.parquet")
    return tmp_path / "mirror"


def test_fetched_once_and_pinned(mirror, tmp_path):
    suite, out = published(), tmp_path / "out"
    paths = fetch_clip_suite(suite, out, str(mirror))
    assert len(paths) == 8
    clip_suite_folder(suite, out)
    assert load_clip_suite(out) == suite
    digest = data_digest(suite, out)
    assert [len(list(read_clip_items(suite, task, out))) for task in suite.tasks] == [3, 1, 3]
    shutil.rmtree(mirror)
    assert fetch_clip_suite(suite, out, str(mirror)) == paths
    assert data_digest(suite, out) == digest
    assert prepare_clip_suite(suite, out) == out


def test_associations_come_from_parquet(mirror, tmp_path):
    fetch_clip_suite(published(), tmp_path / "out", str(mirror))
    first, second, _ = read_clip_items(published(), published().tasks[2], tmp_path / "out")
    assert (first.gold, first.captions) == ((0, 2), ("An insect",))
    assert second.captions == ("A wings",)
    assert first.images == (png(0), png(1), png(2))


def test_too_few_associations_are_an_error(mirror, tmp_path):
    with pytest.raises(SuiteError, match=r"expected 4 rows .*got 3"):
        fetch_clip_suite(published(num_cues=4), tmp_path / "out", str(mirror))
    assert not (tmp_path / "out/cues/test/0.tar").exists()


def test_cues_begin_with_their_article():
    assert [association_prompt(cue) for cue in ("Owl", "bee")] == ["An owl", "A bee"]


def test_files_that_break_the_suites_promises_are_never_pinned(mirror, tmp_path):
    write_layout(mirror / "wds_animals_test", [labelled([0, 1]), labelled([1, 0])])
    with pytest.raises(SuiteError, match=r"promises 3 items, got 4; remove the folder"):
        fetch_clip_suite(published(), tmp_path / "out", str(mirror))
    (mirror / "wds_animals_test/classnames.txt").write_text("cat")
    with pytest.raises(SuiteError, match=r"promises 2 classes, got 1"):
        fetch_clip_suite(published(), tmp_path / "new", str(mirror))
    assert not (tmp_path / "out/lock.json").exists()


def test_an_interrupted_download_goes_on(mirror, tmp_path):
    suite, out = published(), tmp_path / "out"
    last = mirror / "wds_animals_test/test/1.tar"
    data = last.read_bytes()
    last.unlink()
    with pytest.raises(SuiteError, match=r"1.tar cannot be read \(no such file\).*--mirror"):
        fetch_clip_suite(suite, out, str(mirror))
    assert not (out / "lock.json").exists()
    with pytest.raises(SuiteError, match=r"lock.json does not exist"):
        prepare_clip_suite(suite, out)
    last.write_bytes(data)
    (mirror / "wds_animals_test/test/0.tar").unlink()  # it is there already
    fetch_clip_suite(suite, out, str(mirror))
    clip_suite_folder(suite, out)


def test_a_lost_file_comes_back_only_as_it_was(mirror, tmp_path):
    suite, out = published(), tmp_path / "out"
    fetch_clip_suite(suite, out, str(mirror))
    lost = out / "animals/test/1.tar"
    original = lost.read_bytes()
    lost.unlink()
    write_layout(mirror / "wds_animals_test", [labelled([0, 1]), labelled([0])])
    with pytest.raises(SuiteError, match=r"expected sha256.*use another mirror"):
        fetch_clip_suite(suite, out, str(mirror))
    assert not lost.exists()
    (mirror / "wds_animals_test/test/1.tar").write_bytes(original)
    fetch_clip_suite(suite, out, str(mirror))
    assert lost.read_bytes() == original


def test_nothing_without_a_digest_is_fetched_at_evaluation(tmp_path):
    with pytest.raises(SuiteError, match=r"lock.json does not exist"):
        prepare_clip_suite(published(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def remote(mirror, tmp_path):
    """A sealed suite whose shards are somewhere else, in fsspec's `memory` file system."""
    sealed = write_clip_suite(
        "sealed", 1, task_folders([str(mirror / "wds_photos")]), tmp_path / "sealed"
    )
    memory = fsspec.filesystem("memory")
    memory.pipe("/photos/test/0.tar", (tmp_path / "sealed/wds_photos/test/0.tar").read_bytes())
    yield replace(sealed, tasks=(replace(sealed.tasks[0], source="memory://photos"),))
    memory.rm("/photos", recursive=True)


def test_shards_with_digests_are_fetched_when_they_are_needed(remote, tmp_path):
    assert prepare_clip_suite(remote, tmp_path / "new") == tmp_path / "new"
    assert len(list(read_clip_items(remote, remote.tasks[0], tmp_path / "new"))) == 1


def test_another_shard_is_refused(remote, tmp_path):
    fsspec.filesystem("memory").pipe("/photos/test/0.tar", b"another")
    with pytest.raises(SuiteError, match=r"memory://photos/test/0.tar: expected sha256"):
        prepare_clip_suite(remote, tmp_path / "new")
    assert not (tmp_path / "new/wds_photos/test/0.tar").exists()


def test_a_task_is_sealed_from_a_url(remote, mirror, tmp_path):
    memory = fsspec.filesystem("memory")
    memory.put(str(mirror / "wds_photos"), "/photos/there", recursive=True)
    suite = write_clip_suite("u", 1, task_folders(["memory://photos/there"]), tmp_path / "u")
    assert (suite.tasks[0].name, suite.tasks[0].num_captions) == ("there", 2)


def test_a_task_without_a_source_cannot_be_fetched(tmp_path):
    suite = published()
    homeless = replace(suite, tasks=(replace(suite.tasks[0], source=None),))
    with pytest.raises(SuiteError, match=r"has no source"):
        fetch_clip_suite(homeless, tmp_path / "out")
