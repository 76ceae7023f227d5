"""A suite's items as lm-eval tasks, held in memory: nothing is fetched, cached or executed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from lm_eval.api.task import ConfigurableTask

from assay.suite import Suite, Task
from assay.suite.files import read_items
from assay.suite.items import Item
from assay.suite.prompts import preamble


class SuiteTask(ConfigurableTask):
    """lm-eval's configurable task over documents in memory, without a progress bar of its own.

    Args:
        task: What the suite says of it.
        documents: Its items as lm-eval's templates want them, solved examples included.
    """

    def __init__(self, task: Task, documents: Sequence[dict[str, Any]]):
        self._documents = list(documents)
        super().__init__(config=task_config(task))

    def download(self, dataset_kwargs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Take the documents from memory, where their digest has been checked."""
        self.dataset = {"test": Dataset.from_list(self._documents)}

    def build_all_requests(self, **kwargs: Any) -> None:
        """Turn every document into requests. No limit applies: documents were cut before."""
        self._instances = []
        for number, document in self.doc_iterator():
            made = self.construct_requests(
                document,
                self.fewshot_context(document, num_fewshot=0),
                metadata=(self.config.task, number, self.config.repeats),
            )
            self._instances += made if isinstance(made, list) else [made]


def load_task(
    suite: Suite, task: Task, folder: Path, items_per_task: int | None = None
) -> tuple[SuiteTask, list[Item]]:
    """Read a task's items and wrap them for lm-eval.

    Args:
        suite: What the task belongs to.
        task: One of its tasks.
        folder: Holds the item files; the one that is read is compared with its digest.
        items_per_task: Only the first so many items, or None for all.

    Returns:
        lm-eval's task, and the items that it asks.

    Raises:
        SuiteError: If the file is absent or does not match.
    """
    items = read_items(suite, task, folder)
    asked = items[:items_per_task]
    document = _DOCUMENT[task.form]
    documents = [document(task, item, preamble(task, items, i)) for i, item in enumerate(asked)]
    return SuiteTask(task, documents), asked


def task_config(task: Task) -> dict[str, Any]:
    """Return lm-eval's configuration of a task whose documents hold their solved examples."""
    return {
        "task": task.name,
        "test_split": "test",
        "num_fewshot": 0,
        "target_delimiter": task.delimiter,
        **_CONFIG[task.form],
    }


def _choice(task: Task, item: Item, shots: str) -> dict[str, Any]:
    return {"context": shots + item["context"], "choices": item["choices"], "gold": item["gold"]}


def _schema(task: Task, item: Item, shots: str) -> dict[str, Any]:
    contexts = [shots + context for context in item["contexts"]]
    return {"contexts": contexts, "continuation": item["continuation"], "gold": item["gold"]}


def _exact(task: Task, item: Item, shots: str) -> dict[str, Any]:
    # lm-eval puts no delimiter before the target of a plain likelihood request.
    return {"context": shots + item["context"], "target": task.delimiter + item["continuation"]}


def _text(task: Task, item: Item, shots: str) -> dict[str, Any]:
    return {"context": "", "text": item["text"]}


def _metric(*names: str) -> list[dict[str, Any]]:
    return [{"metric": name, "aggregation": "mean", "higher_is_better": True} for name in names]


_DOCUMENT: dict[str, Callable[[Task, Item, str], dict[str, Any]]] = {
    "choice": _choice,
    "schema": _schema,
    "exact": _exact,
    "text": _text,
}
_CONFIG: dict[str, dict[str, Any]] = {
    "choice": {
        "output_type": "multiple_choice",
        "doc_to_text": "context",
        "doc_to_choice": "choices",
        "doc_to_target": "gold",
        "metric_list": _metric("acc", "acc_bytes"),
    },
    # lm-eval tells a schema by an integer text, the position of the right context.
    "schema": {
        "output_type": "multiple_choice",
        "doc_to_text": "gold",
        "doc_to_choice": "contexts",
        "doc_to_target": "continuation",
        "metric_list": _metric("acc"),
    },
    "exact": {
        "output_type": "loglikelihood",
        "doc_to_text": "context",
        "doc_to_target": "target",
        "metric_list": _metric("acc"),
    },
    "text": {
        "output_type": "loglikelihood_rolling",
        "doc_to_text": "context",
        "doc_to_target": "text",
        "metric_list": [
            {"metric": "bits_per_byte", "aggregation": "bits_per_byte", "higher_is_better": False}
        ],
    },
}
