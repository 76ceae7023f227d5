"""Data-mixture laws over the runs of a ledger."""

import csv
from pathlib import Path

import numpy as np
import pytest

from assay.cli import main
from assay.compare.mixture import fit_mixture, fit_runs
from assay.compare.runs import MixtureRun
from assay.pool import Pool
from assay.stats.laws import d_cpt_loss
from assay.submission import read_submission

AT = ["--track", "tiny", "--scale", "pico"]
LAW = ["compare", "--law", "d-cpt", "--track", "tiny", "--scales", "pico"]
TRUE = {
    "E": 0.8,
    "A": 0.6,
    "alpha": 0.5,
    "B": 0.3,
    "eta": 0.4,
    "beta": 0.3,
    "C": 0.05,
    "epsilon": 0.02,
    "gamma": 0.5,
}


def planted() -> list[MixtureRun]:
    """Runs that follow a law, and one that has nothing of the domain."""
    grid = [(n, d, r) for n in (2e6, 8e6) for d in (1e8, 1e9) for r in (0.05, 0.2, 0.6)]
    arrays = (np.array(column) for column in zip(*grid, strict=True))
    losses = d_cpt_loss(TRUE, *arrays).tolist()
    runs = [
        MixtureRun("a", "s", seed, int(n), int(d), r, loss)
        for seed, ((n, d, r), loss) in enumerate(zip(grid, losses, strict=True))
    ]
    return [*runs, MixtureRun("none", "s", 0, 2_000_000, 10**8, 0.0, 9.0)]


def test_runs_and_their_table_give_one_fit(tmp_path: Path) -> None:
    runs = planted()
    found = fit_runs(runs, "here")
    path = tmp_path / "runs.csv"
    lines = [f"{run.params},{run.tokens},{run.ratio},{run.loss}" for run in runs[:-1]]
    path.write_text("\n".join(["params,tokens,ratio,loss", *lines]))
    assert found == fit_mixture(path, "d-cpt")
    assert found.fit is not None
    assert found.fit.n == 12
    assert found.fit.rmse < 0.01


def test_the_ledger_is_read_and_written_as_a_table(
    tiny_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = Pool.open("tiny-pool")
    hosts = np.array(pool.column("host").to_pylist())
    host = max(set(hosts.tolist()), key=hosts.tolist().count)
    expected = []
    for seed in ("1", "2"):
        ids = tmp_path / f"{seed}.npy"
        chosen = ["--seed", seed, "--set", "fraction=0.5", "--name", f"list {seed}"]
        assert main(["select", "random", *AT, "--out", str(ids), *chosen]) == 0
        assert main(["score", str(ids), *AT, "progress=false"]) == 0
        rows = np.isin(pool.uids, read_submission(ids).stages[0].uids)
        tokens = np.asarray(pool.n_tokens, dtype=np.int64)
        expected.append(tokens[rows & (hosts == host)].sum() / tokens[rows].sum())
    table = tmp_path / "runs.csv"
    own = ["--domain", f'host == "{host}"', "--loss", "heldout_clean", "--csv", str(table)]
    capsys.readouterr()
    assert main([*LAW, *own]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "has 2 runs with the domain; the law needs 10" in error
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["submission"] for row in rows] == ["list 1", "list 2"]
    assert [float(row["ratio"]) for row in rows] == pytest.approx(expected)
    for words, message in (
        (["--domain", 'host == "x"', "--loss", "nothing"], "no record has a task 'nothing'"),
        (["--domain", "nothing > 1", "--loss", "heldout_clean"], "nothing"),
        (["--domain", 'host == "x"'], "three options together"),
        (["--domain", 'host == "x"', "--loss", "heldout_clean", "mine"], "leave out names"),
    ):
        assert main([*LAW, *words]) == 2
        error = capsys.readouterr().err.strip().splitlines()
        assert message in error[-1]
