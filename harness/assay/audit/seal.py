"""Seal the indexes of the package's own suites beside them: `python -m assay.audit.seal`, part of `make seal`."""

import tempfile
from pathlib import Path

from assay.artifact import write_atomic
from assay.audit import images, ngrams
from assay.audit.index_folder import MANIFEST_FILE, sealed_manifest
from assay.console import say
from assay.suite.clip import ClipSuite
from assay.suite.clip.embedded import prepare_clip_suite
from assay.suite.embedded import prepare_suite
from assay.track.load import LoadedScale, load

EMBEDDED = (("text", "pico"), ("clip", "pico"))
"""Scales that ask the embedded suites."""


def index_manifest(loaded: LoadedScale) -> bytes:
    """Build the index of a scale's suite anew and return its manifest."""
    suite, folder = loaded.suite, loaded.suite_folder
    with tempfile.TemporaryDirectory(prefix="assay-index-") as staging:
        path = Path(staging) / "index"
        if isinstance(suite, ClipSuite):
            images.write_index(path, suite, prepare_clip_suite(suite, folder))
        else:
            ngrams.write_index(path, suite, prepare_suite(suite, folder))
        return (path / MANIFEST_FILE).read_bytes()


def seal() -> None:
    """Write the manifests."""
    for pair in EMBEDDED:
        loaded = load(*pair)
        path = sealed_manifest(loaded.folder, loaded.suite.name)
        write_atomic(path, index_manifest(loaded))
        say(f"sealed {path}")


if __name__ == "__main__":
    seal()
