import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assay.pool import load_pool
from assay.runner.scoring import score_file
from assay.settings import Settings
from assay.submission import Manifest

SETTINGS = Settings(device="cpu", threads=1, progress=False)


def _scored(template: Path, home: Path, pool: str, track: str, scale: str, seeds: int) -> Path:
    """Copy a home and score a third of its pool in it."""
    shutil.copytree(template, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        ids = home / "s.npy"
        np.save(ids, load_pool(pool).uids[::3])
        score_file(
            ids,
            track=track,
            scale=scale,
            seeds=seeds,
            settings=SETTINGS,
            manifest=Manifest(name="third"),
        )
    return home


@pytest.fixture(scope="session")
def text_template(tiny_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which two seeds of a text submission were scored, once."""
    from tiny import SCALE, TRACK

    home = tmp_path_factory.mktemp("scored") / "home"
    return _scored(tiny_template, home, "tiny-pool", TRACK, SCALE, seeds=2)


@pytest.fixture(scope="session")
def clip_template(tiny_clip_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which two seeds of an image-text submission were scored, once."""
    from tiny_clip import SCALE, TRACK

    home = tmp_path_factory.mktemp("scored-clip") / "home"
    return _scored(tiny_clip_template, home, "tiny-pairs-200", TRACK, SCALE, seeds=2)


@pytest.fixture
def text_home(text_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return _copied(text_template, tmp_path, monkeypatch)


@pytest.fixture
def clip_home(clip_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return _copied(clip_template, tmp_path, monkeypatch)


def _copied(template: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = folder / "home"
    shutil.copytree(template, home)
    monkeypatch.setenv("ASSAY_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Leave torch's threads as they were: settings of a record change them."""
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
