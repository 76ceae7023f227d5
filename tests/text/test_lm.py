"""The adapter beside lm-eval's own: same tasks, same model, same numbers."""

import logging

import numpy as np
import pytest
import yaml

from assay.errors import SuiteError
from assay.score.text import score
from assay.text.evaluate import evaluate

from .conftest import CONTEXT_LENGTH

pytestmark = pytest.mark.usefixtures("one_thread")


def stock_adapter(model, tokenizer, batch_size=8):
    from lm_eval.models.huggingface import HFLM
    from transformers import PreTrainedTokenizerFast

    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")
    return HFLM(
        pretrained=model,
        tokenizer=wrapped,
        batch_size=batch_size,
        max_length=CONTEXT_LENGTH,
        device="cpu",
    )


def run_stock(model, tokenizer, suite, folder):
    """Evaluate with lm-eval's evaluator and adapter; return its samples and results by task."""
    from lm_eval.evaluator import evaluate as run_tasks

    from assay.text.tasks import load_task

    tasks = {task.name: load_task(suite, task, folder)[0] for task in suite.tasks}
    out = run_tasks(stock_adapter(model, tokenizer), tasks, bootstrap_iters=0)
    return out["samples"], out["results"]


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("lm_eval").setLevel(logging.CRITICAL)


@pytest.mark.parametrize(
    ("architecture", "attention", "shots"),
    [("llama", "sdpa", 0), ("llama", "eager", 3), ("qwen3", "sdpa", 3)],
)
def test_scores_equal_lm_evals_stock_adapter(
    architecture, attention, shots, make_model, make_suite, tiny_tokenizer
):
    model = make_model(architecture, attention)
    suite, folder = make_suite(shots=shots)
    samples, results = run_stock(model, tiny_tokenizer, suite, folder)
    outputs = evaluate(model, tiny_tokenizer, suite, folder, eos_id=0)
    metrics = score(outputs, suite)
    rows = {(row["task"], row["item"]): row for row in outputs.to_pylist()}
    for task in suite.tasks:
        for sample in samples[task.name]:
            row = rows[task.name, sample["doc_id"]]
            if task.form == "text":
                stock = [sample["filtered_resps"][0]]
            else:
                stock = [nats for nats, _ in sample["filtered_resps"]]
                assert row["greedy"] == [greedy for _, greedy in sample["filtered_resps"]]
            assert row["log_likelihood"] == pytest.approx(stock, abs=1e-4, rel=1e-6)
    assert metrics.tasks["choice"].accuracy == results["choice"]["acc_bytes,none"]
    assert metrics.tasks["pairs"].accuracy == results["pairs"]["acc,none"]
    assert metrics.tasks["schema"].accuracy == results["schema"]["acc,none"]
    assert metrics.tasks["exact"].accuracy == results["exact"]["acc,none"]
    assert metrics.tasks["heldout"].bits_per_byte == pytest.approx(
        results["heldout"]["bits_per_byte,none"], rel=1e-6
    )


def test_the_test_above_has_inputs_that_must_be_truncated(make_suite, tiny_tokenizer):
    from assay.text.tasks import load_task

    suite, folder = make_suite(shots=3)
    tasks = {task.name: load_task(suite, task, folder)[0] for task in suite.tasks}
    tasks["choice"].build_all_requests()
    lengths = [
        len(tiny_tokenizer.encode("".join(instance.args)).ids)
        for instance in tasks["choice"].instances
    ]
    assert max(lengths) > 2 * CONTEXT_LENGTH
    texts = [instance["text"] for instance in tasks["heldout"].eval_docs]
    assert max(len(tiny_tokenizer.encode(text).ids) for text in texts) > 2 * CONTEXT_LENGTH


def test_a_suite_asks_what_a_plain_lm_eval_yaml_asks(
    make_model, make_suite, tiny_tokenizer, tmp_path
):
    from lm_eval.evaluator import evaluate as run_tasks
    from lm_eval.tasks import TaskManager

    suite, folder = make_suite(shots=0)
    common = {"dataset_path": "json", "test_split": "test", "metadata": {"version": 1}}
    written = {
        "choice": {
            "output_type": "multiple_choice",
            "doc_to_text": "{{context}}",
            "doc_to_choice": "{{choices}}",
            "doc_to_target": "gold",
            "metric_list": [
                {"metric": "acc_bytes", "aggregation": "mean", "higher_is_better": True}
            ],
        },
        "schema": {
            "output_type": "multiple_choice",
            "doc_to_text": "gold",
            "doc_to_choice": "contexts",
            "doc_to_target": "continuation",
            "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        },
    }
    for name, task in written.items():
        files = {"test": str(folder / f"{name}.jsonl")}
        kwargs = {"data_files": files, "cache_dir": str(tmp_path / "cache")}
        task |= {"task": f"plain_{name}", "dataset_kwargs": kwargs, "num_fewshot": 0, **common}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(task))
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    model = make_model()
    plain = run_tasks(
        stock_adapter(model, tiny_tokenizer),
        manager.load([f"plain_{name}" for name in written]),
        bootstrap_iters=0,
    )["results"]
    metrics = score(evaluate(model, tiny_tokenizer, suite, folder, eos_id=0), suite)
    assert metrics.tasks["choice"].accuracy == plain["plain_choice"]["acc_bytes,none"]
    assert metrics.tasks["schema"].accuracy == plain["plain_schema"]["acc,none"]


def adapter(model, tokenizer):
    from assay.text.lm import SharedPrefixLM

    return SharedPrefixLM(model, tokenizer, eos_id=0)


def request(*arguments):
    from lm_eval.api.instance import Instance

    return Instance("loglikelihood", {}, arguments, 0)


def test_an_answer_longer_than_the_window_is_scored_token_by_token_all_the_same(
    make_model, tiny_tokenizer
):
    import torch

    model = make_model().eval()
    lm = adapter(model, tiny_tokenizer)
    answer = " the cat sat on the mat" * 20
    ids = tiny_tokenizer.encode(answer).ids
    assert len(ids) > CONTEXT_LENGTH
    lm.loglikelihood([request("rain", answer)])
    outcome = lm.outcomes["rain", answer]
    assert outcome.num_tokens == len(ids)
    first = tiny_tokenizer.encode("rain").ids[-1:] + ids[:CONTEXT_LENGTH]
    with torch.no_grad():
        logits = model(torch.tensor([first[:-1]])).logits[0].log_softmax(-1)
    nats = logits[range(CONTEXT_LENGTH), first[1:]].sum().item()
    rest = outcome.log_likelihood - nats
    assert rest < 0
    whole = adapter(model, tiny_tokenizer)
    whole.loglikelihood([request("rain", tiny_tokenizer.decode(ids[:CONTEXT_LENGTH]))])
    (start,) = whole.outcomes.values()
    assert start.log_likelihood == pytest.approx(nats, abs=1e-3)


def test_the_same_requests_give_the_same_bits_twice(make_model, tiny_tokenizer, words):
    model = make_model()
    requests = [request(words(1, 60), " " + words(1, 5)) for _ in range(40)]
    first = adapter(model, tiny_tokenizer).loglikelihood(requests)
    assert adapter(model, tiny_tokenizer).loglikelihood(requests) == first


def test_the_company_a_request_keeps_does_not_move_its_score(make_model, tiny_tokenizer, words):
    model = make_model()
    context = words(5, 10)
    requests = [request(context, " " + words(1, 5)) for _ in range(30)]
    requests += [request(words(1, 60), " " + words(1, 5)) for _ in range(30)]
    together = [nats for nats, _ in adapter(model, tiny_tokenizer).loglikelihood(requests)]
    alone = [adapter(model, tiny_tokenizer).loglikelihood([one])[0][0] for one in requests]
    assert together == pytest.approx(alone, abs=1e-4)


def test_identical_requests_are_scored_once(make_model, tiny_tokenizer, monkeypatch):
    lm = adapter(make_model(), tiny_tokenizer)
    seen = []
    inner = lm._score_batch
    monkeypatch.setattr(lm, "_score_batch", lambda rows, out: (seen.extend(rows), inner(rows, out)))
    answers = lm.loglikelihood([request("the cat", " sat")] * 5 + [request("the cat", " lay")])
    assert len(set(answers[:5])) == 1
    assert [len(row.branches) for row in seen] == [2]


def test_greedy_means_that_every_token_is_the_likeliest(make_model, tiny_tokenizer):
    import torch

    model = make_model().eval()
    requests, expected = [], []
    for start in range(260, 280):
        ids = [start]
        with torch.no_grad():
            for _ in range(4):
                ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
        off = [*ids[1:-1], (ids[-1] + 1) % 320]
        requests += [
            ((f"{start}", "greedy"), ids[:1], ids[1:]),
            ((f"{start}", "off"), ids[:1], off),
        ]
        expected += [True, False]
    ours = adapter(model, tiny_tokenizer)._loglikelihood_tokens(requests)
    stock = stock_adapter(model, tiny_tokenizer)._loglikelihood_tokens(requests, disable_tqdm=True)
    assert [greedy for _, greedy in ours] == [greedy for _, greedy in stock] == expected


def test_an_empty_context_stands_after_the_end_of_text(make_model, tiny_tokenizer):
    lm = adapter(make_model(), tiny_tokenizer)
    ((empty, _),) = lm.loglikelihood([request("", "the cat")])
    (document,) = lm.loglikelihood_rolling([request("the cat")])
    assert empty == pytest.approx(document, abs=1e-5)


def test_an_answer_without_tokens_of_its_own_is_refused(make_model, tiny_tokenizer):
    lm = adapter(make_model(), tiny_tokenizer)
    assert len(tiny_tokenizer.encode("the").ids) < len(tiny_tokenizer.encode("th").ids)
    with pytest.raises(SuiteError, match="adds no token to its context"):
        lm.loglikelihood([request("th", "e")])


def test_the_model_is_left_as_it_was(make_model, tiny_tokenizer):
    model = make_model().train()
    adapter(model, tiny_tokenizer).loglikelihood([request("the", " cat")])
    assert model.training
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


def test_a_tokenizer_that_truncates_or_pads_does_not_here(make_model, tiny_tokenizer):
    from tokenizers import Tokenizer

    cutting = Tokenizer.from_str(tiny_tokenizer.to_str())
    cutting.enable_truncation(3)
    cutting.enable_padding(length=100)
    text = "the cat sat on the mat and the dog lay near the door"
    model = make_model()
    expected = adapter(model, tiny_tokenizer).loglikelihood_rolling([request(text)])
    assert adapter(model, cutting).loglikelihood_rolling([request(text)]) == expected
    assert len(cutting.encode(text).ids) == 3 + 97


def test_log_likelihoods_are_never_positive(make_model, tiny_tokenizer):
    import torch

    model = make_model()
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(50)
    lm = adapter(model, tiny_tokenizer)
    answers = lm.loglikelihood([request("the", f" {word}") for word in ("cat", "dog", "mat")])
    assert all(nats <= 0 and np.isfinite(nats) for nats, _ in answers)


def test_the_name_of_a_special_token_in_a_text_is_text_as_it_is_in_the_pool(
    make_model, tiny_tokenizer, tmp_path
):
    from assay.pool.tokenizer import load_tokenizer
    from assay.text.lm import SharedPrefixLM

    tiny_tokenizer.save(str(tmp_path / "tokenizer.json"))
    of_pool = load_tokenizer(tmp_path / "tokenizer.json")
    text = "the cat<|endoftext|> sat"
    ids = SharedPrefixLM(make_model(), of_pool, 0).tok_encode(text)
    assert ids == of_pool.encode(text, add_special_tokens=False).ids
    assert 0 not in ids
    assert 0 in tiny_tokenizer.encode(text).ids
