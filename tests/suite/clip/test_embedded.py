import pytest

from assay.errors import SuiteError
from assay.suite.clip import clip_suite_folder, data_digest, load_clip_suite
from assay.suite.clip.embedded import prepare_clip_suite, write_embedded_suite
from assay.suite.clip.files import read_clip_items


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedded") / "suite"
    return write_embedded_suite(folder), folder


def test_every_generated_item_is_in_the_suite(embedded):
    from assay.foundry.scenes import scene_tasks

    suite, folder = embedded
    assert load_clip_suite(folder) == suite
    for task, card in zip(suite.tasks, scene_tasks(), strict=True):
        assert (task.name, task.kind, task.num_items) == (card.name, card.kind, len(card.items))
        assert [list(names) for names in task.classes] == card.classes
        assert list(task.templates) == card.templates
        for item, made in zip(read_clip_items(suite, task, folder), card.items, strict=True):
            assert item.images == (made.image,)
            assert item.gold == (() if made.gold is None else (made.gold,))
            assert list(item.captions) == made.captions
            assert item.group == made.group


def test_groups_and_rare_classes_have_their_own_metrics(embedded):
    metrics = {task.name: task.main_metric for task in embedded[0].tasks}
    assert metrics["shape"] == "acc1"
    assert metrics["shape_background"] == "acc_wg"
    assert metrics["texture_tail"] == "mean_per_class_recall"
    assert metrics["retrieval"] == "mean_recall@1"


def test_it_is_generated_where_it_is_absent_and_verified_where_it_is_not(embedded, tmp_path):
    suite, folder = embedded
    again = prepare_clip_suite(suite, tmp_path / "again")
    assert clip_suite_folder(suite, again) == again
    assert data_digest(suite, again) == data_digest(suite, folder)
    shard = again / "shape/test/0.tar"
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(SuiteError, match=r"shape/test/0.tar: expected .*remove .*again"):
        prepare_clip_suite(suite, again)
