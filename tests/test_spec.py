from dataclasses import dataclass
from typing import Literal

import pytest

from assay.errors import TrackError
from assay.spec import load_yaml, parse, plain


@dataclass(frozen=True)
class Inner:
    lr: float
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    inner: Inner
    kind: Literal["a", "b"]
    count: int = 1
    clip: float | None = None


GOOD = {"inner": {"lr": 0.1, "names": ["x"]}, "kind": "a", "clip": 1}


def test_a_value_survives_the_round_trip() -> None:
    value = parse(Outer, GOOD, "f")
    assert value == Outer(Inner(0.1, ("x",)), "a", 1, 1.0)
    assert parse(Outer, plain(value), "f") == value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inner": {"lr": "3e-3"}}, r"f\.inner\.lr: expected float, got '3e-3' \(str\)"),
        ({"kind": "c"}, r"f\.kind: expected one of a, b, got 'c'"),
        ({"count": 1.5}, r"f\.count: expected int"),
        ({"count": True}, r"f\.count: expected int"),
        ({"counts": 1}, r"f: unknown key 'counts'; known are inner, kind, count, clip"),
        ({"inner": {}}, r"f\.inner: key 'lr' is missing"),
        ({"inner": [1]}, r"f\.inner: expected a mapping"),
        ({"inner": {"lr": 1.0, "names": ["x", 2]}}, r"f\.inner\.names\[1\]: expected str"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(change: dict, message: str) -> None:
    with pytest.raises(TrackError, match=message):
        parse(Outer, GOOD | change, "f")


def test_a_key_given_twice_is_refused(tmp_path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("lr: 1.0\nlr: 2.0\n")
    with pytest.raises(TrackError, match="'lr' is given twice"):
        load_yaml(path)
