"""A mapping that remembers where each of its keys was written, and its conversion to core types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from breakeven import plain_text
from breakeven.convert import KeyPath, Refused, convert
from breakeven.errors import InputError

T = TypeVar("T")

# The C parser is ten times as fast and comes with PyYAML's wheels.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_MOST_NESTED: Final = 100
_MOST_MERGED: Final = 100_000


class _Loader(_Parser):  # type: ignore[misc]
    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """A scalar that looks like a date, or a number, and is none has a line, too."""
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from error


class Source:
    """Plain data with the origin (`file:line`, or a flag) of each path in it."""

    def __init__(self, data: Any, origins: dict[KeyPath, str]) -> None:
        self.data = data
        self._origins = origins

    @classmethod
    def read(cls, path: Path) -> Source:
        """Parse a YAML file. Raises InputError: unreadable, malformed, duplicate key."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot read it: {error.strerror}", where=str(path)) from error
        return cls.parse(plain_text.decode(data, str(path)), str(path))

    @classmethod
    def parse(cls, text: str, name: str) -> Source:
        """Parse YAML text that came from `name`."""
        try:
            refuse_depth(text, name)
            loader = _Loader(text)
            node = loader.get_single_node()
            # Before the construction, which copies merged keys (`<<`) into the nodes.
            origins: dict[KeyPath, str] = {(): name}
            if node:
                origins.update(_origins(node, name))
                _refuse_merges(node, name)
            data = None if node is None else loader.construct_document(node)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise _malformed(error, name) from error
        return cls(data, origins)

    def lay(self, path: KeyPath, value: Any, origin: str) -> None:
        """Put `value` over what stands at `path`; later errors there name `origin`."""
        target = self.data
        for key in path[:-1]:
            if isinstance(target, dict) and target.get(key) is None:
                target[key] = {}
            target = target[key] if isinstance(target, dict) else None
        if not isinstance(target, dict):
            return  # What is wrong in the file must not be hidden; `convert` refuses it.
        target[path[-1]] = value
        self._origins[path] = origin

    def take(self, key: str) -> tuple[Any, str] | None:
        """Remove a top-level key: its value and where it was written; None where it is not."""
        if not isinstance(self.data, dict) or key not in self.data:
            return None
        return self.data.pop(key), self.where((key,))

    def over(self, base: Source) -> Source:
        """Both, key by key: mappings are merged, any other value replaces that of the base."""
        data, replaced = _laid(self.data, base.data, ())
        kept = {path: origin for path, origin in base._origins.items() if not _is_below(path, replaced)}
        return Source(data, {**kept, **self._origins})

    def graft(self, path: KeyPath, other: Source) -> None:
        """Put what `other` holds at `path`, with its origins."""
        self.lay(path, other.data, other.where(()))
        self._origins.update({(*path, *key): origin for key, origin in other._origins.items()})

    def convert(self, type_: type[T]) -> T:
        """Raises InputError for the first unknown key, wrong type or refused value."""
        try:
            return convert(self.data, type_)
        except Refused as error:
            raise InputError(str(error), where=self.where(error.path)) from error

    def where(self, path: KeyPath) -> str:
        """`file:line: key.path`; a missing key is where its nearest parent is; a flag speaks for itself."""
        prefixes = (path[:length] for length in range(len(path), -1, -1))
        origin = next((self._origins[prefix] for prefix in prefixes if prefix in self._origins), "")
        if origin.startswith(("--", "BREAKEVEN_")):
            return origin
        return ": ".join(part for part in (origin, _dotted(path)) if part)


def _laid(data: Any, base: Any, path: KeyPath) -> tuple[Any, set[KeyPath]]:
    """`data` over `base`, and the paths whose values in the base are replaced."""
    if not isinstance(data, dict) or not isinstance(base, dict):
        return data, {path}
    merged, replaced = dict(base), set[KeyPath]()
    for key, value in data.items():
        merged[key], below = _laid(value, base[key], (*path, key)) if key in base else (value, set())
        replaced |= below
    return merged, replaced


def _is_below(path: KeyPath, replaced: set[KeyPath]) -> bool:
    return any(path[:length] in replaced for length in range(len(path) + 1))


def _malformed(error: Exception, name: str) -> InputError:
    mark = getattr(error, "problem_mark", None)
    where = f"{name}:{mark.line + 1}" if mark else name
    said = [getattr(error, name, None) for name in ("context", "problem")]
    problem = ", ".join(part for part in said if part) or str(error).splitlines()[0]
    return InputError(f"malformed YAML: {problem}", where=where)


def refuse_depth(text: str, name: str) -> None:
    """The C parser's composer calls itself for each level: the stack would overflow, and end the process.

    Levels come from brackets, or from marks in one line: by indentation alone a file of this depth has megabytes.
    """
    marks = max((line.count("-") + line.count("?") for line in text.splitlines()), default=0)
    if text.count("[") + text.count("{") + marks <= _MOST_NESTED:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MOST_NESTED:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise InputError(f"nested more than {_MOST_NESTED} deep", where=f"{name}:{line}")


def _refuse_merges(root: yaml.Node, name: str) -> None:
    """Merged keys (`<<`) are copied in the construction: a few lines of them can ask for all memory."""
    counted: dict[int, int] = {}

    def count(node: yaml.Node) -> int:
        if id(node) not in counted:
            counted[id(node)] = 0  # A cycle, which the construction refuses.
            counted[id(node)] = sum(_copied(key, value, count) for key, value in _pairs(node))
        if counted[id(node)] > _MOST_MERGED:
            raise InputError("merged keys (<<) repeat without end", where=f"{name}:{node.start_mark.line + 1}")
        return counted[id(node)]

    count(root)


def _pairs(node: yaml.Node) -> Iterator[tuple[yaml.Node | None, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from node.value
    elif isinstance(node, yaml.SequenceNode):
        yield from ((None, item) for item in node.value)


def _copied(key: yaml.Node | None, value: yaml.Node, count: Callable[[yaml.Node], int]) -> int:
    """Keys that this one brings: what it merges, or itself. An item of a list counts as what is in it."""
    found = count(value)
    return found if key is None or key.tag == "tag:yaml.org,2002:merge" else 1


def _origins(root: yaml.Node, name: str) -> Iterator[tuple[KeyPath, str]]:
    """The line of each key and item. Raises InputError for a duplicate key, which YAML parsers swallow.

    A node that aliases repeat is walked once: they may nest without end.
    """
    waiting: list[tuple[KeyPath, yaml.Node]] = [((), root)]
    walked: set[int] = set()
    yield (), f"{name}:{root.start_mark.line + 1}"
    while waiting:
        path, node = waiting.pop()
        if id(node) in walked:
            continue
        walked.add(id(node))
        for key, line, child in _children(node, name, path):
            yield (*path, key), f"{name}:{line}"
            waiting.append(((*path, key), child))


def _children(node: yaml.Node, name: str, path: KeyPath) -> Iterator[tuple[str | int, int, yaml.Node]]:
    """Key or index, line of it, and what stands there."""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield index, item.start_mark.line + 1, item
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if str(key.value) in seen:
                raise InputError("duplicate key", where=f"{name}:{line}: {_dotted((*path, str(key.value)))}")
            seen.add(str(key.value))
            yield str(key.value), line, value


def _dotted(path: KeyPath) -> str:
    """What a terminal would obey, or not show, is escaped."""
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in dotted)
