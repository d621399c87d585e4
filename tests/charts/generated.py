"""What is generated from the types of the chart's values: its schema, its documented defaults, its README's table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin

from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.fields import hints, parts
from breakeven.core.chart.plain import chart_key, plain_values
from breakeven.core.chart.rules import RULES
from breakeven.core.chart.storage import Weights
from breakeven.core.chart.values import Values

Schema = dict[str, Any]

_PLAIN = {str: "string", bool: "boolean", int: "integer", float: "number"}


def schema() -> Schema:
    """Draft-07, which Helm understands. Helm itself adds `global`."""
    found = _record(Values)
    found["properties"] = {"global": {"type": "object", "additionalProperties": False}, **found["properties"]}
    comment = "Generated from breakeven.core.chart: make golden"
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "$comment": comment, "title": "Values of the chart"}
    return {**head, **found, "allOf": list(RULES)}


def _record(record: type, *, item: bool = False) -> Schema:
    """Helm merges groups with the defaults, so all keys are there; it does not merge the items of lists."""
    needed = [chart_key(field.name) for field in fields(record) if not (item and _has_default(field))]
    properties = {chart_key(name): _described(hint) for name, hint in hints(record).items()}
    required = {"required": needed} if needed else {}
    return {"type": "object", "additionalProperties": False, **required, "properties": properties}


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _described(hint: Any) -> Schema:
    description = parts(hint)[1]
    return {"description": description, **_schema(hint)} if description else _schema(hint)


def _schema(hint: Any, *, item: bool = False) -> Schema:
    bare, _, constraint = parts(hint)
    if is_dataclass(bare) and isinstance(bare, type):
        return _record(bare, item=item)
    if get_origin(bare) is Literal:
        return {"enum": list(get_args(bare))}
    if get_origin(bare) is tuple:
        held = {"type": "array", "items": _schema(get_args(bare)[0], item=True)}
        return held | (constraint.schema() if constraint else {})
    if get_origin(bare) is Mapping:
        return _mapping(*get_args(bare))
    return {"type": _PLAIN[bare], **(constraint.schema() if constraint else {})}


def _mapping(key: Any, value: Any) -> Schema:
    _, _, constraint = parts(key)
    assert constraint is not None
    pattern = constraint.schema()["pattern"]
    return {"type": "object", "additionalProperties": False, "patternProperties": {pattern: _schema(value)}}


def defaults_yaml() -> str:
    """values.yaml: each key with its default, below what it is."""
    head = [
        "# Plain values only. `deploy` computes every number; the defaults here are one A100 with Qwen/Qwen3-8B.",
        "# Generated from breakeven.core.chart: make golden",
    ]
    groups = ("\n".join(_documented(Values(), name, 0)) for name in hints(Values))
    return "\n\n".join(["\n".join(head), *groups]) + "\n"


def _documented(record: Any, name: str, depth: int) -> Iterator[str]:
    value, pad = getattr(record, name), "  " * depth
    yield f"{pad}# -- {parts(hints(type(record))[name])[1]}"
    if not is_dataclass(value):
        yield f"{pad}{chart_key(name)}: {_shown(plain_values(record)[chart_key(name)])}"
        return
    yield f"{pad}{chart_key(name)}:"
    for inner in hints(type(value)):
        yield from _documented(value, inner, depth + 1)


def _shown(value: Any) -> str:
    """Text without quotes where YAML reads it as text."""
    is_word = isinstance(value, str) and value and value not in ("true", "false", "null") and not value[0].isdigit()
    return str(value) if is_word else json.dumps(value)


Spelling = Callable[[str], str]


def table() -> list[str]:
    """The README's table of every key."""
    return _table(_rows(Values(), "", chart_key))


def deployment_table() -> list[str]:
    """The keys of deploy.yaml that reach the chart."""
    return _table([*_rows(Weights(), "weights.", str), *_rows(ChartChoices(), "chart.", str)])


def _table(rows: Iterable[str]) -> list[str]:
    return ["| Key | Default | What it is |", "| --- | --- | --- |", *rows]


def _rows(record: Any, prefix: str, spelling: Spelling) -> Iterator[str]:
    for name, hint in hints(type(record)).items():
        value, key = getattr(record, name), prefix + spelling(name)
        if is_dataclass(value):
            yield from _rows(value, f"{key}.", spelling)
        else:
            default = _shown(plain_values(record)[chart_key(name)])
            yield f"| `{key}` | `{default}` | {_cell(hint)} |"
            yield from _item_rows(hint, f"{key}[].", spelling)


def _item_rows(hint: Any, prefix: str, spelling: Spelling) -> Iterator[str]:
    """The keys of a list's items, which have no default where they are required."""
    bare, _, _ = parts(hint)
    item = parts(get_args(bare)[0])[0] if get_origin(bare) is tuple else None
    if not (item and is_dataclass(item) and isinstance(item, type)):
        return
    for field in fields(item):
        inner = hints(item)[field.name]
        default = "required" if not _has_default(field) else f"`{_shown(_default(field))}`"
        yield f"| `{prefix}{spelling(field.name)}` | {default} | {_cell(inner)} |"
        yield from _item_rows(inner, f"{prefix}{spelling(field.name)}[].", spelling)


def _default(field: Field[Any]) -> Any:
    made = field.default_factory() if field.default_factory is not MISSING else field.default
    return list(made) if isinstance(made, tuple) else made


def _cell(hint: Any) -> str:
    bare, said, _ = parts(hint)
    choices = [choice for choice in get_args(bare) if choice] if get_origin(bare) is Literal else []
    listed = f" ({', '.join(f'`{choice}`' for choice in choices)})" if len(choices) > 1 else ""
    return said.replace("|", "\\|") + listed
