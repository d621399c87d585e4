"""A mapping that remembers where each of its keys was written, and its conversion to core types."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import yaml

from breakeven.errors import InputError

T = TypeVar("T")
KeyPath = tuple[str | int, ...]

# The C parser is ten times as fast and comes with PyYAML's wheels.
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Source:
    """Plain data with the origin (`file:line`, or a flag) of each path in it."""

    def __init__(self, data: Any, origins: dict[KeyPath, str]) -> None:
        self.data = data
        self._origins = origins

    @classmethod
    def empty(cls) -> Source:
        return cls({}, {})

    @classmethod
    def read(cls, path: Path) -> Source:
        """Parse a YAML file. Raises InputError: unreadable, malformed, duplicate key."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read it: {getattr(error, 'strerror', None) or error}", where=str(path)) from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, name: str) -> Source:
        """Parse YAML text that came from `name`."""
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            data = None if node is None else loader.construct_document(node)
        except (yaml.YAMLError, ValueError) as error:
            raise _malformed(error, name) from error
        finally:
            loader.dispose()
        return cls(data, dict(_origins(node, name)))

    def lay(self, path: KeyPath, value: Any, origin: str) -> None:
        """Put `value` over what stands at `path`; later errors there name `origin`."""
        target = self.data
        for key in path[:-1]:
            if not isinstance(target.get(key), dict):
                target[key] = {}
            target = target[key]
        target[path[-1]] = value
        self._origins[path] = origin

    def convert(self, type_: type[T]) -> T:
        """Raises InputError for the first unknown key, wrong type or refused value."""
        for path, known in _unknown_keys(self.data, type_):
            raise InputError(f"unknown key; expected one of {', '.join(sorted(known))}", where=self.where(path))
        try:
            return msgspec.convert(self.data, type_)
        except msgspec.ValidationError as error:
            message, _, json_path = str(error).partition(" - at `")
            path = _parse_json_path(json_path.rstrip("`"))
            missing = re.search(r"missing required field `(\w+)`", message)
            if missing:
                message, path = "is required", (*path, missing.group(1))
            raise InputError(message[:1].lower() + message[1:], where=self.where(path)) from error

    def where(self, path: KeyPath) -> str:
        """`file:line: key.path`; a missing key is where its nearest parent is; a flag speaks for itself."""
        origin = next((self._origins[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self._origins), "")
        if origin.startswith("--"):
            return origin
        return ": ".join(part for part in (origin, _dotted(path)) if part)


def _malformed(error: Exception, name: str) -> InputError:
    mark = getattr(error, "problem_mark", None)
    where = f"{name}:{mark.line + 1}" if mark else name
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return InputError(f"malformed YAML: {problem}", where=where)


def _origins(node: yaml.Node | None, name: str, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """The line of each key and item. Raises InputError for a duplicate key, which YAML parsers swallow."""
    if node is None:
        return
    yield path, f"{name}:{node.start_mark.line + 1}"
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _origins(item, name, (*path, index))
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here = (*path, str(key.value))
            if key.value in seen:
                where = f"{name}:{key.start_mark.line + 1}: {_dotted(here)}"
                raise InputError("duplicate key", where=where)
            seen.add(key.value)
            yield from _origins(value, name, here)
            yield here, f"{name}:{key.start_mark.line + 1}"


def _unknown_keys(data: Any, type_: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, set[str]]]:
    """Keys that no field of the dataclasses in `type_` takes; msgspec ignores them for dataclasses."""
    if dataclasses.is_dataclass(type_) and isinstance(data, dict):
        hints = get_type_hints(type_)
        for key, value in data.items():
            if key not in hints:
                yield (*path, str(key)), set(hints)
            else:
                yield from _unknown_keys(value, hints[key], (*path, key))
    elif get_origin(type_) is tuple and isinstance(data, list):
        for index, item in enumerate(data):
            yield from _unknown_keys(item, get_args(type_)[0], (*path, index))
    elif isinstance(type_, UnionType):
        for option in get_args(type_):
            yield from _unknown_keys(data, option, path)


def _parse_json_path(text: str) -> KeyPath:
    """`$.a.b[0]` → ("a", "b", 0)."""
    parts = re.findall(r"\.([^.\[]+)|\[(\d+)\]", text)
    return tuple(int(index) if index else key for key, index in parts)


def _dotted(path: KeyPath) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
