"""Pools: build them from what people have, open them in milliseconds, read them in place."""

from assay.pool.build import build_pool
from assay.pool.imagetext.build import build_image_text_pool
from assay.pool.imagetext.store import ImageTextPool
from assay.pool.opening import load_pool
from assay.pool.registry import list_pools, pool_path
from assay.pool.store import Pool
from assay.pool.verify import verify_pool

AnyPool = Pool | ImageTextPool

__all__ = [
    "AnyPool",
    "ImageTextPool",
    "Pool",
    "build_image_text_pool",
    "build_pool",
    "list_pools",
    "load_pool",
    "pool_path",
    "verify_pool",
]
