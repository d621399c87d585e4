"""Values → plain data with the chart's keys: Helm's camelCase for the names of fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


def chart_key(name: str) -> str:
    """`max_model_len` → `maxModelLen`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def plain_values(record: Any) -> dict[str, Any]:
    """Every key of a group."""
    return {chart_key(field.name): _plain(getattr(record, field.name)) for field in dataclasses.fields(record)}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_item(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else plain_values(value) if _is_record(value) else value


def _item(value: Any) -> Any:
    """An item of a list becomes a part of a manifest as it stands: what is empty there is left out."""
    found = _plain(value)
    return {key: part for key, part in found.items() if part not in ("", {}, [])} if _is_record(value) else found


def _is_record(value: Any) -> bool:
    return dataclasses.is_dataclass(value)
