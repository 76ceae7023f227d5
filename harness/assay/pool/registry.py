"""Pools by name: folders under `$ASSAY_HOME/pools`, and pointers there to pools built elsewhere."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from assay.artifact import write_atomic
from assay.console import say
from assay.errors import PoolError
from assay.home import assay_home
from assay.pool.manifest import BUILD_FOLDER, MANIFEST_FILE, parse_manifest, to_json

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class PoolListing:
    """A pool that this machine knows.

    Attributes:
        name: As commands take it.
        status: `built`, `unfinished` (the same build command goes on), `missing` (a pointer to a
            pool that is gone) or `broken` (its manifest or pointer cannot be read).
        path: Its folder.
        kind: Modality; empty where the pool is not built, as is everything below.
        n: Documents, or pairs.
        num_tokens: Tokens; 0 for a pool without.
        num_bytes: Bytes of text and captions.
        root: Merkle root.
    """

    name: str
    status: str
    path: str
    kind: str = ""
    n: int = 0
    num_tokens: int = 0
    num_bytes: int = 0
    root: str = ""


def pools_folder() -> Path:
    """Return the folder that named pools are in."""
    return assay_home() / "pools"


def check_name(name: str) -> str:
    """Return the name.

    Raises:
        PoolError: If it cannot be a file name everywhere.
    """
    if not _NAME.fullmatch(name) or name.endswith((".json", ".parquet")):
        raise PoolError(
            f"{name!r} cannot name a pool: letters, digits, dot, dash and underscore; give one: --name NAME"
        )
    return name


def pool_path(name: str) -> Path:
    """Return the folder of a named pool: where its pointer says, else under `$ASSAY_HOME/pools`.

    Raises:
        PoolError: If the name is none, or its pointer cannot be read.
    """
    pointer = pools_folder() / f"{check_name(name)}.json"
    if not pointer.is_file():
        return pools_folder() / name
    try:
        return Path(json.loads(pointer.read_bytes())["path"])
    except (ValueError, KeyError, TypeError):
        raise PoolError(
            f"{pointer} does not say where the pool {name!r} is; remove that file and run the command "
            "that built the pool again"
        ) from None


def register(name: str, folder: Path) -> None:
    """Make a pool that lies elsewhere known by name.

    Raises:
        PoolError: If another pool has the name.
    """
    check_free(name, folder)
    if folder.absolute() != pools_folder() / name:
        pointer = to_json({"format": 1, "path": str(folder.absolute())})
        write_atomic(pools_folder() / f"{name}.json", pointer)


def check_free(name: str, folder: Path) -> None:
    """Check that no other pool has the name, before hours go into building one.

    Raises:
        PoolError: If one has.
    """
    known = pool_path(name)
    if known != folder.absolute() and (known / MANIFEST_FILE).is_file():
        raise PoolError(f"a pool called {name!r} is at {known}; choose another name: --name NAME")


def resolve(where: str | Path) -> Path:
    """Return the folder of a local pool given by folder or name.

    Raises:
        PoolError: If there is no such pool, or it is unfinished.
    """
    candidates = [Path(where).expanduser()]
    if _NAME.fullmatch(str(where)) and not str(where).endswith((".json", ".parquet")):
        candidates.append(pool_path(str(where)))
    for folder in candidates:
        if (folder / MANIFEST_FILE).is_file():
            return folder.absolute()
    for folder in candidates:
        if (folder / BUILD_FOLDER).is_dir():
            raise PoolError(
                f"the pool in {folder} is unfinished; the same `assay pool build` command goes on from there"
            )
    raise PoolError(
        f"there is no pool {str(where)!r}; list pools with: assay pools, or build one with: "
        "assay pool build SRC... --out DIR"
    )


def list_pools() -> list[PoolListing]:
    """Return every pool under `$ASSAY_HOME/pools`, and those that pointers there lead to, by name."""
    folder = pools_folder()
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    names = {entry.stem for entry in entries if entry.suffix == ".json" and entry.is_file()}
    names |= {entry.name for entry in entries if entry.is_dir() and _NAME.fullmatch(entry.name)}
    return [_listing(name) for name in sorted(names)]


def _listing(name: str) -> PoolListing:
    try:
        return _read_listing(name)
    except (PoolError, OSError) as error:
        say(f"pool {name} is broken: {error}")
        return PoolListing(name, "broken", str(pools_folder() / name))


def _read_listing(name: str) -> PoolListing:
    folder = pool_path(name)
    file = folder / MANIFEST_FILE
    if not file.is_file():
        status = "unfinished" if (folder / BUILD_FOLDER).is_dir() else "missing"
        return PoolListing(name, status, str(folder))
    found = parse_manifest(file.read_bytes(), str(file))
    return PoolListing(
        name,
        "built",
        str(folder),
        found.kind,
        found.n,
        found.num_tokens if found.kind == "text" else 0,
        found.num_bytes,
        found.root,
    )
