"""The suite that the package generates: same items on every machine, written where they are needed."""

from pathlib import Path
from typing import Any

from assay.errors import SuiteError
from assay.suite.files import suite_folder, write_suite
from assay.suite.items import Item
from assay.suite.spec import Suite

EMBEDDED_SUITE = "foundry-text"


def embedded_tasks() -> dict[str, tuple[list[Item], dict[str, Any]]]:
    """Return the foundry's items with the fields of their tasks, as `write_suite` takes them."""
    from assay.foundry import TASKS, suite_items

    items = suite_items()
    tasks: dict[str, tuple[list[Item], dict[str, Any]]] = {}
    for card in TASKS:
        # Minimal pairs are whole texts: nothing stands before them, not even a space.
        bare = card.form == "choice" and not any(item["context"] for item in items[card.name])
        fields = {
            "group": card.group,
            "form": card.form,
            "delimiter": "" if bare else " ",
            "normalization": card.normalization,
            "description": card.description,
        }
        tasks[card.name] = (items[card.name], fields)
    return tasks


def prepare_suite(suite: Suite, folder: Path) -> Path:
    """Return the folder of a suite's item files, verified; the embedded suite is generated first.

    Args:
        suite: As sealed.
        folder: Where its files are; for the embedded suite, where they are or will be.

    Raises:
        SuiteError: If a file is absent or does not match its digest.
    """
    if suite.name == EMBEDDED_SUITE and not folder.exists():
        try:
            write_suite(suite.name, suite.version, embedded_tasks(), folder)
        except (OSError, SuiteError):
            # Another process finished first: a folder appears whole or not at all.
            if not folder.exists():
                raise
    return suite_folder(suite, folder)
