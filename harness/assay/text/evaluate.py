"""Run a suite through lm-eval and keep what the model made of every single item."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from assay.console import progress
from assay.score.text import OUTPUT_SCHEMA
from assay.suite import Suite, Task
from assay.suite.files import suite_folder
from assay.suite.items import Item

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

    from assay.text.lm import Outcome, SharedPrefixLM
    from assay.text.tasks import SuiteTask


def evaluate(
    model: "PreTrainedModel",
    tokenizer: "Tokenizer",
    suite: Suite,
    folder: Path,
    *,
    eos_id: int,
    items_per_task: int | None = None,
    device: str = "cpu",
    show_progress: bool = True,
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
        show_progress: Whether to show a bar.

    Returns:
        One row an item, in suite order, with the columns of `assay.score.text.OUTPUT_SCHEMA`.

    Raises:
        SuiteError: If a file is absent or does not match, or an item cannot be scored.
    """
    from assay.text.lm import SharedPrefixLM
    from assay.text.tasks import load_task

    suite_folder(suite, folder)
    sizes = [min(task.num_items, items_per_task or task.num_items) for task in suite.tasks]
    rows: list[dict[str, Any]] = []
    with _quiet(), progress("evaluating", sum(sizes), "items", enabled=show_progress) as bar:
        for task, size in zip(suite.tasks, sizes, strict=True):
            # A task at a time: the requests of all of CORE would fill a machine's memory.
            lm = SharedPrefixLM(
                model,
                tokenizer,
                eos_id,
                device=device,
                on_progress=lambda share, size=size: bar.update(share * size),
            )
            rows += _run(lm, *load_task(suite, task, folder, items_per_task), task)
    return pa.Table.from_pylist(rows, schema=OUTPUT_SCHEMA)


def _run(
    lm: "SharedPrefixLM", runnable: "SuiteTask", items: list[Item], task: Task
) -> Iterator[dict[str, Any]]:
    from lm_eval.evaluator import evaluate as run_tasks

    # Not `simple_evaluate`: it reseeds every global generator and shells out to describe the
    # machine, for seconds. This is the part of it that evaluates.
    results = run_tasks(lm, cast(Any, {task.name: runnable}), bootstrap_iters=0)
    samples = cast("dict[str, Any]", results)["samples"][task.name]
    for sample in sorted(samples, key=lambda sample: sample["doc_id"]):
        number = sample["doc_id"]
        outcomes = [lm.outcomes[arguments] for arguments in sample["arguments"]]
        yield _row(task, number, items[number], outcomes)


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
