"""Canonical JSON and digests: the same value has the same bytes on every machine."""

import hashlib
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO


def canonical_json(value: Any) -> bytes:
    """Serialise with sorted keys, no white space, UTF-8, shortest round-trip floats.

    Raises:
        ValueError: If the value contains NaN or infinity, which JSON cannot hold.

    Source:
        The idea is RFC 8785 (JSON Canonicalization Scheme); floats follow Python's `repr`, which is
        shortest round-trip like RFC 8785's, though it writes exponents differently.
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8")


def digest_bytes(*parts: bytes | memoryview) -> str:
    """Return `sha256:<64 hex>` of the concatenated parts."""
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(part)
    return "sha256:" + hasher.hexdigest()


def digest_json(value: Any) -> str:
    """Return `sha256:<64 hex>` of the value's canonical JSON."""
    return digest_bytes(canonical_json(value))


def digest_stream(stream: BinaryIO, block_bytes: int = 1 << 20) -> str:
    """Return `sha256:<64 hex>` of everything left in a binary stream, in bounded memory."""
    hasher = hashlib.sha256()
    while block := stream.read(block_bytes):
        hasher.update(block)
    return "sha256:" + hasher.hexdigest()


def digest_file(path: Path) -> str:
    """Return `sha256:<64 hex>` of a file's bytes."""
    with path.open("rb") as stream:
        return digest_stream(stream)


def merkle_root(leaves: Iterable[str]) -> str:
    """Return the Merkle root of an ordered list of `sha256:` digests.

    Leaves and inner nodes are hashed under different prefixes, so that a node can never be passed
    off as a leaf; an odd node is promoted unchanged. The root of no leaves is the hash of nothing.

    Source:
        RFC 6962 section 2.1 (Certificate Transparency).
    """
    level = [hashlib.sha256(b"\x00" + leaf.encode("ascii")).digest() for leaf in leaves]
    if not level:
        return digest_bytes(b"")
    while len(level) > 1:
        paired = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        level = paired + level[len(level) - len(level) % 2 :]
    return "sha256:" + level[0].hex()


def finite(value: float, name: str) -> float:
    """Return the value, or fail where a NaN or infinity would have entered a record."""
    assert math.isfinite(value), f"{name} is {value}"
    return value
