import json
import stat
from pathlib import Path

import pytest

from assay.errors import RemoteError
from assay.remote.servers import Server, find_server, known_servers, remember

ONE = Server("https://one.org", "a", "secret-1")
TWO = Server("https://two.org", "a", "secret-2")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    return tmp_path


def test_nothing_is_known_at_first() -> None:
    assert known_servers() == []
    assert find_server(None) is None


def test_the_last_one_used_is_the_default() -> None:
    remember(ONE)
    remember(TWO)
    assert find_server(None) == TWO
    assert find_server(ONE.url) == ONE
    remember(ONE)
    assert find_server(None) == ONE
    assert known_servers() == [TWO, ONE]


def test_tokens_are_for_their_owner_alone(home: Path) -> None:
    remember(ONE)
    remember(TWO)
    mode = stat.S_IMODE((home / "servers.json").stat().st_mode)
    assert mode == 0o600


@pytest.mark.parametrize("text", ["", "[]", '{"servers": [{"url": 1}]}', '{"servers": 3}'])
def test_a_damaged_file_is_named(home: Path, text: str) -> None:
    (home / "servers.json").write_text(text)
    with pytest.raises(RemoteError, match=r"servers\.json does not hold"):
        known_servers()


def test_the_file_is_plain(home: Path) -> None:
    remember(ONE)
    document = json.loads((home / "servers.json").read_text())
    assert document == {"servers": [{"url": ONE.url, "team": "a", "token": "secret-1"}]}
