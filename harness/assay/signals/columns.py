"""What a signal is: one or more columns with a value for every example of a pool.

There are two kinds. `PerExample` looks at one example at a time: a function from a batch of
examples to columns, which runs on all cores, shard by shard, several signals in one reading.
`WholePool` has to see everything first, such as clusters of duplicates or a trained classifier:
a function from the pool to columns aligned to its rows, which may read other signals' columns. It
runs in one process, and begins again after a kill.

Both return numpy arrays by column name: numbers, truth values or short texts, one value an example
(1-d), or a vector an example (2-d, such as embeddings); never objects. Both are pure: the same
examples and parameters give the same bytes, whatever the number of workers and the order of
shards. Whoever changes what a function returns raises its `version`, which is part of the name of
what is kept. Every signal is a line of `catalogue.py`.

A per-example signal:

    def _lengths(examples: Examples) -> dict[str, NDArray]:
        texts = examples.table.column("text").to_pylist()
        return {"num_characters": np.array([len(text) for text in texts], dtype=np.int32)}

    LENGTH = PerExample(
        name="length",
        version=1,
        kind="text",
        reads=("text",),
        columns={"num_characters": "Unicode characters"},
        compute=_lengths,
    )

A whole-pool signal:

    def _copies(inputs: PoolInputs) -> dict[str, NDArray]:
        seen: dict[str, int] = {}
        cluster = np.empty(inputs.pool.n, dtype=np.int64)
        for rows, batch in inputs.scan(("text",)):            # the fast way; row -1 is no row
            for row, text in zip(rows.tolist(), batch["text"].to_pylist(), strict=True):
                if row >= 0:
                    cluster[row] = seen.setdefault(text, row)
        return {"exact_cluster": cluster}

    EXACT = WholePool(
        name="exact_duplicates",
        version=1,
        kind="text",
        columns={"exact_cluster": "row of an example with the same text, one a cluster"},
        compute=_copies,
        parameters={"normalise": True},                       # name -> default
        needs=("num_words",),                                 # columns of other signals
    )
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from assay.console import progress
from assay.pool import AnyPool
from assay.signals.shared import Shared

if TYPE_CHECKING:
    import pyarrow as pa

Setting = int | float | str | bool
Kind = Literal["text", "image-text"]
Columns = Mapping[str, NDArray[Any]]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Examples:
    """A batch of examples as they lie in storage.

    Attributes:
        pool: Which they are from.
        rows: (k,) rows of the pool, -1 for a repeated example that no row refers to: it gets values
            like any other, which are dropped.
        table: k examples with the columns that the signals of this reading asked for.
        shared: What `once` made, and its cost.
    """

    pool: AnyPool
    rows: NDArray[np.int64]
    table: "pa.RecordBatch"
    shared: Shared = field(default_factory=Shared)

    def __len__(self) -> int:
        return len(self.rows)

    def once(self, make: Callable[["Examples"], T]) -> T:
        """Return `make(self)`, computed once a batch: what several signals share, such as words."""
        return self.shared.once(make, self)


@dataclass(frozen=True)
class PerExample:
    """A signal that looks at one example at a time.

    Attributes:
        name: Of the signal; file names are made of it.
        version: Raised with every change of what it returns.
        kind: Of the pools that it is for.
        reads: Columns of a shard's table that it wants: `text`, or metadata columns that every pool
            of the kind has. Images are read through `examples.pool`.
        columns: Name -> what it is, in a line. Names are unique over all signals of a kind.
        compute: From a batch of k examples to each of the columns, k values.
        check: Raises a SignalError where a package is missing that it takes. None where it takes none.
    """

    name: str
    version: int
    kind: Kind
    reads: tuple[str, ...]
    columns: Mapping[str, str]
    compute: Callable[[Examples], Columns]
    check: Callable[[], None] | None = None
    parameters: Mapping[str, Setting] = field(default_factory=dict, init=False)
    needs: tuple[str, ...] = field(default=(), init=False)


@dataclass(frozen=True)
class TrainedModel:
    """A network that a signal rests on, as its manifest has it.

    Attributes:
        weights: `sha256:...` of its file of weights.
        trained_on: Root of the pool that it learnt from.
        examples: Of that pool, that it learnt from.
        accuracy: Its own, on examples of the kind that it learnt from and did not see, in [0, 1]; None where none
            were kept from it.
        tried_on: How many they were.
    """

    weights: str
    trained_on: str
    examples: int
    accuracy: float | None = None
    tried_on: int = 0

    def plain(self) -> dict[str, Setting | None]:
        """Return what is to be said of these weights, by name."""
        return {k: v for k, v in asdict(self).items() if k != "weights"}


@dataclass(frozen=True, eq=False)
class PoolInputs:
    """What a whole-pool signal is given.

    Attributes:
        pool: The candidates.
        parameters: A value for each of the signal's parameters.
        folder: Its own, for files that it needs on the way; gone once the signal is whole.
        signal: Returns a column that the signal `needs`, (n,), memory-mapped.
        found_ready: Is told the processor seconds that something took which an earlier call left, such as a
            trained network: they are part of the signal's cost, whoever computes it.
        rests_on: Is told of every network that the signal rests on.
    """

    pool: AnyPool
    parameters: Mapping[str, Any]
    folder: Path
    signal: Callable[[str], NDArray[Any]]
    found_ready: Callable[[float], None]
    rests_on: Callable[[TrainedModel], None]

    def scan(
        self, columns: tuple[str, ...] = ("text",), what: str = "reading documents"
    ) -> Iterator[tuple[NDArray[np.int64], "pa.RecordBatch"]]:
        """Yield everything in storage order, as `Pool.scan` does, with a progress bar."""
        with progress(what, self.pool.n, "examples") as bar:
            for rows, batch in self.pool.scan(columns):
                yield rows, batch
                bar.update(int((rows >= 0).sum()))


def later(module: str, function: str) -> Callable[[PoolInputs], Columns]:
    """Return a function of a layer above this one, imported when it is called."""

    def compute(inputs: PoolInputs) -> Columns:
        return getattr(import_module(module), function)(inputs)

    return compute


@dataclass(frozen=True)
class WholePool:
    """A signal that has to see all examples first.

    Attributes:
        name: Of the signal.
        version: Raised with every change of what it returns.
        kind: Of the pools that it is for.
        columns: Name -> what it is, in a line.
        compute: From the pool to each of the columns, n values aligned to the pool's rows.
        parameters: Name -> default. Another value is another result, kept beside the first.
        needs: Columns of other signals (with their default parameters) that it reads.
        pin: Puts a digest into parameters that name what lies outside the pool, such as a reference, so
            that what is kept is of that content. None where no parameter does.
        trains: Whether it fits a model of any size, so that it takes more than looking.
    """

    name: str
    version: int
    kind: Kind
    columns: Mapping[str, str]
    compute: Callable[[PoolInputs], Columns]
    parameters: Mapping[str, Setting] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    pin: Callable[[AnyPool, Mapping[str, Setting]], Mapping[str, Setting]] | None = None
    trains: bool = False


Signal = PerExample | WholePool
