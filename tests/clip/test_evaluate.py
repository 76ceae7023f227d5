from dataclasses import replace

import numpy as np
import pytest
import torch

from assay.clip.encode import encode_classes, encode_images, encode_texts
from assay.clip.evaluate import evaluate_clip
from assay.clip.judge import judge
from assay.errors import SuiteError
from assay.pool.imagetext.images import decode_image
from assay.score.clip import CLIP_OUTPUT_SCHEMA, score_clip
from assay.suite.clip.files import read_clip_items
from assay.suite.clip.seal import task_folders, write_clip_suite
from assay.suite.clip.shards import read_samples
from clip_folders import associated, captioned, labelled, png, write_layout

CLASSES = ["cat", "dog", "newt", "owl", "bee", "fox", "ant"]
TEMPLATES = ["a photo of a {c}", "{c}", "one {c}."]


@pytest.fixture(scope="module")
def model():
    import open_clip  # after assay.clip

    torch.manual_seed(0)
    vision = {"image_size": 16, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8}
    text = {"context_length": 8, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1}
    built = open_clip.model.CLIP(embed_dim=16, vision_cfg=vision, text_cfg=text)
    return built.eval()


@pytest.fixture(scope="module")
def transform():
    import open_clip

    return open_clip.image_transform(16, is_train=False)


def tokenize(texts):
    """One token a letter, the last one the largest, as CLIP's text tower wants it."""
    rows = [[1 + ord(letter) % 62 for letter in text[:7]] + [63] for text in texts]
    return torch.tensor([row + [0] * (8 - len(row)) for row in rows])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("suite")
    golds = np.random.default_rng(0).integers(0, 7, 60).tolist()
    groups = [f"g{number % 3}" for number in range(60)]
    write_layout(
        root / "src/animals",
        [labelled(golds, groups)[:25], labelled(golds, groups)[25:]],
        classes=CLASSES,
        templates=TEMPLATES,
    )
    (root / "src/animals/synonyms.txt").write_text(
        "\n".join(["cat\tfelis", "dog\thound\tcur", *CLASSES[2:]])
    )
    captions = [[f"picture {number}", f"{number} things"][: 1 + number % 2] for number in range(20)]
    write_layout(root / "src/photos", [captioned(captions)], kind="retrieval")
    cues = [("A fox", 5, [0, 3]), ("An owl", 12, [2, 5, 11]), ("A bee", 10, [1])]
    write_layout(root / "src/cues", [associated(cues)], kind="association")
    write_clip_suite("mine", 1, task_folders([str(root / "src")]), root / "suite")
    return root / "suite"


@pytest.fixture(scope="module")
def suite(folder):
    from assay.suite.clip import load_clip_suite

    return load_clip_suite(folder)


@pytest.fixture(scope="module")
def outputs(model, transform, suite, folder):
    return evaluate_clip(model, tokenize, transform, suite, folder, show_progress=False)


def only(suite, name):
    return replace(suite, tasks=tuple(task for task in suite.tasks if task.name == name))


def rows_of(outputs, name, part=""):
    rows = outputs.to_pylist()
    return [row for row in rows if row["task"] == name and row["part"] == part]


def test_one_row_a_question(outputs):
    assert outputs.schema.equals(CLIP_OUTPUT_SCHEMA)
    assert len(rows_of(outputs, "animals")) == 60
    assert len(rows_of(outputs, "photos", "image")) == 20
    assert len(rows_of(outputs, "photos", "text")) == 30
    assert [len(row["top"]) for row in rows_of(outputs, "cues")] == [2, 3, 1]
    assert {row["group"] for row in rows_of(outputs, "animals")} == {"g0", "g1", "g2"}


def test_metrics_come_out_of_the_rows(outputs, suite):
    scored = score_clip(outputs, suite)
    assert list(scored.tasks) == ["animals", "cues", "photos"]
    assert scored.tasks["animals"].metrics["acc_wg"] <= scored.tasks["animals"].metrics["acc1"]
    assert 0 < scored.bits_per_answer < 20


def test_agrees_with_open_clips_own_zero_shot_loop(model, transform, suite, folder, outputs):
    import open_clip

    named = replace(suite.tasks[0], classes=tuple((name,) for name in CLASSES))
    single = replace(suite, tasks=(named,))
    ours = evaluate_clip(model, tokenize, transform, single, folder, show_progress=False)
    with torch.inference_mode():
        theirs = open_clip.build_zero_shot_classifier(
            model,
            tokenize,
            CLASSES,
            [lambda name, template=template: template.format(c=name) for template in TEMPLATES],
        )
        items = list(read_clip_items(single, named, folder))
        batch = torch.stack([transform(decode_image(item.images[0])) for item in items])
        logits = model.logit_scale.exp() * model.encode_image(batch, normalize=True) @ theirs
    golds = torch.tensor([item.gold[0] for item in items])
    metrics = score_clip(ours, single).tasks["animals"].metrics
    assert metrics["acc1"] == pytest.approx((logits.argmax(1) == golds).double().mean().item())
    top5 = (logits.topk(5).indices == golds[:, None]).any(1).double().mean().item()
    assert metrics["acc5"] == pytest.approx(top5)
    log_probs = logits.log_softmax(1)[torch.arange(60), golds]
    np.testing.assert_allclose(ours["log_prob"].to_numpy(), log_probs.numpy(), atol=1e-4)
    assert ours != outputs.slice(0, 60)  # the synonyms count


def test_classes_are_means_over_synonyms_and_templates(model):
    names = [["cat", "felis"], ["dog"]]
    classes = encode_classes(model, tokenize, names, ["a {c}", "{c}"], device="cpu", batch_size=3)
    prompts = ["a cat", "cat", "a felis", "felis"]
    features = encode_texts(model, tokenize, prompts, device="cpu", batch_size=100)
    expected = torch.nn.functional.normalize(features.mean(dim=0), dim=0)
    torch.testing.assert_close(classes[0], expected)
    torch.testing.assert_close(classes.norm(dim=1), torch.ones(2))


def test_retrieval_agrees_with_the_plain_score_matrix(model, transform, suite, folder, outputs):
    samples = [members for _, members in read_samples(folder / "photos/test/0.tar")]
    with torch.inference_mode():
        images = torch.stack([transform(decode_image(members["png"])) for members in samples])
        captions = [members["txt"].decode().split("\n") for members in samples]
        owners = [number for number, own in enumerate(captions) for _ in own]
        flat = [caption for own in captions for caption in own]
        scores = (
            model.encode_text(tokenize(flat), normalize=True)
            @ model.encode_image(images, normalize=True).T
        )
    first = scores.argmax(dim=1)
    recall = (first == torch.tensor(owners)).double().mean().item()
    metrics = score_clip(outputs, suite).tasks["photos"].metrics
    assert metrics["image_retrieval_recall@1"] == pytest.approx(recall)
    assert [row["top"][0] for row in rows_of(outputs, "photos", "text")] == first.tolist()
    best = [owners[caption] for caption in scores.T.argmax(dim=1).tolist()]
    hits = np.mean([owner == number for number, owner in enumerate(best)])
    assert metrics["text_retrieval_recall@1"] == pytest.approx(hits)


def test_equal_captions_tie_exactly(model, transform, tmp_path):
    source = write_layout(
        tmp_path / "twins", [captioned([["same"], ["same"], ["other"]])], kind="retrieval"
    )
    suite = write_clip_suite("t", 1, task_folders([str(source)]), tmp_path / "suite")
    outputs = evaluate_clip(
        model, tokenize, transform, suite, tmp_path / "suite", batch_size=1, show_progress=False
    )
    rows = rows_of(outputs, "twins", "image")
    assert [row["tied"] for row in rows] == [1, 1, 0]


def test_batches_move_no_answer(model, transform, suite, folder, outputs):
    small = evaluate_clip(
        model, tokenize, transform, suite, folder, batch_size=7, show_progress=False
    )
    np.testing.assert_allclose(
        small["log_prob"].to_numpy(), outputs["log_prob"].to_numpy(), atol=1e-4
    )
    assert score_clip(small, suite).average == score_clip(outputs, suite).average


def test_the_same_again(model, transform, suite, folder, outputs):
    again = evaluate_clip(model, tokenize, transform, suite, folder, show_progress=False)
    assert again.equals(outputs)


def test_a_few_items_are_the_first_ones(model, transform, suite, folder, outputs):
    some = evaluate_clip(
        model, tokenize, transform, suite, folder, items_per_task=10, show_progress=False
    )
    scored = score_clip(some, suite, 10)
    assert [task.num_items for task in scored.tasks.values()] == [10, 3, 10]
    golds = [row["gold"] for row in rows_of(outputs, "animals")[:10]]
    assert [row["gold"] for row in rows_of(some, "animals")] == golds
    assert len(rows_of(some, "photos", "text")) == 15


def test_altered_files_are_refused_before_the_model_runs(transform, suite, folder, tmp_path):
    with pytest.raises(SuiteError, match=r"animals/test/0.tar is missing"):
        evaluate_clip(torch.nn.Identity().eval(), tokenize, transform, suite, tmp_path)


def test_an_unreadable_image_is_an_error_and_not_skipped(model, transform):
    images = [("a.tar: s0", png(0)), ("a.tar: s1", png(1)[:70])]
    with pytest.raises(SuiteError, match=r"a.tar: s1: unreadable image"):
        encode_images(model, transform, images, device="cpu", batch_size=8)


def test_features_that_are_not_finite_are_an_error(model, transform):
    broken = lambda image: transform(image) * float("nan")  # noqa: E731
    with pytest.raises(SuiteError, match=r"not finite"):
        encode_images(model, broken, [("s", png(0))], device="cpu", batch_size=8)


def test_a_model_in_training_mode_is_a_mistake_of_the_caller(model, transform, suite, folder):
    model.train()
    try:
        with pytest.raises(AssertionError):
            evaluate_clip(model, tokenize, transform, suite, folder)
    finally:
        model.eval()


def test_judging_in_blocks_changes_nothing(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    questions = torch.nn.functional.normalize(torch.randn(50, 8, generator=generator))
    candidates = torch.nn.functional.normalize(torch.randn(20, 8, generator=generator))
    golds = [[number % 20, (number * 7 + 1) % 20] for number in range(50)]
    golds = [sorted(set(gold)) for gold in golds]
    whole = judge(questions, candidates, golds, logit_scale=20.0, depth=3)
    monkeypatch.setattr("assay.clip.judge._MAX_SCORES", 60)
    parts = judge(questions, candidates, golds, logit_scale=20.0, depth=3)
    assert (parts.rank, parts.tied, parts.top) == (whole.rank, whole.tied, whole.top)
    scores = (questions @ candidates.T).numpy()
    for number, gold in enumerate(golds):
        better = (scores[number] > scores[number, gold].max()).sum()
        assert whole.rank[number] == better
        assert whole.top[number] == np.argsort(-scores[number])[:3].tolist()
    odds = np.exp(20.0 * scores)
    expected = [np.log(odds[n, g].sum() / odds[n].sum()) for n, g in enumerate(golds)]
    np.testing.assert_allclose(whole.log_prob, expected, rtol=1e-4)


def test_equal_scores_are_ties_and_named_in_order():
    verdicts = judge(torch.ones(1, 1), torch.ones(6, 1), [[4]], logit_scale=1.0, depth=5)
    assert (verdicts.rank, verdicts.tied, verdicts.top) == ([0], [5], [[0, 1, 2, 3, 4]])
