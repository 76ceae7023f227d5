"""Run a suite through lm-eval and keep what the model made of every single item."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from assay.score import OUTPUT_SCHEMA
from assay.suite import Suite, Task
from assay.suite.items import Item

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

    from assay.text.lm import Outcome


def evaluate(
    model: "PreTrainedModel",
    tokenizer: "Tokenizer",
    suite: Suite,
    folder: Path,
    *,
    eos_id: int,
    items_per_task: int | None = None,
    device: str = "cpu",
) -> pa.Table:
    """Evaluate a language model on a suite.

    Args:
        model: A causal language model, on `device`.
        tokenizer: The one it was trained with.
        suite: What to ask.
        folder: Holds the suite's item files, which are compared with their digests.
        eos_id: The token that ends a text, put before texts that have nothing before them.
        items_per_task: Only the first so many items of each task, or None for all.
        device: Where the model is.

    Returns:
        One row an item, in suite order, with the columns of `assay.score.OUTPUT_SCHEMA`.

    Raises:
        SuiteError: If a file is absent or does not match, or an item cannot be scored.
    """
    from lm_eval.evaluator import evaluate as run_tasks

    from assay.text.lm import SharedPrefixLM
    from assay.text.tasks import load_tasks

    lm = SharedPrefixLM(model, tokenizer, eos_id, device=device)
    with _quiet():
        tasks, asked = load_tasks(suite, folder, items_per_task)
        # Not `simple_evaluate`: it reseeds every global generator and shells out to describe the
        # machine, for seconds. This is the part of it that evaluates.
        results = run_tasks(lm, cast(Any, tasks), bootstrap_iters=0)
    samples_by_task = cast("dict[str, Any]", results)["samples"]
    columns: dict[str, list[Any]] = {name: [] for name in OUTPUT_SCHEMA.names}
    for task in suite.tasks:
        samples = sorted(samples_by_task[task.name], key=lambda sample: sample["doc_id"])
        for sample, item in zip(samples, asked[task.name], strict=True):
            outcomes = [lm.outcomes[arguments] for arguments in sample["arguments"]]
            for name, value in _row(task, sample["doc_id"], item, outcomes).items():
                columns[name].append(value)
    return pa.Table.from_pydict(columns, schema=OUTPUT_SCHEMA)


def _row(task: Task, number: int, item: Item, outcomes: "list[Outcome]") -> dict[str, Any]:
    texts = _answers(task, item)
    assert len(texts) == len(outcomes), f"{task.name} item {number}: {len(outcomes)} outcomes"
    return {
        "task": task.name,
        "item": number,
        "gold": item.get("gold", 0),
        "log_likelihood": [outcome.log_likelihood for outcome in outcomes],
        "num_tokens": [outcome.num_tokens for outcome in outcomes],
        "num_bytes": [len(text.encode("utf-8")) for text in texts],
        "greedy": [outcome.greedy for outcome in outcomes],
    }


def _answers(task: Task, item: Item) -> list[str]:
    """Return the texts whose likelihood was measured, one for each request."""
    if task.form == "choice":
        return item["choices"]
    if task.form == "schema":
        return [item["continuation"]] * len(item["contexts"])
    return [item["continuation" if task.form == "exact" else "text"]]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep lm-eval's notes about tasks that are as they should be off the screen."""
    logger = logging.getLogger("lm_eval")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
