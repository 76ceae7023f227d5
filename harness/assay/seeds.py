"""Where seeds come from: a submission's own digest, or a server's key that is published afterwards."""

import hashlib
import hmac
from dataclasses import dataclass

SEED_BITS = 48
"""Seeds stay below 2^53, which is what JSON readers hold exactly."""


@dataclass(frozen=True)
class GivenSeed:
    """A seed that a leaderboard drew.

    Attributes:
        value: Of initialisation and data order.
        epoch: Digest of the key that it was drawn with; the ledger has it before the first run of the epoch,
            and the key itself after the last.
        index: Which of its submission's seeds it is, from 0.
    """

    value: int
    epoch: str
    index: int

    @property
    def source(self) -> dict[str, str | int]:
        """What a record says under `seed_source`."""
        return {"epoch": self.epoch, "index": self.index}


def derive_seed(submission: str, label: str, index: int) -> int:
    """Return the seed of a submission's run number `index`; nobody gets to choose one.

    Args:
        submission: Digest.
        label: `track/scale@version`.
        index: From 0.
    """
    named = hashlib.sha256(f"assay seed\0{submission}\0{label}\0{index}".encode())
    return _seed(named.digest())


def epoch_seed(key: bytes, submission: str, label: str, index: int) -> int:
    """Return the seed that an epoch's key gives; nobody can know it before the key is published.

    Args:
        key: Of the epoch, 32 random bytes.
        submission: Digest.
        label: `track/scale@version`.
        index: From 0.
    """
    named = f"{submission}\0{label}\0{index}".encode()
    return _seed(hmac.digest(key, named, "sha256"))


def epoch_digest(key: bytes) -> str:
    """Return what commits to an epoch's key: the digest that is published before the key is used."""
    return "sha256:" + hashlib.sha256(key).hexdigest()


def _seed(digest: bytes) -> int:
    """Take the first 48 bits."""
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)
