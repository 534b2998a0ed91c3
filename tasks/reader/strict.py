"""JSON to frozen dataclasses and back, accepting one spelling only.

The answers of the cell are hostile input: a missing key, an extra key, a wrong type, a number
out of range or a string that cannot be stored raises ``ValueError`` and nothing else.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[Any], Any]

MAX_NUMBER = 1 << 53
# A string with these cannot be written to every database and file that keeps it later.
_REPLACED = dict.fromkeys([0, *range(55296, 57344)], "\ufffd")


def clean(text: str) -> str:
    """Return ``text`` with what no store can keep (NUL, lone surrogates) replaced by U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return text.translate(_REPLACED)


def loads(untrusted_bytes: bytes) -> Any:
    """Decode one JSON value, or raise ``ValueError`` whatever the fault is."""
    try:
        return json.loads(untrusted_bytes, parse_constant=_no_constant)
    except (RecursionError, MemoryError) as error:
        raise ValueError("the answer is nested too deeply") from error


def parse(kind: type[T], untrusted: Any) -> T:
    """Return ``untrusted`` as a ``kind``, or raise ``ValueError``."""
    reader: Any = _reader
    value: T = reader(kind)(untrusted)
    return value


_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


def as_json(value: Any) -> Any:
    """Return the JSON form that ``parse`` reads: objects for dataclasses, lists for tuples."""
    if isinstance(value, str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {name: as_json(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, (tuple, list)):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {key: as_json(value[key]) for key in sorted(value)}
    return value


def as_bytes(value: Any) -> bytes:
    """Return records as the bytes that travel between the cell and its parent: plain ASCII."""
    return _ENCODER.encode(as_json(value)).encode("ascii")


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


@cache
def _reader(kind: Any) -> Reader:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _SCALARS:
        return _SCALARS[kind]
    if origin in (Union, types.UnionType):
        return _optional(_reader(next(a for a in arguments if a is not type(None))))
    if origin is Literal:
        return _one_of(frozenset(arguments))
    if origin is tuple:
        return _sequence(_reader(arguments[0]))
    if origin is dict:
        return _mapping(_reader(arguments[1]))
    if is_dataclass(kind):
        return _record(kind)
    if hasattr(kind, "_fields"):
        return _row(kind)
    raise TypeError(f"no reader for {kind!r}")


def _record(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = {f.name: _reader(hints[f.name]) for f in fields(kind)}

    def read(value: Any) -> Any:
        if not isinstance(value, dict) or value.keys() != readers.keys():
            raise ValueError(f"not a {kind.__name__}")
        return kind(**{name: reader(value[name]) for name, reader in readers.items()})

    return read


def _row(kind: Any) -> Reader:
    readers = [_reader(hint) for hint in get_type_hints(kind).values()]

    def read(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != len(readers):
            raise ValueError(f"not a {kind.__name__}")
        return kind(*[reader(item) for reader, item in zip(readers, value, strict=True)])

    return read


def _sequence(item: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError("not a list")
        return tuple(item(one) for one in value)

    return read


def _mapping(item: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("not an object")
        return {_text(key): item(one) for key, one in value.items()}

    return read


def _optional(inner: Reader) -> Reader:
    return lambda value: None if value is None else inner(value)


def _one_of(choices: frozenset[Any]) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, (str, bool)) or value not in choices:
            raise ValueError("not one of the allowed words")
        return value

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str) or value != clean(value):
        raise ValueError("not a string that can be kept")
    return value


def _integer(value: Any) -> int:
    if type(value) is not int or not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise ValueError("not an integer in range")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError("not a finite number")
    return float(value)


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("not true or false")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_SCALARS: dict[Any, Reader] = {str: _text, int: _integer, float: _number, bool: _flag}
