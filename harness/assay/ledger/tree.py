"""The Merkle tree of a log: its root at every size, and proofs that a log holds an entry and only grew.

Source:
    RFC 9162 section 2.1 (Certificate Transparency 2.0), whose hashes are those of RFC 6962.
"""

import hashlib
from collections.abc import Iterable, Sequence

from assay.canonical import digest_bytes


def hash_leaf(data: bytes) -> bytes:
    """Return the hash of a leaf; its prefix keeps a node from being passed off as a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def _hash_pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


class Tree:
    """An append-only tree that keeps every complete subtree: root and proofs cost O(log n) hashes."""

    def __init__(self, leaves: Iterable[bytes] = ()):
        # Row k holds the hashes of the complete subtrees of 2^k leaves, from left to right.
        self._rows: list[list[bytes]] = [[]]
        for data in leaves:
            self.append(data)

    def __len__(self) -> int:
        return len(self._rows[0])

    def append(self, data: bytes) -> None:
        """Add a leaf."""
        self._rows[0].append(hash_leaf(data))
        level = 0
        while len(self._rows[level]) % 2 == 0:
            if level + 1 == len(self._rows):
                self._rows.append([])
            self._rows[level + 1].append(_hash_pair(*self._rows[level][-2:]))
            level += 1

    def root(self, size: int) -> str:
        """Return the root of the first `size` leaves as `sha256:<64 hex>`."""
        assert 0 <= size <= len(self), f"{size} of {len(self)} leaves"
        return _text(self._subtree(0, size)) if size else digest_bytes(b"")

    def inclusion_proof(self, index: int, size: int) -> list[str]:
        """Return what leads from leaf `index` to the root of the first `size` leaves, lowest first."""
        assert 0 <= index < size <= len(self), f"leaf {index} of {size} of {len(self)}"
        return [_text(node) for node in self._path(index, 0, size)]

    def consistency_proof(self, old: int, new: int) -> list[str]:
        """Return what shows that the first `new` leaves continue the first `old` ones; empty for old 0."""
        assert 0 <= old <= new <= len(self), f"{old} to {new} of {len(self)} leaves"
        return [_text(node) for node in self._growth(old, 0, new, whole=True)] if old else []

    def _subtree(self, start: int, end: int) -> bytes:
        size = end - start
        if size & (size - 1) == 0:
            level = size.bit_length() - 1
            return self._rows[level][start >> level]
        middle = start + _split(size)
        return _hash_pair(self._subtree(start, middle), self._subtree(middle, end))

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if index < middle:
            return [*self._path(index, start, middle), self._subtree(middle, end)]
        return [*self._path(index, middle, end), self._subtree(start, middle)]

    def _growth(self, old: int, start: int, end: int, whole: bool) -> list[bytes]:
        """Return the proof within [start, end); `whole` says whether the reader knows the old part's root."""
        if old == end:
            return [] if whole else [self._subtree(start, end)]
        middle = start + _split(end - start)
        if old <= middle:
            return [*self._growth(old, start, middle, whole), self._subtree(middle, end)]
        return [*self._growth(old, middle, end, False), self._subtree(start, middle)]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[str], root: str) -> bool:
    """Say whether a proof leads from a leaf at `index` to the root of a tree of `size` leaves.

    Source:
        RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    nodes = _nodes(proof)
    if nodes is None:
        return False
    position, last, found = index, size - 1, hash_leaf(leaf)
    for node in nodes:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = _hash_pair(node, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = _hash_pair(found, node)
        position, last = position >> 1, last >> 1
    return last == 0 and _text(found) == root


def verify_consistency(
    old: int, new: int, old_root: str, new_root: str, proof: Sequence[str]
) -> bool:
    """Say whether a proof shows that a tree of `new` leaves begins with one of `old` leaves.

    Source:
        RFC 9162 section 2.1.4.2; a tree of no leaves begins every tree.
    """
    empty = digest_bytes(b"")
    sizes = ((old, old_root), (new, new_root))
    if not 0 <= old <= new or any(root != empty for size, root in sizes if size == 0):
        return False
    if old in (0, new):
        return not proof and (old == 0 or old_root == new_root)
    # Where the old tree is one complete subtree, its root begins the proof and is left out of it.
    nodes = _nodes([old_root, *proof] if old & (old - 1) == 0 else proof)
    if not (proof and nodes):
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    before = after = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            before, after = _hash_pair(node, before), _hash_pair(node, after)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            after = _hash_pair(after, node)
        position, last = position >> 1, last >> 1
    return last == 0 and _text(before) == old_root and _text(after) == new_root


def _text(node: bytes) -> str:
    return "sha256:" + node.hex()


def _nodes(proof: Sequence[str]) -> list[bytes] | None:
    """Return the hashes of a proof, which may come from anybody; None where one is no digest."""
    try:
        nodes = [bytes.fromhex(text.removeprefix("sha256:")) for text in proof]
    except (AttributeError, ValueError):
        return None
    return nodes if all(len(node) == hashlib.sha256().digest_size for node in nodes) else None
