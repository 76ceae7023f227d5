"""Strategies: loading files that anybody wrote, settings, running, and who may see the truth."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import assay.strategy.load
import assay.strategy.run
from assay.errors import StrategyError, SubmissionError
from assay.pool import Pool, build_pool
from assay.pool.manifest import truth_path
from assay.strategy import (
    PoolView,
    list_strategies,
    load_strategy,
    manifest_of,
    parse_settings,
    run_strategy,
)
from assay.submission.manifest import check_manifest
from assay.track.spec import Budget, PoolRef

MINE = '''"""Mine: the shortest ones.

More words.
"""

import numpy as np


def select(pool, *, seed: int, fraction: float = 1, count: int = 3, shout: bool = False, mode: str = "a"):
    assert seed >= 0
    return pool.uids[np.argsort(pool.n_bytes)[:count]]
'''


@pytest.fixture(scope="module")
def pool(tmp_path_factory) -> Pool:
    folder = tmp_path_factory.mktemp("strategy")
    lines = [json.dumps({"text": "word " * (i + 1), "url": f"http://h/{i}"}) for i in range(20)]
    (folder / "documents.jsonl").write_text("\n".join(lines))
    return build_pool([str(folder / "documents.jsonl")], folder / "pool", vocab_size=300)


def write(folder: Path, body: str, name: str = "mine.py") -> str:
    (folder / name).write_text(body)
    return str(folder / name)


def body(function: str, head: str = '"""Mine."""\n') -> str:
    return f"{head}\n{function}\n"


def run(path: str, pool: Pool, words: tuple[str, ...] = (), seed: int = 0):
    strategy = load_strategy(path, "text")
    settings = parse_settings(strategy, words)
    return run_strategy(
        strategy, pool, budget=Budget(1000, "tokens", 10), seed=seed, settings=settings
    )


def test_a_file_of_ones_own_is_loaded_and_run(tmp_path, pool):
    path = write(tmp_path, MINE)
    strategy = load_strategy(path, "text")
    assert (strategy.name, strategy.summary) == ("mine", "Mine: the shortest ones.")
    assert strategy.defaults == {"fraction": 1.0, "count": 3, "shout": False, "mode": "a"}
    outcome = run(path, pool, ("count=2",))
    shortest = np.sort(np.argsort(pool.n_bytes)[:2])
    assert np.array_equal(outcome.submission.stages[0].uids, pool.uids[shortest])
    assert outcome.seconds >= 0
    assert not list(tmp_path.glob("__pycache__"))


def test_a_strategy_may_return_any_form_of_submission(tmp_path, pool):
    function = (
        "from assay.submission import staged, submission_of\n"
        "def select(pool, *, seed):\n"
        "    first = submission_of(pool.uids[:5], repeats=[2] * 5)\n"
        "    return staged([(0.8, first), (0.2, submission_of(pool.uids[5:]))])"
    )
    assert run(write(tmp_path, body(function)), pool).submission.form == "staged"


def test_a_strategy_sees_everything_public(tmp_path, pool):
    function = (
        "def select(pool, *, seed):\n"
        "    rows = [row for rows, batch in pool.scan(('url',)) for row in rows.tolist()]\n"
        "    assert sorted(rows) == list(range(pool.n))\n"
        "    assert all(text.startswith('word') for text in pool.texts())\n"
        "    assert len(list(pool.texts(rows[:3]))) == 3\n"
        "    assert len(pool.tokens(0)) == pool.n_tokens[0] and pool.num_tokens > 0\n"
        "    assert 'url' in pool.column_names and len(pool.column('url')) == pool.n\n"
        "    assert pool.tokens_seen == 1000\n"
        "    return pool.uids"
    )
    assert run(write(tmp_path, body(function)), pool).submission.n == pool.n


def test_a_view_has_no_way_to_the_truth(pool):
    public = [name for name in dir(PoolView(pool, 1)) if not name.startswith("_")]
    assert public == [
        *("column", "column_names", "n", "n_bytes", "n_tokens", "num_tokens"),
        *("reference", "scan", "signal", "texts", "tokens", "tokens_seen", "uids"),
    ]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def select(pool, *, seed): pass", "docstring"),
        ('"""Mine."""', "no function `select`"),
        ('"""Mine."""\nselect = 3', "no function `select`"),
        ('"""Mine."""\ndef select(pool): pass', "seed"),
        ('"""Mine."""\ndef select(seed, pool): pass', "takes a pool"),
        ('"""Mine."""\ndef select(pool, *, seed, x): pass', "parameter x needs a default"),
        ('"""Mine."""\ndef select(pool, *, seed, x=None): pass', "parameter x needs a default"),
        ('"""Mine."""\n\nimport no_such_module', "line 3: ModuleNotFoundError"),
        ('"""Mine."""\ndef select(:', "line 2: SyntaxError"),
        ("\0", "SyntaxError"),
    ],
)
def test_a_file_that_is_no_strategy_is_refused_with_what_is_missing(tmp_path, source, message):
    with pytest.raises(StrategyError, match=message):
        load_strategy(write(tmp_path, source), "text")


def test_an_absent_file_is_refused():
    with pytest.raises(StrategyError, match="No such file"):
        load_strategy("nowhere/mine.py", "text")


def test_a_misspelt_name_gets_a_suggestion_and_the_list():
    with pytest.raises(StrategyError, match=r"did you mean 'random'.*no_filter") as caught:
        load_strategy("randon", "text")
    assert "path/to/mine.py" in str(caught.value)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("count", "key=value"),
        ("cuont=3", "did you mean 'count'.*fraction=1.0, count=3"),
        ("count=3.5", "type int, got '3.5'"),
        ("fraction=lots", "type float"),
        ("fraction=nan", "finite"),
        ("shout=yes", "true or false"),
        ("seed=3", "no parameter 'seed'"),
    ],
)
def test_settings_are_checked_against_the_signature(tmp_path, word, message):
    strategy = load_strategy(write(tmp_path, MINE), "text")
    with pytest.raises(StrategyError, match=message):
        parse_settings(strategy, [word])


def test_settings_take_the_types_of_the_defaults(tmp_path):
    strategy = load_strategy(write(tmp_path, MINE), "text")
    words = ["fraction=2", "count=7", "shout=true", "mode=b=c"]
    assert parse_settings(strategy, words) == {
        "fraction": 2.0,
        "count": 7,
        "shout": True,
        "mode": "b=c",
    }


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("None", "returned NoneType"),
        ("[1, 2]", "returned list"),
        ("pool.n_tokens", "returned int32; it returns ids, such as pool.uids"),
        ("1 / 0", "mine.py line 3: ZeroDivisionError"),
    ],
)
def test_what_is_no_submission_is_refused(tmp_path, pool, returned, message):
    path = write(tmp_path, body(f"def select(pool, *, seed): return {returned}"))
    with pytest.raises(StrategyError, match=message):
        run(path, pool)


def test_a_strategy_for_image_text_pairs_is_refused_on_documents(tmp_path, pool):
    head = '"""Pairs."""\nfrom assay.strategy import PairView'
    path = write(tmp_path, body("def select(pool: PairView, *, seed): return pool.uids[:1]", head))
    with pytest.raises(StrategyError, match=r"chooses among image-text pairs .* holds documents"):
        run(path, pool)


def test_a_missing_library_is_named_with_its_install_command(tmp_path, pool):
    path = write(tmp_path, body("def select(pool, *, seed):\n    import no_such_library"))
    with pytest.raises(StrategyError, match=r"line 4: .*no_such_library.*pip install"):
        run(path, pool)


def test_a_strategy_that_repeats_an_id_is_refused_by_the_rules_of_submissions(tmp_path, pool):
    path = write(tmp_path, body("def select(pool, *, seed): return pool.uids[[0, 0]]"))
    with pytest.raises(SubmissionError) as caught:
        run(path, pool)
    assert caught.value.rule == "S3"


TRUTHFUL = body(
    "def select(pool, *, seed, truth): return pool.uids[truth['quality'].to_numpy() > 0.5]"
)


def test_a_participants_file_is_not_given_the_truth(tmp_path):
    with pytest.raises(StrategyError, match="hidden ground truth"):
        load_strategy(write(tmp_path, TRUTHFUL), "text")


def test_a_link_into_the_baselines_folder_is_no_way_around(tmp_path, monkeypatch):
    own = tmp_path / "baselines"
    (own / "text").mkdir(parents=True)
    monkeypatch.setattr(assay.strategy.load, "package_folder", lambda name: tmp_path / name)
    outside = write(tmp_path, TRUTHFUL, "outside.py")
    (own / "text" / "linked.py").symlink_to(outside)
    with pytest.raises(StrategyError, match="hidden ground truth"):
        load_strategy("linked", "text")


def test_the_packages_own_files_are_given_the_truth_of_an_embedded_pool(
    tmp_path, monkeypatch, pool
):
    (tmp_path / "baselines" / "text").mkdir(parents=True)
    write(tmp_path / "baselines" / "text", TRUTHFUL, "knowing.py")
    monkeypatch.setattr(assay.strategy.load, "package_folder", lambda name: tmp_path / name)
    with pytest.raises(StrategyError, match="no ground truth"):
        run("knowing", pool)
    quality = pa.array(np.linspace(0, 1, pool.n))
    pq.write_table(pa.table({"quality": quality}), truth_path(pool.path))
    assert run("knowing", pool).submission.n == pool.n // 2
    truth_path(pool.path).unlink()


def test_a_missing_or_damaged_truth_says_how_to_get_it_back(tmp_path, monkeypatch, pool):
    (tmp_path / "baselines" / "text").mkdir(parents=True)
    write(tmp_path / "baselines" / "text", TRUTHFUL, "knowing.py")
    monkeypatch.setattr(assay.strategy.load, "package_folder", lambda name: tmp_path / name)
    embedded = PoolRef(pool.name, pool.root, pool.n)
    monkeypatch.setattr(assay.strategy.run, "embedded_pools", lambda: [embedded])
    again = f"remove the folder {pool.path} and run the same command again"
    with pytest.raises(StrategyError, match=f"is missing; {again}"):
        run("knowing", pool)
    path = truth_path(pool.path)
    try:
        path.write_bytes(b"PAR1 but cut short")
        with pytest.raises(StrategyError, match=again):
            run("knowing", pool)
        pq.write_table(pa.table({"quality": [0.5]}), path)
        with pytest.raises(StrategyError, match=f"1 rows for 20 examples; {again}"):
            run("knowing", pool)
    finally:
        path.unlink()


def test_the_manifest_says_how_the_list_was_made(tmp_path, pool):
    strategy = load_strategy(write(tmp_path, MINE), "text")
    settings = parse_settings(strategy, ["count=2"])
    outcome = run_strategy(strategy, pool, budget=Budget(1, "tokens", 1), seed=5, settings=settings)
    made = manifest_of(strategy, outcome, pool, seed=5, settings=settings)
    _, findings = check_manifest(made)
    assert findings == []
    assert made["strategy"]["parameters"]["count"] == 2
    assert (made["strategy"]["seed"], made["strategy"]["pool_root"]) == (5, pool.root)
    assert made["strategy"]["digest"] == strategy.digest


def test_the_names_of_the_package_are_listed():
    assert {"random", "no_filter", "oracle"} <= set(list_strategies("text"))
