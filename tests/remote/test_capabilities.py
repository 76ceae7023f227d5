from pathlib import Path

import httpx
import pytest

from assay.errors import RemoteError
from assay.remote.capabilities import describe_worker
from assay.remote.client import Client
from assay.track.load import load

RANKED = [
    ("text", "pico"),
    ("text", "nano"),
    ("text", "mini"),
    ("text", "7b-2x"),
    ("clip", "small"),
    ("tiny", "pico"),
]


def _client(**seals: str) -> Client:
    """Return a client of a server that ranks some of this machine's scales, a few under other seals."""
    items = [
        {"track": t, "scale": s, "seal": seals.get(f"{t}_{s}", load(t, s).seal)} for t, s in RANKED
    ]
    items.append({"track": "music", "scale": "nano", "seal": "sha256:0"})
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json={"items": items, "next": None}))
    return Client("http://b", transport=answer)


def _names(found: dict) -> set[str]:
    return {f"{one['track']}/{one['scale']}" for one in found["tracks"]}


def test_a_cpu_takes_what_is_made_for_cpus(tiny_home: Path) -> None:
    names = _names(describe_worker(_client(), "cpu", []))
    assert {"text/pico", "text/nano", "tiny/pico"} == names


def test_what_nobody_measured_on_a_cpu_is_taken_only_where_it_is_named(tiny_home: Path) -> None:
    assert "text/mini" not in _names(describe_worker(_client(), "cpu", ["text"]))
    assert "text/mini" in _names(describe_worker(_client(), "cpu", ["text/mini"]))
    assert "text/mini" in _names(describe_worker(_client(), "cuda", []))


def test_another_seal_is_left_out(tiny_home: Path) -> None:
    found = describe_worker(_client(text_pico="sha256:" + "0" * 64), "cpu", ["text"])
    assert "text/pico" not in _names(found)
    assert all(name.startswith("text/") for name in _names(found))
    assert found["software"]["torch"]


def test_what_was_named_is_taken(tiny_home: Path) -> None:
    assert _names(describe_worker(_client(), "cpu", ["text/nano", "tiny"])) == {
        "text/nano",
        "tiny/pico",
    }


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (["music"], "music/nano is not known here"), (["opera"], "it ranks no opera"),
        (["text/pico"], "text/pico is under seal 000000000000 there"), (["text/7b-2x"], "the pool of text/7b-2x"),
    ],
)  # fmt: skip
def test_nothing_to_do_is_said_with_its_reason(
    tiny_home: Path, wanted: list[str], told: str
) -> None:
    with pytest.raises(RemoteError, match="nothing that http://b ranks can be run here") as caught:
        describe_worker(_client(text_pico="sha256:" + "0" * 64), "cpu", wanted)
    assert told in str(caught.value)
