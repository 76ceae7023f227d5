"""YAML or JSON into frozen dataclasses, strictly: no unknown key, no missing key, no silent cast."""

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml

from assay.errors import TrackError

T = TypeVar("T")


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice (YAML would silently keep the last)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build one mapping, checking that its keys are all different."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise TrackError(f"{node.start_mark.name}: key {key!r} is given twice; keep one")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def load_yaml(path: Path) -> Any:
    """Parse one YAML document.

    Raises:
        TrackError: If the file is absent, cannot be read, is not YAML, or repeats a key.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            return yaml.load(stream, Loader=_StrictLoader)  # a SafeLoader
    except FileNotFoundError:
        raise TrackError(f"{path} does not exist; list what does with: assay tracks") from None
    except OSError as error:
        raise TrackError(
            f"{path} cannot be read ({error.strerror}); it has to be a YAML file"
        ) from None
    except (yaml.YAMLError, ValueError) as error:  # not UTF-8, or a date that is none
        raise TrackError(f"{path} is not YAML: {' '.join(str(error).split())}") from None


def parse(kind: type[T], value: Any, where: str) -> T:
    """Turn plain data into `kind`, a frozen dataclass whose fields may nest.

    Integers are accepted where a float is declared; nothing else is converted, so that PyYAML's
    `3e-3` (a string) is refused instead of training at a wrong learning rate.

    Args:
        kind: The dataclass.
        value: What the YAML or JSON parser returned.
        where: Path of the value for error messages, such as `tracks/text/scales/nano.yaml`.

    Raises:
        TrackError: Naming the place, what was expected and what was got.
    """
    return _convert(kind, value, where)


def _refuse(where: str, expected: str, value: Any) -> typing.NoReturn:
    raise TrackError(f"{where}: expected {expected}, got {value!r} ({type(value).__name__})")


def _convert(kind: Any, value: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _convert_union(kind, value, where)
    if dataclasses.is_dataclass(kind):
        return _convert_dataclass(kind, value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            _refuse(where, "a list", value)
        inner = get_args(kind)[0]
        return tuple(_convert(inner, item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            _refuse(where, "a mapping", value)
        inner = get_args(kind)[1]
        return {str(k): _convert(inner, item, f"{where}.{k}") for k, item in value.items()}
    if origin is typing.Literal:
        if value not in get_args(kind):
            _refuse(where, "one of " + ", ".join(map(str, get_args(kind))), value)
        return value
    return _convert_scalar(kind, value, where)


def _convert_union(kind: Any, value: Any, where: str) -> Any:
    """Only `X | None` is used: a value is None or an X."""
    if value is None:
        return None
    (inner,) = (arm for arm in get_args(kind) if arm is not types.NoneType)
    return _convert(inner, value, where)


def _convert_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in (int, float, str, bool) and type(value) is kind:
        return value
    _refuse(where, getattr(kind, "__name__", str(kind)), value)


def _convert_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        _refuse(where, f"a mapping ({kind.__name__})", value)
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    if unknown := sorted(set(value) - set(fields)):
        raise TrackError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(fields)}")
    required = [
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if missing := [name for name in required if name not in value]:
        raise TrackError(f"{where}: key {missing[0]!r} is missing")
    return kind(
        **{name: _convert(hints[name], item, f"{where}.{name}") for name, item in value.items()}
    )


def plain(value: Any) -> Any:
    """Turn a dataclass (or a container of them) back into JSON-able data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'nano'?)` for the known word most like this one, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
