"""Put a scale's evaluation items where they can be read, generating the embedded ones."""

from pathlib import Path

from assay.artifact import atomic_folder, write_atomic
from assay.foundry import suite_items
from assay.suite.files import suite_folder
from assay.suite.items import items_to_bytes
from assay.track.load import LoadedScale

EMBEDDED_SUITE = "foundry-text"


def open_suite(loaded: LoadedScale) -> Path:
    """Return the folder of the scale's item files, each compared with its digest.

    Raises:
        SuiteError: If a file is absent or does not match.
    """
    folder = loaded.suite_folder
    if loaded.suite.name == EMBEDDED_SUITE and not folder.is_dir():
        with atomic_folder(folder) as partial:
            for name, items in suite_items().items():
                write_atomic(partial / f"{name}.jsonl", items_to_bytes(items))
    return suite_folder(loaded.suite, folder)
