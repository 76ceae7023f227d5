"""Against the known answers of Certificate Transparency's own tests, and against the definition by recursion."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.canonical import merkle_root
from assay.ledger import Tree, verify_consistency, verify_inclusion

# The leaves and answers that certificate-transparency's C++, Go and Java tests share.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]  # fmt: skip
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
CT_CONSISTENCY = {
    (1, 1): [],
    (1, 8): CT_INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def named(hashes: list[str]) -> list[str]:
    return [f"sha256:{text}" for text in hashes]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert Tree(CT_LEAVES).root(size) == f"sha256:{CT_ROOTS[size]}"


@pytest.mark.parametrize(("index", "size"), CT_INCLUSION)
def test_inclusion_proofs_are_those_of_certificate_transparency(index: int, size: int) -> None:
    known = named(CT_INCLUSION[index, size])
    assert Tree(CT_LEAVES).inclusion_proof(index, size) == known
    assert verify_inclusion(CT_LEAVES[index], index, size, known, f"sha256:{CT_ROOTS[size]}")


@pytest.mark.parametrize(("old", "new"), CT_CONSISTENCY)
def test_consistency_proofs_are_those_of_certificate_transparency(old: int, new: int) -> None:
    known = named(CT_CONSISTENCY[old, new])
    assert Tree(CT_LEAVES).consistency_proof(old, new) == known
    before, after = named([CT_ROOTS[old], CT_ROOTS[new]])
    assert verify_consistency(old, new, before, after, known)


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    middle = 1
    while 2 * middle < len(leaves):
        middle *= 2
    left, right = by_definition(leaves[:middle]), by_definition(leaves[middle:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_every_root_is_the_one_of_the_definition(leaves: list[bytes]) -> None:
    tree = Tree(leaves)
    for size in range(len(leaves) + 1):
        assert tree.root(size) == "sha256:" + by_definition(leaves[:size]).hex()


def test_the_tree_is_the_one_that_pools_use() -> None:
    digests = [f"sha256:{n:064x}" for n in range(37)]
    tree = Tree(digest.encode() for digest in digests)
    assert [tree.root(n) for n in range(38)] == [merkle_root(digests[:n]) for n in range(38)]


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[bytes], int, int]:
    """Leaves, a size and a smaller one."""
    leaves = [bytes([n]) for n in range(draw(st.integers(1, 130)))]
    size = draw(st.integers(1, len(leaves)))
    return leaves, size, draw(st.integers(0, size - 1))


@given(trees(), st.data())
def test_an_inclusion_proof_proves_that_leaf_at_that_place_and_nothing_else(
    tree_and_sizes: tuple[list[bytes], int, int], data: st.DataObject
) -> None:
    leaves, size, index = tree_and_sizes
    tree = Tree(leaves)
    proof, root = tree.inclusion_proof(index, size), tree.root(size)
    assert verify_inclusion(leaves[index], index, size, proof, root)
    assert len(proof) <= (size - 1).bit_length()
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index)) if size > 1 else -1
    assert not verify_inclusion(leaves[index], other, size, proof, root)
    assert not verify_inclusion(b"other", index, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, [*proof, root], root)
    assert not verify_inclusion(leaves[index], size, size, proof, root)
    for forged in tampered(proof, data):
        assert not verify_inclusion(leaves[index], index, size, forged, root)


@given(trees(), st.data())
def test_a_consistency_proof_proves_growth_from_that_root_and_nothing_else(
    tree_and_sizes: tuple[list[bytes], int, int], data: st.DataObject
) -> None:
    leaves, new, old = tree_and_sizes
    tree = Tree(leaves)
    proof = tree.consistency_proof(old, new)
    before, after = tree.root(old), tree.root(new)
    assert verify_consistency(old, new, before, after, proof)
    assert not verify_consistency(old, new, before, after, [*proof, after])
    assert not verify_consistency(new, old, after, before, proof)
    if old == 0:
        return
    rewritten = Tree([b"x", *leaves[1:]])
    assert not verify_consistency(old, new, before, rewritten.root(new), proof)
    assert not verify_consistency(old, new, rewritten.root(old), after, proof)
    forged_growth = rewritten.consistency_proof(old, new)
    assert not verify_consistency(old, new, before, rewritten.root(new), forged_growth)
    for forged in tampered(proof, data):
        assert not verify_consistency(old, new, before, after, forged)


def tampered(proof: list[str], data: st.DataObject) -> list[list[str]]:
    """Return proofs that lack a node, have one that was changed, or hold what is no hash."""
    if not proof:
        return []
    at = data.draw(st.integers(0, len(proof) - 1))
    last = "0" if proof[at][-1] != "0" else "1"
    changes = [[], [proof[at][:-1] + last], [proof[at][:-2]], ["sha256:nonsense"], [None]]
    return [[*proof[:at], *change, *proof[at + 1 :]] for change in changes]  # type: ignore[list-item]


@given(trees())
def test_a_tree_compared_with_itself_needs_no_proof(
    tree_and_sizes: tuple[list[bytes], int, int],
) -> None:
    leaves, size, smaller = tree_and_sizes
    tree = Tree(leaves)
    assert tree.consistency_proof(size, size) == []
    assert verify_consistency(size, size, tree.root(size), tree.root(size), [])
    assert not verify_consistency(size, size, tree.root(smaller), tree.root(size), [])


def test_an_empty_tree_has_one_root() -> None:
    empty, other = named([CT_ROOTS[0], CT_ROOTS[1]])
    assert verify_consistency(0, 0, empty, empty, [])
    assert verify_consistency(0, 1, empty, other, [])
    assert not verify_consistency(0, 0, empty, other, [])
    assert not verify_consistency(0, 1, other, other, [])
