"""Reference documents: what a classifier or a language model is to take for good, or for harmful.

A reference is written as
- the name, folder or URL of a pool of text; `foundry-text-reference-N` and `foundry-text-spam-N` are generated at
  first use;
- `COLUMN~WORD`: the documents of the pool itself whose metadata has the word, such as `url~wikipedia.org`;
- `default`: for `foundry-text` its clean reference, for another pool NAME the pool NAME-reference;
- `harmful`: for `foundry-text` its keyword spam, for another pool NAME the pool NAME-harmful.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.console import say
from assay.errors import PoolError, SignalError
from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import AnyPool, Pool, build_pool, load_pool, pool_path
from assay.signals.columns import Setting
from assay.track.captions import TOKENIZER_FILE

DEFAULT = "default"
EMBEDDED_DEFAULT = "foundry-text-reference-4000"
HARMFUL = "harmful"
EMBEDDED_HARMFUL = "foundry-text-spam-1000"
_EMBEDDED = re.compile(r"foundry-text-(reference|spam)-([1-9]\d*)")
_OF_POOL = re.compile(r"(\w+)~(.+)")
_PINNED = re.compile(r"(.+)@([0-9a-f]{12})")


@dataclass(frozen=True, eq=False)
class Reference:
    """Documents to take for good, or for harmful.

    Attributes:
        pool: Where they are.
        rows: (k,) which of them, or None for all.
    """

    pool: Pool
    rows: NDArray[np.int64] | None = None

    @property
    def n(self) -> int:
        """Return the number of documents."""
        return self.pool.n if self.rows is None else len(self.rows)

    def texts(self) -> Iterator[str]:
        """Yield the documents, by id: in an order that tells nothing."""
        return self.pool.texts(self.rows)


def open_reference(pool: AnyPool, reference: str) -> Reference:
    """Return the documents that a reference stands for.

    Raises:
        SignalError: If there is no such reference.
    """
    if _OF_POOL.fullmatch(reference):
        assert isinstance(pool, Pool), "only pools of text have references"
        return Reference(pool, _rows(pool, reference))
    name, root = _unpinned(reference)
    found = _open(pool, name)
    if root and root != _short(found):
        raise SignalError(
            f"the reference {name} has root {_short(found)}..., and {root}... was asked for; name it without @{root}"
        )
    return Reference(found)


def pin_reference(pool: AnyPool, reference: str) -> str:
    """Return a reference by what it holds: NAME@ and the beginning of its root, or COLUMN~WORD.

    Raises:
        SignalError: If there is no such reference.
    """
    found = open_reference(pool, reference)
    if found.rows is not None:
        return reference
    name, _ = _unpinned(reference)
    return f"{found.pool.name if name in (DEFAULT, HARMFUL) else name}@{_short(found.pool)}"


def pin_parameters(pool: AnyPool, parameters: Mapping[str, Setting]) -> Mapping[str, Setting]:
    """Return a signal's parameters with its reference pinned.

    Raises:
        SignalError: If there is no such reference.
    """
    return {**parameters, "reference": pin_reference(pool, str(parameters["reference"]))}


def _short(pool: Pool) -> str:
    return pool.root.removeprefix("sha256:")[:12]


def _unpinned(reference: str) -> tuple[str, str]:
    pinned = _PINNED.fullmatch(reference)
    return (pinned[1], pinned[2]) if pinned else (reference, "")


def _open(pool: AnyPool, name: str) -> Pool:
    of_pool = f"{pool.name}-{'harmful' if name == HARMFUL else 'reference'}"
    if name in (DEFAULT, HARMFUL):
        of_foundry = EMBEDDED_DEFAULT if name == DEFAULT else EMBEDDED_HARMFUL
        name = of_foundry if _is_embedded(pool) else of_pool
    embedded = _EMBEDDED.fullmatch(name)
    if embedded and not (pool_path(name) / "pool.json").is_file():
        return _build_embedded(name, embedded[1], int(embedded[2]))
    try:
        found = load_pool(name)
    except PoolError:
        raise SignalError(
            f"there is no pool {name!r} to take for the reference; build one of documents that show it: assay pool build "
            f"SRC... --kind text --name {of_pool}, or name one: --set reference=POOL or reference=COLUMN~WORD"
        ) from None
    if not isinstance(found, Pool):
        raise SignalError(
            f"the reference pool {name!r} holds image-text pairs; name one of documents, see: assay pools"
        )
    return found


def _is_embedded(pool: AnyPool) -> bool:
    return {source.name for source in pool.manifest.sources} == {"foundry-text"}


def _build_embedded(name: str, kind: str, size: int) -> Pool:
    say(f"building the embedded reference {name} ({size:,} documents), once")
    return build_pool(
        [FoundrySource(size, reference=kind == "reference", spam=kind == "spam")],
        pool_path(name),
        name=name,
        tokenizer=package_folder("tracks") / "text" / TOKENIZER_FILE,
        licence="CC0-1.0",
    )


def _rows(pool: AnyPool, reference: str) -> NDArray[np.int64]:
    import pyarrow.compute as pc

    column, _, word = reference.partition("~")
    if column not in pool.column_names:
        raise SignalError(
            f"reference {reference!r}: COLUMN~WORD names a metadata column, and pool {pool.name} has "
            f"{', '.join(pool.column_names)}"
        )
    values = pool.column(column).cast("string")
    has = pc.match_substring(values, word)  # pyright: ignore[reportAttributeAccessIssue]
    rows = np.flatnonzero(has.fill_null(False).to_numpy(zero_copy_only=False))
    if not len(rows):
        raise SignalError(
            f"reference {reference!r}: no document of pool {pool.name} has {word!r} in its {column}; choose another "
            "word, or a pool: --set reference=POOL"
        )
    return rows
