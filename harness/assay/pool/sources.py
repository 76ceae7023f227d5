"""What documents are read from: the protocol, and how SRC words become files.

A SRC is a file, a folder (read recursively, hidden and `_` names left out), a glob, or any of these
at an fsspec URL. A folder that Hugging Face `datasets` saved is a folder of Arrow streams.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from assay.errors import PoolError
from assay.pool.manifest import MANIFEST_FILE, REPORT_FILE, TOKENIZER_FILE
from assay.pool.readers import SUFFIXES, FileSource
from assay.pool.records import Fields

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_NO_DATA = {
    *("state.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json"),
    *(MANIFEST_FILE, REPORT_FILE, TOKENIZER_FILE),
}
"""What `datasets`, and a pool, keep beside their data."""


class Source(Protocol):
    """One file or generator of documents, or of image-text pairs."""

    @property
    def name(self) -> str:
        """Unique in a build and the same on every machine: it may end up in the column `source`."""
        ...

    @property
    def fingerprint(self) -> str:
        """Tells versions of the source apart, cheaply."""
        ...

    @property
    def size(self) -> int:
        """All work, in the units of `done`; 0 where it is unknown."""
        ...

    @property
    def done(self) -> int:
        """Work done by the running `records`, for progress."""
        ...

    @property
    def unit(self) -> str:
        """What `size` counts: `B` or `docs`."""
        ...

    def records(self, start: int) -> Iterator[tuple[int, Any]]:
        """Yield items with their places, which rise; `records(place + 1)` goes on after a place.

        An item is a `Record`, a `Pair` (`assay.pool.imagetext.records`) or a `Problem`.
        """
        ...


def expand(words: Sequence[str], fields: Fields) -> list[Source]:
    """Turn SRC words into files, in the order given; those of a folder or glob by name.

    Raises:
        PoolError: If a word matches nothing, or a file is of no known kind.
    """
    found = [(filesystem, path) for word in words for filesystem, path in match(word, SUFFIXES)]
    return [FileSource(name, *where, fields) for name, where in named(found)]


def named(
    found: Iterable[tuple["AbstractFileSystem", str]],
) -> list[tuple[str, tuple["AbstractFileSystem", str]]]:
    """Give different files names: their paths relative to the folder that all of them share."""
    unique = {filesystem.unstrip_protocol(path): (filesystem, path) for filesystem, path in found}
    return list(zip(_short_names(list(unique)), unique.values(), strict=True))


def is_url(word: str) -> bool:
    """Tell an fsspec URL from a path."""
    return "://" in word


def open_filesystem(word: str) -> tuple["AbstractFileSystem", str]:
    """Return the filesystem of a path or URL and the path on it.

    Raises:
        PoolError: If the protocol is unknown or its package is not installed.
    """
    from fsspec.core import url_to_fs

    try:
        return url_to_fs(word)
    except (ImportError, ValueError) as error:
        raise PoolError(f"cannot read {word}: {error}; for s3:// run: pip install s3fs") from None


def match(word: str, suffixes: tuple[str, ...]) -> list[tuple["AbstractFileSystem", str]]:
    """Return the files that a SRC word stands for.

    Args:
        word: A file, a folder, a glob, or any of these at a URL.
        suffixes: What files of a folder must end in to be taken.

    Raises:
        PoolError: If it cannot be listed, or a folder or glob has nothing to offer.
    """
    filesystem, path = open_filesystem(word)
    web = urlsplit(word).scheme in (
        "http",
        "https",
    )  # where `?` starts a query, and no folder lists
    try:
        if not web and filesystem.isdir(path):
            paths = [p for p in sorted(filesystem.find(path)) if _is_data(p, path, suffixes)]
        elif any(s in path for s in ("*[" if web else "*?[")) and (
            web or not filesystem.exists(path)
        ):
            paths = sorted(str(p) for p in filesystem.glob(path) if not filesystem.isdir(p))
        else:
            paths = [path]
    except Exception as error:  # every backend has its own
        raise PoolError(
            f"cannot list {word}: {error}; check the path and your access to it"
        ) from None
    if not paths:
        raise PoolError(f"nothing to read in {word}: files end in {', '.join(suffixes)}")
    return [(filesystem, path) for path in paths]


def _is_data(path: str, folder: str, suffixes: tuple[str, ...]) -> bool:
    inside = PurePosixPath(path[len(folder.rstrip("/")) :].lstrip("/"))
    hidden = any(part.startswith((".", "_")) for part in inside.parts)
    # `datasets` leaves the cache of map() beside the data of a saved folder.
    cache = inside.suffix == ".arrow" and inside.name.startswith("cache-")
    return not hidden and not cache and inside.name not in _NO_DATA and path.endswith(suffixes)


def _short_names(urls: list[str]) -> list[str]:
    """Return paths relative to the folder that all of them share."""
    parents = [PurePosixPath(url).parent.parts for url in urls]
    shared = 0
    while all(len(p) > shared for p in parents) and len({p[shared] for p in parents}) == 1:
        shared += 1
    return ["/".join(PurePosixPath(url).parts[shared:]) for url in urls]


def as_sources(sources: Sequence[Any], fields: Fields) -> list[Source]:
    """Return sources as they are, and words or paths expanded into files of documents.

    Raises:
        PoolError: If a word matches nothing, or two sources share a name.
    """
    return combine(sources, lambda words: expand(words, fields))


def combine(
    sources: Sequence[Any], expand: Callable[[list[str]], Sequence[Source]]
) -> list[Source]:
    """Return sources as they are, and words or paths expanded.

    Raises:
        PoolError: As `expand` does, or if two sources share a name.
    """
    if not sources:
        raise PoolError(
            "there is nothing to build from; name files: assay pool build SRC... --out DIR"
        )
    words = [str(source) for source in sources if isinstance(source, str | Path)]
    others = [source for source in sources if not isinstance(source, str | Path)]
    all_sources = [*(expand(words) if words else []), *others]
    name, count = Counter(source.name for source in all_sources).most_common(1)[0]
    if count > 1:
        raise PoolError(f"{count} sources are called {name!r}; give each its own name")
    return all_sources
