import errno
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assay.cli import COMMANDS, main
from assay.errors import AssayError, UserError
from assay.pool import Pool
from tiny import SCALE, TRACK

HEAVY = ("torch", "transformers", "lm_eval", "datasets", "hydra", "pyarrow", "accelerate")


@pytest.mark.parametrize("words", [["--help"], *([verb, "--help"] for verb in COMMANDS)])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom assay.cli import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"
    assert "usage: assay" in done.stdout


VERBS = [
    *([verb] for verb in COMMANDS),
    *(["pool", verb] for verb in ("build", "show", "verify")),
    *(["suite", verb] for verb in ("build", "fetch", "list")),
    ["track", "new"],
]


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_every_verb_shows_an_example(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main([*words, "--help"])
    assert done.value.code == 0
    example = capsys.readouterr().out.split("example")[-1]
    assert f"assay {' '.join(words)}" in " ".join(example.split())


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "/x/s"),
            2,
            "Permission denied: /x/s; ",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "No space left on device; free some"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "/x"), 2, "name a file"),
        (TimeoutError(), 2, "TimeoutError; for details, add -v"),
        (AssayError("broken"), 1, "assay: broken"),
        (UserError("bad"), 2, "assay: bad"),
    ],
)
def test_what_goes_wrong_is_one_line_and_a_code(
    error: Exception,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(args: object) -> int:
        raise error

    monkeypatch.setattr("assay.cli.pools.run", fail)
    assert main(["pools"]) == code
    line = capsys.readouterr().err
    assert line.startswith("assay: ")
    assert said in line
    assert line.count("\n") == 1
    assert main(["pools", "-v"]) == code
    assert "Traceback" in capsys.readouterr().err


def test_a_home_that_is_a_file_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home").write_text("")
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    assert main(["pool", "build", str(tmp_path / "a.jsonl"), "--name", "x"]) == 2
    assert "ASSAY_HOME" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("verb", ["validate", "score"])
@pytest.mark.parametrize("path", [".", "/"])
def test_a_folder_is_no_submission(
    verb: str, path: str, tiny_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, path, "--track", TRACK, "--scale", SCALE]) == 2
    said = capsys.readouterr()
    assert "F1" in said.out + said.err
    assert "assay select" in said.out + said.err


@pytest.mark.parametrize(
    "words", [["nonsense"], ["score"], ["board", "--format", "xml"], ["board", "device=cpu"]]
)
def test_a_command_line_that_makes_no_sense_exits_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(words)
    assert done.value.code == 2


def test_tracks_lists_every_scale_with_its_seal(
    tiny_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tracks", "--json"]) == 0
    tracks = json.loads(capsys.readouterr().out)["tracks"]
    names = [f"{about['track']}/{about['scale']}" for about in tracks]
    ladder = ["pico", "nano", "micro", "mini"]
    twins = [f"{scale}{twin}" for scale in ladder for twin in ("", "-low-lr")]
    for track, scales in (("text", twins), ("clip", ladder)):
        found = [name for name in names if name.startswith(track)]
        assert found[: len(scales)] == [f"{track}/{scale}" for scale in scales]
    assert names[-1] == f"{TRACK}/{SCALE}"
    assert all(about["sealed"] for about in tracks)
    assert main(["tracks"]) == 0
    assert "text/7b-2x" in capsys.readouterr().out


def test_doctor_finds_this_machine_fit(tiny_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"]
    assert {"torch", "lm_eval", "cpu", "seals"} <= {check["name"] for check in document["checks"]}


def test_doctor_says_when_the_home_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from assay import doctor

    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    (found,) = [check for check in doctor.examine() if check.name == "ASSAY_HOME"]
    assert found.ok is False
    assert "export ASSAY_HOME" in found.fix


@pytest.mark.slow
def test_curves_go_to_wandb_offline_when_asked(
    tiny_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("wandb")
    ids = tmp_path / "s.npy"
    np.save(ids, Pool.open("tiny-pool").uids[::3])
    words = [
        "score",
        ids,
        "--track",
        TRACK,
        "--scale",
        SCALE,
        "--json",
        "logging=wandb",
        "progress=false",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "assay", *map(str, words)],
        capture_output=True,
        text=True,
        check=True,
    )
    json.loads(done.stdout)
    assert list(tiny_home.glob("runs/*/wandb/offline-run-*/*.wandb"))


def test_nothing_is_written_into_the_working_folder(
    tiny_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = tmp_path / "s.npy"
    np.save(ids, Pool.open("tiny-pool").uids[::3])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert main(["score", str(ids), "--track", TRACK, "--scale", SCALE, "progress=false"]) == 0
    assert main(["tracks"]) == 0
    assert list(elsewhere.iterdir()) == []
