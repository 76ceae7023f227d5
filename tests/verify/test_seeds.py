"""Records whose seed a leaderboard drew: what can be checked before and after its key is published."""

import hmac
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import ledger
from assay.cli import main
from assay.ledger import machine_ledger
from assay.pool import load_pool
from assay.runner.plan import read_plan
from assay.runner.scoring import score_given
from assay.seeds import GivenSeed, epoch_digest, epoch_seed
from assay.settings import Settings
from assay.submission import Manifest, read_submission
from assay.track.load import load
from forgery import detail, folder_of, forged, statuses, verified
from tiny import SCALE, TRACK

KEY = bytes(range(32))
INDEX = 2


@pytest.fixture
def record(tiny_home: Path) -> dict[str, Any]:
    path = tiny_home / "s.npy"
    np.save(path, load_pool("tiny-pool").uids[::3])
    loaded = load(TRACK, SCALE)
    value = epoch_seed(KEY, read_submission(path).digest, loaded.label, INDEX)
    seed = GivenSeed(value, epoch_digest(KEY), INDEX)
    settings = Settings(device="cpu", threads=1, progress=False)
    return score_given(path, loaded, seed, settings=settings, manifest=Manifest(name="third"))


def _commit(**body: str) -> None:
    machine_ledger().append("epoch", {"epoch": epoch_digest(KEY), **body})


def test_from_the_draw_to_the_published_key(record: dict[str, Any], tiny_home: Path) -> None:
    assert record["seed_source"] == {"epoch": epoch_digest(KEY), "index": INDEX}
    assert ledger.read_ledger() == [], "the record is for the leaderboard's ledger"
    plan, _ = read_plan(folder_of(record))
    assert (plan.seed, plan.seed_source) == (record["seed"], record["seed_source"])

    found = verified(record, tiny_home)
    assert statuses(found, "skipped") == ["seed"]
    assert "says nothing" in detail(found, "seed")
    assert found.exit_code == 7
    _commit()
    found = verified(record, tiny_home)
    assert statuses(found, "pending") == ["seed"]
    # What nobody can check yet holds no level back, and is not passed over in silence either.
    assert (found.level, found.exit_code) == ("checkpoint", 7)
    assert "its key is not published yet" in detail(found, "seed")
    _commit(key=KEY.hex())
    found = verified(record, tiny_home)
    assert (found.level, found.exit_code) == ("checkpoint", 0)
    assert detail(found, "seed").startswith(f"{record['seed']} is number 3 of epoch")

    other = forged(record, seed=record["seed"] + 1)
    assert "its key gives" in detail(verified(other, tiny_home), "seed")
    for source in ({"epoch": epoch_digest(KEY), "index": -1}, {"index": 0}, None, "x"):
        found = verified(forged(record, seed_source=source), tiny_home)
        assert "not an epoch and an index" in detail(found, "seed")
    index = forged(record, seed_source={"epoch": epoch_digest(KEY), "index": 0})
    assert "seed" in statuses(verified(index, tiny_home), "failed")


def test_an_entry_is_checked_in_its_own_ledger(
    record: dict[str, Any], tiny_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy of a leaderboard's ledger is enough; this machine's says nothing of its epochs."""
    _commit()
    entry = ledger.append(record)
    _commit(key=KEY.hex())
    copied = tiny_home / "copy"
    (tiny_home / "ledger").rename(copied)
    path = copied / entry.relative_to(tiny_home / "ledger")
    assert main(["verify", str(path), "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["seed"]["status"] == "ok"


@given(
    st.binary(min_size=32, max_size=32),
    st.text(max_size=8),
    st.text(max_size=8),
    st.integers(0, 999),
)
def test_seeds_are_the_first_48_bits_of_the_hmac(
    key: bytes, digest: str, label: str, index: int
) -> None:
    named = f"{digest}\0{label}\0{index}".encode(errors="surrogatepass")
    expected = int(hmac.new(key, named, sha256).hexdigest()[:12], 16)
    assert epoch_seed(key, digest, label, index) == expected < 2**48
