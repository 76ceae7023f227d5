"""A hidden suite: fixed before anybody sees it, and nothing else afterwards."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from assay.cli import main
from assay.errors import LedgerError
from assay.ledger import Ledger, commit_suite, machine_ledger, reveal_suite, verify_ledger
from assay.ledger.body import suite_commitment
from assay.spec import plain
from assay.suite import Suite
from assay.suite.files import write_suite

ITEMS = [{"context": f"The {n}", "choices": ["yes", "no"], "gold": n % 2} for n in range(4)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "hidden"
    write_suite("hidden", 1, {"nobody-knows": (ITEMS, {"group": "a", "form": "choice"})}, path)
    return path


@pytest.fixture
def suite(folder: Path) -> Suite:
    from assay.suite.files import load_suite

    return load_suite(folder)


def test_a_commitment_says_nothing_and_a_reveal_everything(
    folder: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["suite", "commit", str(folder), "--json"]) == 0
    committed = json.loads(capsys.readouterr().out)
    assert committed["body"].keys() == {"suite"}
    (salt,) = (home / "keys" / "suites").glob("[0-9a-f]*")
    assert stat.S_IMODE(salt.stat().st_mode) == 0o600
    assert main(["suite", "reveal", str(folder), "--json"]) == 0
    revealed = json.loads(capsys.readouterr().out)["body"]
    assert revealed["definition"]["tasks"][0]["name"] == "nobody-knows"
    found = suite_commitment(bytes.fromhex(revealed["salt"]), revealed["definition"])
    assert found == committed["body"]["suite"] == revealed["suite"]
    assert verify_ledger(machine_ledger().folder).ok
    assert main(["ledger", "show", "--kind", "suite"]) == 0
    shown = capsys.readouterr().out
    assert "committed" in shown
    assert "revealed: hidden@1" in shown


def test_two_commitments_to_one_suite_differ(suite: Suite, home: Path) -> None:
    first = commit_suite(machine_ledger(), suite).body["suite"]
    (salt,) = (home / "keys" / "suites").glob("[0-9a-f]*")
    salt.unlink()
    assert commit_suite(machine_ledger(), suite).body["suite"] != first


def test_a_commitment_that_was_killed_before_its_entry_is_made_again(
    suite: Suite, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", die)
        with pytest.raises(KeyboardInterrupt):
            commit_suite(machine_ledger(), suite)
    (salt,) = (home / "keys" / "suites").glob("[0-9a-f]*")
    assert commit_suite(machine_ledger(), suite).body["suite"] == f"sha256:{salt.name}"
    assert list((home / "keys" / "suites").iterdir()) == [salt]


def test_only_what_was_committed_to_is_revealed_and_once(suite: Suite) -> None:
    with pytest.raises(LedgerError, match="nobody committed to hidden@1"):
        reveal_suite(machine_ledger(), suite)
    commit_suite(machine_ledger(), suite)
    with pytest.raises(LedgerError, match="was committed to as"):
        commit_suite(machine_ledger(), suite)
    other = replace(suite, tasks=(replace(suite.tasks[0], num_items=3),))
    with pytest.raises(LedgerError, match="as it is now"):
        reveal_suite(machine_ledger(), other)
    body = reveal_suite(machine_ledger(), suite).body
    with pytest.raises(LedgerError, match="is revealed"):
        reveal_suite(machine_ledger(), suite)
    for wrong in (
        body | {"definition": plain(other)},
        body | {"salt": "00"},
        body | {"salt": "zz"},
        {"suite": body["suite"], "salt": body["salt"]},
    ):
        with pytest.raises(LedgerError, match="not the suite of commitment"):
            machine_ledger().append("suite", wrong)
