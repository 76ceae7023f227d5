"""The suite that the package generates: same items on every machine, written where they are needed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.suite.files import suite_folder, write_suite
from assay.suite.items import Item, infer_form
from assay.suite.spec import Suite

EMBEDDED_SUITE = "foundry-text"


def embedded_tasks() -> dict[str, tuple[list[Item], dict[str, Any]]]:
    """Return the foundry's items with the fields of their tasks, as `write_suite` takes them."""
    from assay.foundry import suite_items

    return {name: (items, _fields(name, items)) for name, items in suite_items().items()}


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
        except OSError:
            # Another process finished first: a folder appears whole or not at all.
            if not folder.exists():
                raise
    return suite_folder(suite, folder)


def _fields(name: str, items: Sequence[Item]) -> dict[str, Any]:
    form = infer_form(items[0])
    fields: dict[str, Any] = {"group": name.split("_")[0], "form": form}
    if form == "choice" and not any(item["context"] for item in items):
        # Minimal pairs: whole sentences of nearly equal length, with nothing before them.
        fields |= {"delimiter": "", "normalization": "none"}
    return fields
