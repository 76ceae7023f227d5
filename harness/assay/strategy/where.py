"""The language of `assay select --where`: expressions over columns that say which examples to keep.

    top(clip_score, 0.3) & language == "en"
    gopher_quality_ok & ~(source in ["a", "b"]) & cap(source, 100, by=c4_sentences)
    sample(c4_kept_words, 0.2, temperature=0.5, per=source) | ids("other.npy")

A name is a column: of the pool's metadata, else of a signal, which is computed if need be. Columns are
compared with numbers, texts and each other (`==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `not in`), added,
subtracted, multiplied and divided. What is true or false is joined by `&`, `|`, `~` (or `and`, `or`, `not`)
and `-`, the difference of sets; comparisons bind more tightly than these. A comparison with a
missing value does not hold, and none is chosen by score. Expressions are parsed by Python's `ast` and walked here; nothing of them is run.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.canonical import digest_bytes
from assay.errors import StrategyError, SubmissionError
from assay.pool.uid import find
from assay.signals.catalogue import column_names
from assay.spec import did_you_mean
from assay.strategy.load import Strategy
from assay.strategy.sampling import gumbel_noise
from assay.strategy.view import PairView, PoolView
from assay.strategy.where_functions import FUNCTIONS, Arguments
from assay.strategy.where_syntax import parse
from assay.submission import read_submission

MAX_DEPTH = 60

Array = NDArray[Any]

_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


def where_strategy(where: str) -> Strategy:
    """Return the strategy that an expression is.

    Raises:
        StrategyError: If it is no expression.
    """
    parse(where)
    return Strategy(
        name="where",
        path=Path("--where"),
        digest=digest_bytes(where.encode()),
        summary=where.replace("\n", " "),
        select=select_where,
        defaults={"where": where},
        reads_truth=False,
    )


def select_where(pool: PoolView | PairView, *, seed: int, where: str) -> NDArray[np.void]:
    """Return the ids of the examples that an expression keeps: the strategy behind `--where`.

    Raises:
        StrategyError: If the expression is wrong, with the place.
    """
    kept = Evaluation(pool, where, seed).mask(parse(where))
    return pool.uids[np.flatnonzero(kept)]


@dataclass
class Evaluation:
    """One walk over an expression.

    Attributes:
        pool: What names and functions refer to.
        source: The expression.
        seed: Of every draw in it; each has a name of its own.
    """

    pool: PoolView | PairView
    source: str
    seed: int
    _draws: int = field(default=0, init=False)
    _depth: int = field(default=0, init=False)

    def mask(self, node: ast.expr) -> NDArray[np.bool_]:
        """Return what must be true or false: (n,)."""
        value = self.value(node)
        if not isinstance(value, np.ndarray) or value.dtype != np.bool_:
            raise self.wrong(
                node, "a condition is wanted here: compare the column, or choose: top(...)"
            )
        return value

    def column(self, node: ast.expr) -> Array:
        """Return what must be a column: (n,)."""
        value = self.value(node)
        if not isinstance(value, np.ndarray):
            raise self.wrong(node, "a column is wanted here")
        return value

    def numbers(self, node: ast.expr) -> NDArray[np.float64]:
        """Return what must be a column of numbers: (n,)."""
        value = self.column(node)
        if value.dtype.kind not in "biuf":
            raise self.wrong(node, "a column of numbers is wanted here, this one holds text")
        return value.astype(np.float64)

    def value(self, node: ast.expr) -> Any:
        """Return what a node stands for: a column, a condition or a constant."""
        evaluate = _NODES.get(type(node))
        if evaluate is None:
            raise self.wrong(node, f"{type(node).__name__} is not part of the language")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.wrong(node, "nested too deeply")
        value = evaluate(self, node)
        self._depth -= 1
        return value

    def noise(self) -> NDArray[np.float64]:
        """Return the noise of the next draw of this expression."""
        self._draws += 1
        return gumbel_noise(self.pool.uids, self.seed, f"where {self._draws}")

    def rows_of_list(self, path: Path) -> NDArray[np.int64]:
        """Return the rows of the ids in a list, whatever its form, and note its digest.

        Raises:
            SubmissionError: If it is no list, or names what is not in the pool.
            OSError: If it cannot be read.
        """
        submission = read_submission(path)
        rows = [find(self.pool.uids, stage.uids) for stage in submission.stages]
        absent = sum(int((found < 0).sum()) for found in rows)
        if absent:
            raise SubmissionError("S2", f"{absent:,} of its ids are not in the pool")
        self.pool._signals.used[f"ids({path.name})"] = submission.digest
        return np.unique(np.concatenate(rows))

    def wrong(self, node: ast.expr, message: str) -> StrategyError:
        """Return the error that says what is wrong at a node."""
        excerpt = self.source[node.col_offset :][:30]
        return StrategyError(f"--where: character {node.col_offset + 1}: {message}, at {excerpt!r}")

    def constant(self, node: ast.Constant) -> Any:
        """Return a number or a text."""
        if not isinstance(node.value, str | int | float):
            raise self.wrong(node, f"{node.value!r} is not part of the language")
        return node.value

    def name(self, node: ast.Name) -> Array:
        """Return the column of this name, of the pool before one of a signal."""
        name = node.id
        signals = column_names("image-text" if isinstance(self.pool, PairView) else "text")
        if name in self.pool.column_names:
            return _numpy(self.pool.column(name))
        if name not in signals:
            hint = did_you_mean(name, [*self.pool.column_names, *signals])
            raise self.wrong(
                node,
                f"there is no column {name!r}{hint}; the pool has {', '.join(self.pool.column_names)}; see "
                "the others with: assay signals list",
            )
        values = self.pool.signal(name)
        if values.ndim != 1:
            raise self.wrong(node, f"{name} has {values.shape[1]} numbers an example, not one")
        return values

    def joined(self, node: ast.BoolOp) -> NDArray[np.bool_]:
        """Return conditions joined by `&` or `|`."""
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return join.reduce([self.mask(value) for value in node.values])

    def unary(self, node: ast.UnaryOp) -> Any:
        """Return what `~` and the sign make of a value."""
        if isinstance(node.op, ast.Not):
            return ~self.mask(node.operand)
        if not isinstance(node.op, ast.USub):
            raise self.wrong(node, f"{type(node.op).__name__} is not part of the language")
        value = self.value(node.operand)
        return -value if isinstance(value, int | float) else -self.numbers(node.operand)

    def arithmetic(self, node: ast.BinOp) -> Any:
        """Return what is calculated of columns and numbers, or the difference of two sets."""
        operate = _ARITHMETIC.get(type(node.op))
        if operate is None:
            raise self.wrong(node, f"{type(node.op).__name__} is not part of the language")
        left, right = self._operand(node.left), self._operand(node.right)
        if _is_mask(left) and _is_mask(right) and isinstance(node.op, ast.Sub):
            return left & ~right
        with np.errstate(divide="ignore", invalid="ignore"):
            return operate(np.asarray(left, np.float64), np.asarray(right, np.float64))

    def _operand(self, node: ast.expr) -> Any:
        value = self.value(node)
        if isinstance(value, str) or (isinstance(value, np.ndarray) and value.dtype.kind == "O"):
            raise self.wrong(node, "text cannot be calculated with")
        return value

    def comparison(self, node: ast.Compare) -> NDArray[np.bool_]:
        """Return where all links of a chain of comparisons hold."""
        operands = [node.left, *node.comparators]
        found = np.ones(self.pool.n, dtype=np.bool_)
        for op, left, right in zip(node.ops, operands, operands[1:], strict=False):
            if isinstance(op, ast.In | ast.NotIn):
                values = self.column(left)
                inside = np.isin(values, self._list(right, values))
                found &= (inside if isinstance(op, ast.In) else ~inside) & ~_missing(values)
            else:
                found &= self._compared(op, left, right)
        return found

    def _compared(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> NDArray[np.bool_]:
        compare = _COMPARISONS.get(type(op))
        if compare is None:
            raise self.wrong(right, f"{type(op).__name__} is not part of the language")
        values = self.value(left), self.value(right)
        if not any(isinstance(value, np.ndarray) for value in values):
            raise self.wrong(left, "two constants are compared; name a column")
        texts = [
            isinstance(v, str) or getattr(v, "dtype", np.dtype(float)).kind in "OU" for v in values
        ]
        if texts[0] != texts[1]:
            raise self.wrong(right, "text is compared with a number")
        known = ~(_missing(values[0]) | _missing(values[1]))
        if not texts[0]:
            return known & compare(*values)
        filled = [np.where(_missing(v), "", v) if isinstance(v, np.ndarray) else v for v in values]
        return known & compare(*filled).astype(np.bool_)

    def _list(self, node: ast.expr, column: Array) -> list[Any]:
        if not isinstance(node, ast.List | ast.Tuple | ast.Set):
            raise self.wrong(node, 'a list is wanted after `in`: ["en", "de"]')
        values = [self.value(item) for item in node.elts]
        text = column.dtype.kind in "OU"
        if any(isinstance(value, np.ndarray) or isinstance(value, str) != text for value in values):
            raise self.wrong(node, f"a list of {'texts' if text else 'numbers'} is wanted here")
        return values

    def call(self, node: ast.Call) -> NDArray[np.bool_]:
        """Return what one of the functions chooses."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            hint = did_you_mean(name, FUNCTIONS)
            known = ", ".join(FUNCTIONS)
            raise self.wrong(node, f"there is no function {name!r}{hint}; there are {known}")
        return FUNCTIONS[name].choose(Arguments(self, node, FUNCTIONS[name]))


def _is_mask(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.bool_


def _missing(value: Any) -> NDArray[np.bool_]:
    """Tell where there is no value: None among texts, NaN among numbers."""
    values = np.atleast_1d(value)
    if values.dtype.kind == "O":
        return np.array([item is None for item in values.tolist()])
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=np.bool_)


def _numpy(column: Any) -> Array:
    """Return a metadata column: numbers with NaN where there is none, texts with None."""
    values = column.to_numpy(zero_copy_only=False)
    if values.dtype.kind == "O" and any(isinstance(value, bool) for value in values[:1000]):
        return np.array([value is True for value in values])
    return values


_NODES: dict[type, Callable[[Evaluation, Any], Any]] = {
    ast.Constant: Evaluation.constant,
    ast.Name: Evaluation.name,
    ast.BoolOp: Evaluation.joined,
    ast.UnaryOp: Evaluation.unary,
    ast.BinOp: Evaluation.arithmetic,
    ast.Compare: Evaluation.comparison,
    ast.Call: Evaluation.call,
}
