"""The whole flow on real image-text pairs in DataComp's layout: build, fork, score three lists."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zstandard

from assay.cli import main
from assay.pool.uid import UID_DTYPE

REAL = Path(__file__).parents[1] / ".." / "shared" / "data"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.slow,
    pytest.mark.skipif(not (REAL / "clip").is_dir(), reason="real data is not here"),
]


def answer(capsys: pytest.CaptureFixture[str], *words: object) -> dict:
    """Run a command with --json and return its document."""
    capsys.readouterr()
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def oracle_uids() -> np.ndarray:
    """Return the ids of the pairs whose caption is their photo's own."""
    compressed = (REAL / "clip" / "pool_truth.jsonl.zst").read_bytes()
    text = zstandard.ZstdDecompressor().decompress(compressed, max_output_size=1 << 28).decode()
    truth = [json.loads(line) for line in text.split("\n") if line]
    hexes = [row["uid"] for row in truth if row["kind"] in ("query", "emoji")]
    return np.array([(int(x[:16], 16), int(x[16:], 16)) for x in hexes], dtype=UID_DTYPE)


@pytest.fixture(scope="module")
def expanded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("real") / "clip"
    subprocess.run([sys.executable, str(REAL / "expand_clip.py"), str(out)], check=True)
    return out


def test_real_pairs_go_through_exactly_the_same_path(
    expanded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    built = answer(
        *(capsys, "pool", "build", expanded / "pool/shards", "--kind", "image-text"),
        *("--metadata", expanded / "pool/metadata", "--verify-sha256", "--name", "photos"),
    )
    assert built["n"] == built["candidates"] == 34_163
    assert answer(capsys, "pool", "verify", "photos")["ok"]
    suite = tmp_path / "suite"
    answer(capsys, "suite", "fetch", "cifar10-emoji", "--mirror", expanded / "eval", "--out", suite)
    forked = answer(capsys, "track", "new", "photos", "--pool", "photos", "--suite", suite)
    assert forked["items"] == {"cifar10": 8000, "emoji": 400}
    np.save(tmp_path / "oracle.npy", np.sort(oracle_uids()))
    there = ("--track", "photos", "--scale", "pico")
    averages = {}
    for method in ("no_filter", "random", "oracle"):
        ids = tmp_path / f"{method}.npy"
        if method != "oracle":
            answer(capsys, "select", method, *there, "--out", ids)
        assert answer(capsys, "validate", ids, *there)["ok"]
        scored = answer(capsys, "score", ids, *there, "threads=1", "progress=false")
        averages[method] = scored["summary"]["average"]["mean"]
    # The gaps of `nano` (see the README) are larger; even this little training sees clean captions.
    assert averages["oracle"] > averages["no_filter"] + 0.01
    assert averages["oracle"] > averages["random"] + 0.01
    (table,) = answer(capsys, "board", "--track", "photos")["tables"]
    assert len(table["rows"]) == 3
    assert table["rows"][0]["estimates"]["average"]["mean"] == averages["oracle"]
