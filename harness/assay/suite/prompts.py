"""Few-shot prompts: solved examples from the item's own file, as DCLM draws them."""

from collections.abc import Sequence

from assay.foundry.draw import Draw
from assay.suite.items import Item
from assay.suite.spec import Task

EXAMPLE_DELIMITER = "\n"
"""What ends a solved example (llm-foundry's default, which DCLM keeps)."""


def preamble(task: Task, items: Sequence[Item], index: int) -> str:
    """Return the solved examples that precede an item, or an empty text for none.

    A pure function of the task's name, its items and the index, so that evaluating fewer items
    changes no prompt. An item equal to the one asked is never shown, whatever its position.

    Args:
        task: Says how many; needs more different items than shots.
        items: All items of the file, not only those that are evaluated.
        index: Position of the item that is asked.
    """
    draw = Draw(f"shots/{task.name}", index)
    drawn: list[int] = []
    while len(drawn) < task.shots:
        candidate = draw.below(len(items))
        if candidate not in drawn and items[candidate] != items[index]:
            drawn.append(candidate)
    return "".join(_solved(task, items[i]) + EXAMPLE_DELIMITER for i in drawn)


def _solved(task: Task, item: Item) -> str:
    if task.form == "choice":
        return item["context"] + task.delimiter + item["choices"][item["gold"]]
    if task.form == "schema":
        return item["contexts"][item["gold"]] + task.delimiter + item["continuation"]
    assert task.form == "exact", f"{task.form} has no solved examples"
    return item["context"] + task.delimiter + item["continuation"]
