import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.canonical import canonical_json, digest_bytes, digest_file, digest_json, merkle_root

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_the_order_of_keys_changes_no_byte(value: dict) -> None:
    reversed_keys = dict(reversed(list(value.items())))
    assert canonical_json(value) == canonical_json(reversed_keys)
    assert digest_json(value) == digest_json(reversed_keys)


def test_known_bytes() -> None:
    assert (
        canonical_json({"b": 0.1, "a": ["é", None, True]})
        == '{"a":["é",null,true],"b":0.1}'.encode()
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_cannot_hold_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"x": value})


def test_a_file_has_the_digest_of_its_bytes(tmp_path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abc" * 1_000_000)
    assert digest_file(path) == digest_bytes(path.read_bytes())
    assert digest_file(path) == "sha256:" + hashlib.sha256(b"abc" * 1_000_000).hexdigest()


@given(
    st.lists(
        st.integers(0, 9).map(lambda i: digest_bytes(bytes([i]))),
        min_size=2,
        max_size=9,
        unique=True,
    )
)
def test_a_merkle_root_depends_on_every_leaf_and_on_their_order(leaves: list[str]) -> None:
    root = merkle_root(leaves)
    assert merkle_root(leaves[::-1]) != root
    for i in range(len(leaves)):
        assert merkle_root([*leaves[:i], *leaves[i + 1 :]]) != root


def test_an_inner_node_is_no_leaf() -> None:
    leaves = [digest_bytes(b"a"), digest_bytes(b"b")]
    assert merkle_root([merkle_root(leaves)]) != merkle_root(leaves)
