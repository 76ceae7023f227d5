"""Documents by domain: the value that a metadata column has for them, such as their host."""

import numpy as np
from numpy.typing import NDArray

from assay.errors import StrategyError
from assay.strategy.view import PoolView


def domains_of(pool: PoolView, column: str) -> tuple[NDArray[np.str_], NDArray[np.intp]]:
    """Return the domains, (d,), and for each row the number of its own, (n,).

    Documents without a value are a domain of their own.

    Args:
        pool: What a strategy sees.
        column: Of its metadata; every pool of documents with addresses has `host`.

    Raises:
        StrategyError: If there is no such column, or it has one value only.
    """
    if column in pool.column_names:
        values = [str(value or "") for value in pool.column(column).to_pylist()]
        names, place = np.unique(np.array(values), return_inverse=True)
        if len(names) > 1:
            return names, place
    raise StrategyError(
        f"the column {column!r} names no two domains in this pool, whose columns are "
        f"{', '.join(pool.column_names)}; name another: --set domain=COLUMN"
    )
