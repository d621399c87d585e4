"""Plain data, as YAML and JSON give it → frozen dataclasses, or the first thing that is wrong and where.

Our own 100 lines: msgspec takes half the time to import that Click takes, pydantic as much as Click, and
`deploy profiles` has to start within twice a bare Click program. Types are those that the core's records use.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from types import UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
KeyPath = tuple[str | int, ...]

_WORDS: Final = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Decimal: "an amount of USD",
    date: "a date such as 2026-11-24",
}


class Refused(ValueError):
    """What is wrong, and at which key."""

    def __init__(self, path: KeyPath, message: str) -> None:
        super().__init__(message)
        self.path = path


def convert(data: Any, type_: type[T], path: KeyPath = ()) -> T:
    """Raises Refused for an unknown or missing key, a wrong type, and a value that a record refuses."""
    converted: T = _convert(data, type_, path)
    return converted


def plain(record: Any) -> Any:
    """The inverse: JSON-ready, money as decimal strings, dates as ISO 8601."""
    if dataclasses.is_dataclass(record):
        return {field.name: plain(getattr(record, field.name)) for field in dataclasses.fields(record)}
    if isinstance(record, tuple):
        return [plain(item) for item in record]
    if isinstance(record, Mapping):
        return {key: plain(value) for key, value in record.items()}
    return str(record) if isinstance(record, Decimal | date) else record


def chosen(record: Any) -> dict[str, Any]:
    """Plain data of a record, less what is as its defaults are; it converts back to the same record."""
    fields = {field.name: (field, getattr(record, field.name)) for field in dataclasses.fields(record)}
    return {name: _chosen(value) for name, (field, value) in fields.items() if not _is_default(field, value)}


def _chosen(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return chosen(value)
    return [_chosen(item) for item in value] if isinstance(value, tuple) else plain(value)


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    made = field.default_factory is not dataclasses.MISSING and value == field.default_factory()
    return made or (field.default is not dataclasses.MISSING and value == field.default)


def _convert(data: Any, type_: Any, path: KeyPath) -> Any:
    if dataclasses.is_dataclass(type_):
        return _record(data, type_, path)
    if get_origin(type_) in (UnionType, Union):
        # Every union of ours is `X | None`; of a Literal it is typing's own kind.
        return None if data is None else _convert(data, get_args(type_)[0], path)
    if get_origin(type_) is tuple:
        return _items(data, get_args(type_)[0], path)
    if get_origin(type_) is Mapping:
        return _mapping(data, get_args(type_), path)
    if get_origin(type_) is Literal:
        return _choice(data, get_args(type_), path)
    return _scalar(data, type_, path)


def _record(data: Any, type_: Any, path: KeyPath) -> Any:
    if not isinstance(data, Mapping):
        raise Refused(path, f"expected a mapping of keys, got {_shown(data)}")
    hints = _hints(type_)
    for key in data:
        if key not in hints:
            raise Refused((*path, str(key)), f"unknown key; expected one of {', '.join(sorted(hints))}")
    for field in dataclasses.fields(type_):
        if field.name not in data and _is_required(field):
            raise Refused((*path, field.name), "is required")
    values = {key: _convert(value, hints[key], (*path, key)) for key, value in data.items()}
    try:
        return type_(**values)
    except ValueError as error:
        raise _refused_by(error, hints, path) from error


def _refused_by(error: ValueError, hints: Mapping[str, Any], path: KeyPath) -> Refused:
    """Records say `field must …` where one field is to blame."""
    name, must, rest = str(error).partition(" must ")
    return Refused((*path, name), f"must {rest}") if must and name in hints else Refused(path, str(error))


def _items(data: Any, type_: Any, path: KeyPath) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise Refused(path, f"expected a list, got {_shown(data)}")
    return tuple(_convert(item, type_, (*path, index)) for index, item in enumerate(data))


def _mapping(data: Any, types: tuple[Any, ...], path: KeyPath) -> dict[Any, Any]:
    if not isinstance(data, Mapping):
        raise Refused(path, f"expected a mapping, got {_shown(data)}")
    key_type, value_type = types
    return {
        _convert(key, key_type, (*path, str(key))): _convert(value, value_type, (*path, str(key)))
        for key, value in data.items()
    }


def _choice(data: Any, choices: tuple[str, ...], path: KeyPath) -> Any:
    if data not in choices:
        raise Refused(path, f"expected one of {', '.join(filter(None, choices))}, got {_shown(data)}")
    return data


def _scalar(data: Any, type_: Any, path: KeyPath) -> Any:
    # bool is an int in Python, and datetime a date; neither is meant.
    if type(data) is type_ and type_ is not Decimal:
        return data
    if type_ is float and type(data) is int:
        return data
    if type_ is date and (day := _day(data)) is not None:
        return day
    if type_ is Decimal and (usd := _usd(data)) is not None:
        return usd
    raise Refused(path, f"expected {_WORDS[type_]}, got {_shown(data)}")


def _day(data: Any) -> date | None:
    """JSON has no dates: ISO 8601 in text."""
    try:
        return date.fromisoformat(data) if isinstance(data, str) else None
    except ValueError:
        return None


def _usd(data: Any) -> Decimal | None:
    """Exact for what was written: 0.1 in YAML is a float whose shortest text is 0.1. None for no or not a number."""
    try:
        usd = Decimal(str(data)) if type(data) in (int, float, str, Decimal) else None
    except InvalidOperation:
        return None
    return usd if usd is not None and usd.is_finite() else None


def _shown(data: Any) -> str:
    if data is None:
        return "nothing"
    if isinstance(data, Mapping | list):
        return "a mapping" if isinstance(data, Mapping) else "a list"
    text = repr(data) if isinstance(data, str) else str(data)
    return text if len(text) <= 60 else f"{text[:57]}…"


@cache
def _hints(type_: type) -> dict[str, Any]:
    return get_type_hints(type_)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
