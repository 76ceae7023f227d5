"""Open a pool of whatever kind."""

from pathlib import Path

from assay.pool.imagetext.store import ImageTextPool
from assay.pool.mirror import PoolFiles
from assay.pool.store import Pool


def load_pool(where: str | Path) -> Pool | ImageTextPool:
    """Open a pool by name, folder or fsspec URL, as what its manifest says it is.

    Raises:
        PoolError: If there is none, or it is unfinished.
    """
    files = PoolFiles(where)
    return ImageTextPool(files) if files.manifest.kind == "image-text" else Pool(files)
