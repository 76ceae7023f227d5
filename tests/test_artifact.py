import pytest

from assay.artifact import atomic_file, atomic_folder, write_atomic


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path) -> None:
    path = tmp_path / "a.json"
    write_atomic(path, b"old")

    def fail() -> None:
        with atomic_file(path) as stream:
            stream.write(b"half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path) -> None:
    def fill(fail: bool) -> None:
        with atomic_folder(tmp_path / "out") as partial:
            write_atomic(partial / "x", b"1")
            assert not (tmp_path / "out").exists()
            if fail:
                raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fill(fail=True)
    assert list(tmp_path.iterdir()) == []
    fill(fail=False)
    assert (tmp_path / "out" / "x").read_bytes() == b"1"
