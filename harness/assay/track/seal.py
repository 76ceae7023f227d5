"""Seal the package's own tracks: `python -m assay.track.seal`, which is what `make seal` runs.

Builds every embedded pool and the embedded suite, writes their digests into the YAML files, then the
digests of all scales into `tracks/SEALS.json`. A sealed version is never changed.
"""

import re
import sys
import tempfile
from collections.abc import Callable
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
    _write_suite(tracks / "text" / "suites" / f"{EMBEDDED_SUITE}.yaml", _text_suite)
    _write_tokenizer(tracks / "text" / TOKENIZER_FILE, _text_tokenizer)
    _write_suite(tracks / "clip" / "suites" / f"{EMBEDDED_CLIP_SUITE}.yaml", _clip_suite)
    _write_tokenizer(tracks / "clip" / TOKENIZER_FILE, _caption_tokenizer)
    for track, scale in own:
        loaded = load(track, scale)
        if loaded.spec.pool.size and loaded.spec.pool.root is None:
            _write_root(tracks / track / "scales" / f"{scale}.yaml", open_pool(loaded).root)
    write_seals([load(*pair) for pair in own])
    say(f"sealed {len(own)} scales in {tracks / 'SEALS.json'}")


def _text_suite(folder: Path) -> str:
    return dump_suite_yaml(write_suite(EMBEDDED_SUITE, SUITE_VERSION, embedded_tasks(), folder))


def _clip_suite(folder: Path) -> str:
    return dump_clip_suite_yaml(write_embedded_suite(folder, SUITE_VERSION))


def _write_suite(path: Path, seal_into: Callable[[Path], str]) -> None:
    """Generate an embedded suite in a folder that does not stay, and keep its definition."""
    with tempfile.TemporaryDirectory(prefix="assay-seal-") as folder:
        write_atomic(path, seal_into(Path(folder) / "suite").encode())


def _text_tokenizer() -> bytes:
    sample = (page.text for page in documents(0, TOKENIZER_DOCUMENTS))
    return train_tokenizer(sample, VOCAB_SIZE)


def _caption_tokenizer() -> bytes:
    captions = (pair.caption for pair in scenes(0, TOKENIZER_PAIRS))
    return train_caption_tokenizer(captions, CAPTION_VOCAB_SIZE)


def _write_tokenizer(path: Path, train: Callable[[], bytes]) -> None:
    """Train an embedded pool's tokenizer once; an existing one is law."""
    if not path.is_file():
        write_atomic(path, train())


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
