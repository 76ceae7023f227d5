"""The functions of the language of `assay select --where`: each returns which examples it chooses."""

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import StrategyError, SubmissionError
from assay.strategy.sampling import choose

if TYPE_CHECKING:
    from assay.strategy.where import Evaluation

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Function:
    """A function of the language.

    Attributes:
        usage: How it is called, for messages.
        parameters: Names of its arguments, in order.
        choose: From arguments to what is chosen, (n,).
    """

    usage: str
    parameters: tuple[str, ...]
    choose: Callable[["Arguments"], Mask]


class Arguments:
    """The arguments of a call, each evaluated as what it has to be when it is asked for."""

    def __init__(self, evaluation: "Evaluation", node: ast.Call, function: Function):
        """Match what is given with the parameters.

        Raises:
            StrategyError: If that cannot be done.
        """
        self._evaluation, self._node, self._usage = evaluation, node, function.usage
        self._given: dict[str, ast.expr] = {}
        if len(node.args) > len(function.parameters):
            raise self._misused(node)
        keywords = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
        for key, value in [*zip(function.parameters, node.args, strict=False), *keywords]:
            if key not in function.parameters or key in self._given:
                raise self._misused(value)
            self._given[key] = value

    def _misused(self, node: ast.expr) -> StrategyError:
        return self._evaluation.wrong(node, f"it is called so: {self._usage}")

    def node(self, key: str) -> ast.expr:
        """Return the tree of an argument.

        Raises:
            StrategyError: If it is missing.
        """
        if key not in self._given:
            raise self._misused(self._node)
        return self._given[key]

    def wrong(self, key: str, message: str) -> StrategyError:
        """Return the error that says what is wrong with an argument."""
        return self._evaluation.wrong(self.node(key), message)

    def number(self, key: str, default: float | None = None, most: float = math.inf) -> float:
        """Return a number from 0 to `most`."""
        if key not in self._given and default is not None:
            return default
        value = self._evaluation.value(self.node(key))
        if not isinstance(value, int | float) or not 0 <= value <= most:
            raise self.wrong(key, f"{key} is a number from 0" + (" to 1" if most == 1 else ""))
        return float(value)

    def text(self, key: str) -> str:
        """Return a text."""
        value = self._evaluation.value(self.node(key))
        if not isinstance(value, str):
            raise self.wrong(key, f"{key} is a text")
        return value

    def groups(self, key: str) -> tuple[NDArray[np.int64], list[Any]]:
        """Return the (n,) number of each example's group, and the groups; None is one of them."""
        import pyarrow as pa

        encoded = pa.array(self._evaluation.column(self.node(key))).dictionary_encode("encode")
        return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()

    def scores(self, key: str, within: Mask, sign: int = 1) -> NDArray[np.float64]:
        """Return a column of numbers, NaN outside `within`; all equal where it is not given."""
        given = key in self._given
        values = self._evaluation.numbers(self.node(key)) if given else np.zeros(len(within))
        return np.where(within, sign * values, np.nan)

    def within(self) -> Mask:
        """Return the candidates."""
        if "within" not in self._given:
            return np.ones(self._evaluation.pool.n, dtype=np.bool_)
        return self._evaluation.mask(self._given["within"])

    def chosen(self, scores: NDArray[np.float64], amount: float, **how: Any) -> Mask:
        """Return what `choose` makes of the scores, by group where `per` is given."""
        groups = self.groups("per")[0] if "per" in self._given else None
        rows = choose(scores, self._evaluation.noise(), amount, **{"groups": groups, **how})
        return self.mask(rows)

    def mask(self, rows: NDArray[np.integer]) -> Mask:
        """Return rows as a mask."""
        found = np.zeros(self._evaluation.pool.n, dtype=np.bool_)
        found[rows] = True
        return found

    def rows_of(self, path: Path) -> NDArray[np.int64]:
        """Return the rows of a list of ids, and note its digest."""
        return self._evaluation.rows_of_list(path)


def _best(arguments: Arguments, sign: int) -> Mask:
    within = arguments.within()
    amount = round(arguments.number("fraction", most=1) * np.count_nonzero(within))
    return arguments.chosen(arguments.scores("column", within, sign), amount)


def _sample(arguments: Arguments) -> Mask:
    within = arguments.within()
    amount = round(arguments.number("fraction", most=1) * np.count_nonzero(within))
    temperature = arguments.number("temperature", 1.0)
    return arguments.chosen(arguments.scores("column", within), amount, temperature=temperature)


def _cap(arguments: Arguments) -> Mask:
    within, (groups, names) = arguments.within(), arguments.groups("group")
    most = int(arguments.number("n"))
    return _up_to(arguments, within, groups, np.full(len(names), most))


def _quota(arguments: Arguments) -> Mask:
    within, (groups, names) = arguments.within(), arguments.groups("group")
    most = np.zeros(len(names), dtype=np.int64)
    for name, number in _numbers(arguments).items():
        if name not in names:
            raise arguments.wrong("numbers", f"no example is in group {name!r}")
        if type(number) is not int or number < 0:
            raise arguments.wrong("numbers", f"{name!r} takes a whole number, got {number!r}")
        most[names.index(name)] = number
    return _up_to(arguments, within, groups, most)


def _numbers(arguments: Arguments) -> dict[Any, Any]:
    node = arguments.node("numbers")
    try:
        numbers = ast.literal_eval(node) if isinstance(node, ast.Dict) else {}
    except ValueError:
        numbers = {}
    if not numbers:
        raise arguments.wrong("numbers", 'numbers are given so: {"wiki": 500, "web": 1000}')
    return numbers


def _up_to(
    arguments: Arguments, within: Mask, groups: NDArray[np.int64], most: NDArray[np.int64]
) -> Mask:
    """Choose at most so many of each group, by score or at random."""
    scores = arguments.scores("by", within)
    available = np.bincount(groups[~np.isnan(scores)], minlength=len(most))
    given = np.minimum(available, most)
    # Asked for exactly what each group can give, no share has to be passed on.
    shares = dict(enumerate(given.tolist()))
    return arguments.chosen(scores, int(given.sum()), groups=groups, shares=shares)


def _ids(arguments: Arguments) -> Mask:
    path = Path(arguments.text("file"))
    try:
        return arguments.mask(arguments.rows_of(path))
    except OSError as error:
        raise arguments.wrong("file", f"{path} cannot be read ({error.strerror})") from None
    except SubmissionError as error:
        raise arguments.wrong("file", f"{path} is no list of ids of this pool ({error})") from None


_CHOICE = ("column", "fraction")
_SCOPE = ("per", "within")

FUNCTIONS: dict[str, Function] = {
    "top": Function(
        "top(column, fraction, per=group, within=condition)",
        (*_CHOICE, *_SCOPE),
        lambda a: _best(a, 1),
    ),
    "bottom": Function(
        "bottom(column, fraction, per=group, within=condition)",
        (*_CHOICE, *_SCOPE),
        lambda a: _best(a, -1),
    ),
    "sample": Function(
        "sample(column, fraction, temperature=1.0, per=group, within=condition)",
        (*_CHOICE, "temperature", *_SCOPE),
        _sample,
    ),
    "cap": Function(
        "cap(group, n, by=column, within=condition)", ("group", "n", "by", "within"), _cap
    ),
    "quota": Function(
        'quota(group, {"name": n, ...}, by=column, within=condition)',
        ("group", "numbers", "by", "within"),
        _quota,
    ),
    "ids": Function('ids("list.npy")', ("file",), _ids),
}
