"""Seal the package's own tracks: `python -m assay.track.seal`, which is what `make seal` runs.

Builds every embedded pool and the embedded suite, writes their digests into the YAML files, then the
digests of all scales into `tracks/SEALS.json`. A sealed version is never changed.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from assay.artifact import write_atomic
from assay.console import say
from assay.errors import UserError
from assay.foundry import documents
from assay.foundry.scenes import scenes
from assay.home import package_folder
from assay.pool.tokenizer import train_tokenizer
from assay.suite.clip.embedded import EMBEDDED_CLIP_SUITE, write_embedded_suite
from assay.suite.clip.files import dump_clip_suite_yaml
from assay.suite.embedded import EMBEDDED_SUITE, embedded_tasks
from assay.suite.files import dump_suite_yaml, write_suite
from assay.track.captions import TOKENIZER_FILE, train_caption_tokenizer
from assay.track.load import list_scales, load, write_seals
from assay.track.pools import open_pool

SUITE_VERSION = 1
TOKENIZER_DOCUMENTS = 8_000
VOCAB_SIZE = 2048
TOKENIZER_PAIRS = 24_000
CAPTION_VOCAB_SIZE = 1024


def seal() -> None:
    """Bring every digest up to date.

    Raises:
        TrackError: If that would change a version that is sealed already.
    """
    tracks = package_folder("tracks")
    own = [pair for pair in list_scales() if (tracks / pair[0]).is_dir()]
    _write_embedded_suite(tracks / "text" / "suites" / f"{EMBEDDED_SUITE}.yaml")
    _write_tokenizer(tracks / "text" / TOKENIZER_FILE)
    _write_clip_suite(tracks / "clip" / "suites" / f"{EMBEDDED_CLIP_SUITE}.yaml")
    _write_caption_tokenizer(tracks / "clip" / TOKENIZER_FILE)
    for track, scale in own:
        loaded = load(track, scale)
        if loaded.spec.pool.size and loaded.spec.pool.root is None:
            _write_root(tracks / track / "scales" / f"{scale}.yaml", open_pool(loaded).root)
    write_seals([load(*pair) for pair in own])
    say(f"sealed {len(own)} scales in {tracks / 'SEALS.json'}")


def _write_embedded_suite(path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="assay-seal-"))
    try:
        suite = write_suite(EMBEDDED_SUITE, SUITE_VERSION, embedded_tasks(), folder / "suite")
        write_atomic(path, dump_suite_yaml(suite).encode())
    finally:
        shutil.rmtree(folder)


def _write_tokenizer(path: Path) -> None:
    """Train the embedded pools' tokenizer once; an existing one is law."""
    if not path.is_file():
        sample = (page.text for page in documents(0, TOKENIZER_DOCUMENTS))
        write_atomic(path, train_tokenizer(sample, VOCAB_SIZE))


def _write_clip_suite(path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="assay-seal-"))
    try:
        suite = write_embedded_suite(folder / "suite", SUITE_VERSION)
        write_atomic(path, dump_clip_suite_yaml(suite).encode())
    finally:
        shutil.rmtree(folder)


def _write_caption_tokenizer(path: Path) -> None:
    """Train the embedded pools' tokenizer of captions once; an existing one is law."""
    if not path.is_file():
        captions = (pair.caption for pair in scenes(0, TOKENIZER_PAIRS))
        write_atomic(path, train_caption_tokenizer(captions, CAPTION_VOCAB_SIZE))


def _write_root(path: Path, root: str) -> None:
    text = path.read_text(encoding="utf-8")
    new, count = re.subn(
        r"(pool: \{name: [^,}]+, (?:documents|pairs): \d+)\}", rf"\1, root: '{root}'}}", text
    )
    assert count == 1, f"{path} does not name its pool on one line"
    write_atomic(path, new.encode())


if __name__ == "__main__":
    try:
        seal()
    except UserError as error:
        sys.exit(f"assay: {error}")
