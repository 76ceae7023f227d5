import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_a_wheel_holds_the_package_and_its_data_folders_alone(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    subprocess.run([*pip, *options, str(ROOT)], check=True, capture_output=True, text=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"assay", "assay_board"}
    for folder in ("tracks", "conf", "baselines"):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        shipped = [path for path in files if "__pycache__" not in path.parts]
        wanted = {f"assay/{path.relative_to(ROOT).as_posix()}" for path in shipped}
        assert wanted
        assert wanted <= set(names)
    board = ROOT / "leaderboard" / "assay_board"
    parts = [path for path in board.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    wanted = {f"assay_board/{path.relative_to(board).as_posix()}" for path in parts}
    assert wanted | {"assay_board/RULES.md"} <= set(names)
    assert not [name for name in names if "__pycache__" in name]
