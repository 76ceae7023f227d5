from pathlib import Path

import pytest
import zstandard

from assay.errors import SuiteError
from assay.suite import core, fetch
from assay.suite.fetch import fetch_core, git_blob_id

REAL = Path(__file__).parents[2] / "../shared/data/text/eval"


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A folder laid out like the source, and two tasks that are pinned to what is in it."""
    data = {"a/x": b'{"context":"a","continuation":"b"}\n', "b/y": b"{}\n"}
    tasks = []
    for file, content in data.items():
        path = tmp_path / "mirror" / f"{file}.jsonl"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        tasks += [
            core.CoreTask(file[-1] * n, file, git_blob_id(content), "exact", 0) for n in (1, 2)
        ]
    monkeypatch.setattr(fetch, "CORE", tuple(tasks))
    return f"file://{tmp_path / 'mirror'}", data


def test_a_blob_id_is_gits_own():
    # git hash-object of an empty file, and of "hello\n"
    assert git_blob_id(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert git_blob_id(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_every_file_is_fetched_once_and_compared(mirror, tmp_path):
    url, data = mirror
    paths = fetch_core(tmp_path / "out", url)
    assert {str(p.relative_to(tmp_path / "out")): p.read_bytes() for p in paths} == {
        f"{file}.jsonl": content for file, content in data.items()
    }


def test_what_is_there_is_not_fetched_again_and_what_is_broken_is(mirror, tmp_path):
    url, data = mirror
    first, second = fetch_core(tmp_path / "out", url)
    first.write_bytes(b"broken")
    (tmp_path / "mirror" / "b/y.jsonl").unlink()
    assert fetch_core(tmp_path / "out", url) == [first, second]
    assert first.read_bytes() == data["a/x"]


def test_another_content_than_the_pinned_is_refused_and_not_kept(mirror, tmp_path):
    url, _ = mirror
    (tmp_path / "mirror" / "b/y.jsonl").write_bytes(b"changed upstream\n")
    with pytest.raises(SuiteError, match=r"b/y\.jsonl: expected git blob [0-9a-f]{40}, got"):
        fetch_core(tmp_path / "out", url)
    assert not (tmp_path / "out" / "b/y.jsonl").exists()


def test_an_unreachable_mirror_is_refused_in_one_line(tmp_path):
    with pytest.raises(SuiteError, match=r"cannot be read .*--mirror"):
        fetch_core(tmp_path / "out", f"file://{tmp_path}/nowhere")


@pytest.mark.realdata
def test_the_pins_are_those_of_the_real_files():
    if not REAL.is_dir():
        pytest.skip("no real data here")
    pins = {Path(task.file).name: task.blob for task in core.CORE}
    checked = 0
    for name, blob in pins.items():
        path = REAL / f"{name}.jsonl.zst"
        if path.is_file():
            with path.open("rb") as stream, zstandard.ZstdDecompressor().stream_reader(stream) as r:
                assert git_blob_id(r.read()) == blob, name
            checked += 1
    assert checked == 17
