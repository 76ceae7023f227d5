import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def tiny_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An `$ASSAY_HOME` with the track `tiny` in it, made once."""
    from tiny import make_tiny_track

    home = tmp_path_factory.mktemp("template") / "home"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        make_tiny_track(home)
    return home


@pytest.fixture
def tiny_home(tiny_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh copy of it, which is `$ASSAY_HOME` during the test."""
    home = tmp_path / "home"
    shutil.copytree(tiny_template, home)
    monkeypatch.setenv("ASSAY_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def tiny_clip_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An `$ASSAY_HOME` with the track `tiny-clip` in it, made once."""
    from tiny_clip import CONV, make_tiny_clip_track

    home = tmp_path_factory.mktemp("template") / "home"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        make_tiny_clip_track(home, CONV)
    return home


@pytest.fixture
def tiny_clip_home(
    tiny_clip_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A fresh copy of it, which is `$ASSAY_HOME` during the test."""
    home = tmp_path / "home"
    shutil.copytree(tiny_clip_template, home)
    monkeypatch.setenv("ASSAY_HOME", str(home))
    return home
