"""Pools: build them from what people have, open them in milliseconds, read them in place."""

from assay.pool.build import build_pool
from assay.pool.registry import list_pools, pool_path
from assay.pool.store import Pool
from assay.pool.verify import verify_pool

__all__ = ["Pool", "build_pool", "list_pools", "pool_path", "verify_pool"]
