"""What the plan serves, before → after → Δ, as text, Markdown or JSON. What does not change is left out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from breakeven.core.served import ServedLine
from breakeven.output import money, table

_HEADERS: Final = ["Serves", "Before", "After", "Δ", "Δ %"]
_NAMES: Final = {
    "requests_per_second": "requests/s within the objective",
    "kv_tokens": "tokens of KV cache",
    "concurrency": "requests at once, at most",
}


def text(serves: Sequence[ServedLine]) -> str:
    """`It serves 5.04 → 10.09 requests/s within the objective (+100.0 %), …`: one line beside the bill."""
    rows = _rows(serves)
    parts = [
        f"{before} → {after} {name}{f' ({percent})' if percent else ''}" for name, before, after, _, percent in rows
    ]
    return f"It serves {', '.join(parts)}." if parts else ""


def markdown(serves: Sequence[ServedLine]) -> str:
    rows = _rows(serves)
    return table.markdown(_HEADERS, rows) if rows else ""


def data(serves: Sequence[ServedLine]) -> dict[str, Any]:
    """JSON-ready; null where it is not known."""
    return {line.name: {"before": line.before, "after": line.after, "delta": line.delta} for line in serves}


def _rows(serves: Sequence[ServedLine]) -> list[list[str]]:
    return [_row(line) for line in serves if line.delta != 0]


def _row(line: ServedLine) -> list[str]:
    sign = "+" if line.delta is not None and line.delta > 0 else ""
    share = Decimal(repr(line.delta / line.before * 100)) if line.before and line.delta is not None else None
    figures = [_figure(line, value) for value in (line.before, line.after, line.delta)]
    return [_NAMES[line.name], *figures[:2], f"{sign}{figures[2]}", money.percent(share)]


def _figure(line: ServedLine, value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:,.2f}" if line.name == "requests_per_second" else f"{value:,.0f}"
