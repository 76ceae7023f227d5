"""Find, load and check a strategy file, and the settings that a person gives it."""

import inspect
import math
import traceback
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.canonical import digest_bytes
from assay.errors import StrategyError, UserError
from assay.home import package_folder
from assay.spec import did_you_mean

Setting = int | float | str | bool

EXAMPLE = "def select(pool, *, seed: int, fraction: float = 0.3): ..."


@dataclass(frozen=True)
class Strategy:
    """A strategy file, loaded.

    Attributes:
        name: File stem.
        path: The file.
        digest: `sha256:...` of the file.
        summary: First line of its docstring.
        select: Its function.
        defaults: Parameters that can be set, with their default values.
        reads_truth: Whether it asks for the hidden ground truth.
    """

    name: str
    path: Path
    digest: str
    summary: str
    select: Callable[..., Any]
    defaults: dict[str, Setting]
    reads_truth: bool


def list_strategies(modality: str) -> list[str]:
    """Return the names of the package's own strategies."""
    return sorted(path.stem for path in (package_folder("baselines") / modality).glob("*.py"))


def load_strategy(name: str, modality: str) -> Strategy:
    """Load one of the package's strategies by name, or any file by its path.

    Args:
        name: File stem, or a path that ends in `.py`.
        modality: Such as `text`; says where names are looked up.

    Raises:
        StrategyError: If there is no such strategy, or the file is not as it should be.
    """
    path = Path(name).absolute() if name.endswith(".py") else _find(name, modality)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise StrategyError(f"{path} cannot be read ({error.strerror}); check the path") from None
    module = types.ModuleType(f"assay_strategy_{path.stem}")
    module.__file__ = str(path)
    with errors_of(path):
        # Compiled here, not imported: what runs is what was digested, and no cache is left behind.
        exec(compile(source, str(path), "exec"), module.__dict__)
    select = getattr(module, "select", None)
    if not callable(select):
        raise StrategyError(f"{path.name} has no function `select`; write one: {EXAMPLE}")
    summary = (module.__doc__ or "").strip()
    if not summary:
        raise StrategyError(f"{path.name} has no docstring; begin it with claim, source and cost")
    defaults, reads_truth = _parameters(path, select)
    if reads_truth and package_folder("baselines").resolve() not in path.resolve().parents:
        raise StrategyError(
            f"{path.name} asks for `truth`, the hidden ground truth, which only the package's own "
            "oracle and diagnostics may read; take that parameter out"
        )
    return Strategy(
        name=path.stem,
        path=path,
        digest=digest_bytes(source),
        summary=summary.splitlines()[0],
        select=select,
        defaults=defaults,
        reads_truth=reads_truth,
    )


def _find(name: str, modality: str) -> Path:
    known = list_strategies(modality)
    if name not in known:
        raise StrategyError(
            f"there is no {modality} strategy {name!r}{did_you_mean(name, known)}; there are {', '.join(known)}; your own "
            "file goes by its path: assay select path/to/mine.py"
        )
    return package_folder("baselines") / modality / f"{name}.py"


@contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """Turn whatever a strategy file raises into one line that names its line."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or [None])[-1]
        where = f"{path.name} line {line}" if line else path.name
        advice = "see all with -v"
        if isinstance(error, ModuleNotFoundError):
            advice = f"install it: pip install -c constraints.txt -e '.[clip]' has what baselines need; {advice}"
        raise StrategyError(f"{where}: {type(error).__name__}: {error}; {advice}") from error


def _parameters(path: Path, select: Callable[..., Any]) -> tuple[dict[str, Setting], bool]:
    """Return the settable parameters with their defaults, and whether `truth` is wanted."""
    parameters = list(inspect.signature(select).parameters.values())
    names = [parameter.name for parameter in parameters]
    if names[:1] != ["pool"] or "seed" not in names:
        raise StrategyError(
            f"{path.name}: `select` takes ({', '.join(names)}); it takes a pool, a seed and "
            f"parameters with defaults: {EXAMPLE}"
        )
    defaults: dict[str, Setting] = {}
    for parameter in parameters[1:]:
        if parameter.name in ("seed", "truth"):
            continue
        if not isinstance(parameter.default, bool | int | float | str):
            raise StrategyError(
                f"{path.name}: parameter {parameter.name} needs a default that is a number, a text, "
                "or true or false, so that everybody runs the same"
            )
        is_float = parameter.annotation in (float, "float")
        defaults[parameter.name] = float(parameter.default) if is_float else parameter.default
    return defaults, "truth" in names


def parse_settings(strategy: Strategy, words: Iterable[str]) -> dict[str, Setting]:
    """Turn `key=value` words into values of the types that the strategy's defaults have.

    Returns:
        Every parameter of the strategy, set or not.

    Raises:
        StrategyError: For a word that is no `key=value`, an unknown key, or a value that does not
            convert.
    """
    settings = dict(strategy.defaults)
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise StrategyError(f"--set takes key=value, got {word!r}")
        if key not in settings:
            known = ", ".join(f"{name}={value}" for name, value in strategy.defaults.items())
            hint = did_you_mean(key, settings)
            raise StrategyError(
                f"{strategy.name} has no parameter {key!r}{hint}; it has {known or 'none'}"
            )
        settings[key] = _convert(key, text, type(strategy.defaults[key]))
    return settings


def _convert(key: str, text: str, kind: type) -> Setting:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise StrategyError(f"{key} is true or false, got {text!r}")
        return text.lower() == "true"
    try:
        value = kind(text)
    except ValueError:
        raise StrategyError(f"{key} is of type {kind.__name__}, got {text!r}") from None
    if kind is float and not math.isfinite(value):
        raise StrategyError(f"{key} is a finite number, got {text!r}")
    return value
