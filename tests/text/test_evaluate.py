import random  # noqa: TID251  (to see that nobody reseeds it)
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from assay.canonical import digest_json
from assay.errors import SuiteError
from assay.score.text import OUTPUT_SCHEMA, score
from assay.text.evaluate import evaluate

pytestmark = pytest.mark.usefixtures("one_thread")

REAL = Path(__file__).parents[2] / "../shared/data/text/eval"


def test_one_row_an_item_in_suite_order(make_model, make_suite, tiny_tokenizer):
    suite, folder = make_suite()
    outputs = evaluate(make_model(), tiny_tokenizer, suite, folder, eos_id=0)
    assert outputs.schema.equals(OUTPUT_SCHEMA)
    expected = [(task.name, i) for task in suite.tasks for i in range(task.num_items)]
    assert (
        list(zip(*outputs.select(["task", "item"]).to_pydict().values(), strict=True)) == expected
    )


def test_requests_are_prompt_and_delimited_answer(make_suite):
    from assay.suite.files import read_items
    from assay.suite.prompts import preamble
    from assay.text.tasks import load_task

    suite, folder = make_suite(shots=2)
    tasks = {task.name: load_task(suite, task, folder)[0] for task in suite.tasks}
    arguments = {}
    for task in suite.tasks:
        tasks[task.name].build_all_requests()
        arguments[task.name] = [
            instance.args for instance in tasks[task.name].instances if instance.doc_id == 3
        ]
    items = {task.name: read_items(suite, task, folder) for task in suite.tasks}
    shots = {task.name: preamble(task, items[task.name], 3) for task in suite.tasks}
    choice, schema, exact = items["choice"][3], items["schema"][3], items["exact"][3]
    assert shots["choice"].count("\n") >= 2
    assert arguments == {
        "choice": [(shots["choice"] + choice["context"], " " + text) for text in choice["choices"]],
        "schema": [
            (shots["schema"] + text, " " + schema["continuation"]) for text in schema["contexts"]
        ],
        "exact": [(shots["exact"] + exact["context"], " " + exact["continuation"])],
        "pairs": [("", text) for text in items["pairs"][3]["choices"]],
        "heldout": [(items["heldout"][3]["text"],)],
    }


def test_bytes_are_those_of_the_answer_without_its_delimiter(
    make_model, make_suite, tiny_tokenizer
):
    from assay.suite.files import read_items

    suite, folder = make_suite()
    rows = evaluate(make_model(), tiny_tokenizer, suite, folder, eos_id=0).to_pylist()
    items = {task.name: read_items(suite, task, folder) for task in suite.tasks}
    for row in rows:
        item = items[row["task"]][row["item"]]
        texts = item.get("choices") or [item.get("continuation", item.get("text"))] * len(
            row["num_bytes"]
        )
        assert row["num_bytes"] == [len(text.encode()) for text in texts]
        assert row["gold"] == item.get("gold", 0)


def test_fewer_items_are_the_first_ones_and_score_the_same(make_model, make_suite, tiny_tokenizer):
    suite, folder = make_suite(shots=2)
    model = make_model()
    whole = evaluate(model, tiny_tokenizer, suite, folder, eos_id=0).to_pylist()
    outputs = evaluate(model, tiny_tokenizer, suite, folder, eos_id=0, items_per_task=5)
    few = outputs.to_pylist()
    assert [(row["task"], row["item"]) for row in few] == [
        (task.name, i) for task in suite.tasks for i in range(5)
    ]
    by_item = {(row["task"], row["item"]): row["log_likelihood"] for row in whole}
    for row in few:
        assert row["log_likelihood"] == pytest.approx(by_item[row["task"], row["item"]], abs=1e-4)
    assert score(outputs, suite, items_per_task=5).tasks["choice"].num_items == 5
    with pytest.raises(SuiteError, match="expected items 0 to 11"):
        score(outputs, suite)


def test_every_metric_comes_back_from_a_parquet_file(
    make_model, make_suite, tiny_tokenizer, tmp_path
):
    suite, folder = make_suite()
    outputs = evaluate(make_model(), tiny_tokenizer, suite, folder, eos_id=0)
    pq.write_table(outputs, tmp_path / "outputs.parquet", compression="zstd")
    again = pq.read_table(tmp_path / "outputs.parquet")
    assert score(again, suite) == score(outputs, suite)


def test_twice_the_same_bits(make_model, make_suite, tiny_tokenizer):
    suite, folder = make_suite(shots=1)
    first = evaluate(make_model(), tiny_tokenizer, suite, folder, eos_id=0)
    second = evaluate(make_model(), tiny_tokenizer, suite, folder, eos_id=0)
    assert digest_json(first.to_pylist()) == digest_json(second.to_pylist())


def test_an_altered_item_file_is_refused_before_anything_is_scored(
    make_model, make_suite, tiny_tokenizer
):
    suite, folder = make_suite()
    path = folder / "exact.jsonl"
    path.write_bytes(path.read_bytes().replace(b"cat", b"cow", 1))
    with pytest.raises(SuiteError, match=r"exact\.jsonl: expected sha256:[0-9a-f]{64}, got"):
        evaluate(make_model(), tiny_tokenizer, suite, folder, eos_id=0)


def test_no_global_generator_is_touched_and_nothing_is_cached(
    make_model, make_suite, tiny_tokenizer, monkeypatch, tmp_path
):
    import datasets
    import torch

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    suite, folder = make_suite()
    model = make_model()
    before = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())  # noqa: NPY002
    evaluate(model, tiny_tokenizer, suite, folder, eos_id=0)
    after = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())  # noqa: NPY002
    assert after == before
    assert not (tmp_path / "cache").exists()


def test_a_model_that_knows_the_answers_scores_above_one_that_does_not(
    make_model, make_suite, tiny_tokenizer, tmp_path
):
    """Teach a model twelve questions by heart."""
    import torch

    from assay.suite.files import write_suite

    subjects = [
        "the",
        "cat",
        "sat",
        "mat",
        "and",
        "dog",
        "lay",
        "near",
        "door",
        "while",
        "rain",
        "fell",
    ]
    answers = ["old", "town", "rain"]
    items = [
        {"context": f"{subject} {subject}", "choices": answers, "gold": i % 3}
        for i, subject in enumerate(subjects)
    ]
    folder = tmp_path / "questions"
    suite = write_suite("q", 1, {"q": (items, {"group": "a", "form": "choice"})}, folder)
    model = make_model()
    untaught = score(evaluate(model, tiny_tokenizer, suite, folder, eos_id=0), suite)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(60):
        for item in items:
            text = f"{item['context']} {item['choices'][item['gold']]}"
            ids = torch.tensor([tiny_tokenizer.encode(text).ids])
            model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    taught = score(evaluate(model, tiny_tokenizer, suite, folder, eos_id=0), suite)
    assert taught.centered_accuracy == 1.0
    assert untaught.centered_accuracy < 0.5
    assert taught.bits_per_byte < 0.2 < untaught.bits_per_byte


@pytest.mark.realdata
@pytest.mark.parametrize("kind", ["core", "blimp"])
def test_real_suites_are_scored(kind, make_model, tiny_tokenizer, tmp_path):
    from assay.suite.convert import build_blimp, build_core

    if not REAL.is_dir():
        pytest.skip("no real data here")
    folder = tmp_path / "suite"
    if kind == "core":
        suite, _ = build_core(REAL, folder)
    else:
        suite = build_blimp(REAL / "blimp.jsonl.zst", folder)
    outputs = evaluate(make_model(), tiny_tokenizer, suite, folder, eos_id=0, items_per_task=20)
    metrics = score(outputs, suite, items_per_task=20)
    assert len(metrics.tasks) == {"core": 18, "blimp": 67}[kind]
    assert all(task.num_items == 20 for task in metrics.tasks.values())
    assert abs(metrics.centered_accuracy) < 0.3
    assert metrics.heldout_bits_per_byte is None
