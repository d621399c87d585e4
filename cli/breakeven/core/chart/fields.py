"""What may stand in a field: checked when a record is made, and written into the chart's JSON schema.

A field of a record is `Annotated[type, "what it is", constraint]`; only lists and mappings constrain what they hold.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints


@dataclass(frozen=True, kw_only=True)
class Text:
    """The whole text matches. `words` says so to a human: "must be …"."""

    pattern: str
    words: str
    at_most: int | None = None
    never: tuple[str, ...] = ()

    def takes(self, value: str) -> bool:
        short = self.at_most is None or len(value) <= self.at_most
        return short and value not in self.never and re.fullmatch(self.pattern, value) is not None

    def schema(self) -> dict[str, Any]:
        length = {} if self.at_most is None else {"maxLength": self.at_most}
        never = {"not": {"enum": list(self.never)}} if self.never else {}
        return {"pattern": f"^({self.pattern})$", **length, **never}


@dataclass(frozen=True, kw_only=True)
class Number:
    """A range, its ends included unless `above` says otherwise."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None

    @property
    def words(self) -> str:
        low = f"above {self.above:,}" if self.above is not None else f"at least {self.at_least:,}"
        return low if self.at_most is None else f"{low} and at most {self.at_most:,}"

    def takes(self, value: float) -> bool:
        low = value > self.above if self.above is not None else self.at_least is None or value >= self.at_least
        return low and (self.at_most is None or value <= self.at_most)

    def schema(self) -> dict[str, Any]:
        named = {"minimum": self.at_least, "exclusiveMinimum": self.above, "maximum": self.at_most}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class NotEmpty:
    """Of a list, whose items may be constrained as well."""

    words = "a list with at least one item"

    def takes(self, value: tuple[Any, ...]) -> bool:
        return bool(value)

    def schema(self) -> dict[str, Any]:
        return {"minItems": 1}


Constraint = Text | Number | NotEmpty

COUNT: Final = Number(at_least=1, at_most=1_000_000_000)
SECONDS: Final = COUNT
# Of an object, or none. https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
NAME: Final = Text(
    pattern=r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?",
    words="at most 253 of a-z, 0-9, '.' and '-', and begin and end with a-z or 0-9",
    at_most=253,
)
REQUIRED_NAME: Final = Text(pattern=r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", words=NAME.words, at_most=253)
SECRET_KEY: Final = Text(pattern=r"[-._a-zA-Z0-9]+", words="a key of a Secret", at_most=253)
LABEL_KEY: Final = Text(
    pattern=r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?",
    words="a key of labels such as example.com/team",
    at_most=317,
)
LABEL_VALUE: Final = Text(
    pattern=r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?",
    words="at most 63 of A-Z, a-z, 0-9, '.', '_' and '-', and begin and end with a letter or digit",
)
HOST: Final = Text(
    pattern=r"((\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)?",
    words="a DNS name such as llm.example.com",
    at_most=253,
)


def hints(record: Any) -> dict[str, Any]:
    """Types of the fields with their annotations, in the order of the fields."""
    return _hints(record)


@cache
def _hints(record: Any) -> dict[str, Any]:
    found = get_type_hints(record, include_extras=True)
    return {field.name: found[field.name] for field in dataclasses.fields(record)}


def parts(hint: Any) -> tuple[Any, str, Constraint | None]:
    """Bare type, description, constraint."""
    if get_origin(hint) is not Annotated:
        return hint, "", None
    bare, *notes = get_args(hint)
    said = next((note for note in notes if isinstance(note, str)), "")
    return bare, said, next((note for note in notes if isinstance(note, Constraint)), None)


def check(record: Any) -> None:
    """Raise ValueError `field must …` for the first field whose value its constraint refuses."""
    for name, hint in hints(type(record)).items():
        for constraint, value in _constrained(hint, getattr(record, name)):
            if not constraint.takes(value):
                raise ValueError(f"{name} must be {constraint.words}, got {value!r}")


def _constrained(hint: Any, value: Any) -> Iterator[tuple[Constraint, Any]]:
    """The constraint of a value, or of each item that it holds."""
    bare, _, constraint = parts(hint)
    if constraint is not None:
        yield constraint, value
    if get_origin(bare) is tuple:
        yield from (found for item in value for found in _constrained(get_args(bare)[0], item))
    elif get_origin(bare) is Mapping:
        kinds = get_args(bare)
        yield from (found for pair in value.items() for at in (0, 1) for found in _constrained(kinds[at], pair[at]))


@dataclass(frozen=True, kw_only=True)
class Record:
    """A group of values, refused where one is wrong."""

    def __post_init__(self) -> None:
        check(self)
