"""Ed25519 keys and signatures. A key is named by itself: `ed25519:<64 hex>` is the public key.

Every signature is of a context and a message, so that an entry's is never taken for a head's.
"""

import os
import re
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from assay.artifact import create_durable
from assay.errors import LedgerError

_NAME = re.compile(r"ed25519:([0-9a-f]{64})")


def load_or_create_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key (PEM, PKCS 8), or make one that its owner alone may read.

    Raises:
        LedgerError: If the file is no such key, or others may read it.
    """
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        create_durable(path, pem, path.with_name(f".{path.name}.draft"), mode=0o600)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise LedgerError(f"{path} is a private key that others may read; run: chmod 600 {path}")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise LedgerError(
            f"{path} holds no Ed25519 key in PEM; put the key back, or move the file away: the next entry is "
            "then signed with a new one"
        )
    return key


def key_name(key: Ed25519PrivateKey) -> str:
    """Return the name of the public half."""
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return "ed25519:" + public.hex()


def sign(key: Ed25519PrivateKey, context: bytes, message: bytes) -> str:
    """Return the signature (128 hex digits) of a message in a context."""
    return key.sign(context + b"\x00" + message).hex()


def is_signed(name: str, context: bytes, message: bytes, signature: str) -> bool:
    """Say whether the key of that name signed the message in that context."""
    found = _NAME.fullmatch(name)
    if found is None:
        return False
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(found[1]))
        public.verify(bytes.fromhex(signature), context + b"\x00" + message)
    except (InvalidSignature, ValueError):
        return False
    return True
