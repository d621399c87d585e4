"""Before → after → Δ per month, as text, Markdown or JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from breakeven.core.cost_diff import CostDiff, DiffLine
from breakeven.output import money, table

_HEADERS: Final = ["", "Before", "After", "Δ per month", "Δ %", "How"]


def text(diff: CostDiff) -> str:
    """Lines with their arithmetic, the total, and a sentence that says which way it goes."""
    return f"{table.text(_HEADERS, _rows(diff))}\n\n{sentence(diff)}"


def markdown(diff: CostDiff) -> str:
    """The sentence first: it is what a reviewer reads."""
    *lines, total = _rows(diff)
    bold = [f"**{cell}**" if cell else "" for cell in total]
    return f"**{sentence(diff)}**\n\n{table.markdown(_HEADERS, [*lines, bold])}"


def data(diff: CostDiff) -> dict[str, Any]:
    """JSON-ready: money as decimal strings. An unknown price is null, and its side's total then `at_least` that."""
    return {
        "before": _side_data(diff.total.before_usd, diff.known.before_usd),
        "after": _side_data(diff.total.after_usd, diff.known.after_usd),
        "delta_monthly_usd": _string(diff.total.delta_usd),
        "lines": [_line_data(line) for line in diff.lines],
    }


def sentence(diff: CostDiff) -> str:
    """`The bill rises by $8,000.00 to $17,500.00 a month.`"""
    delta, after = diff.total.delta_usd, _total(diff.total.after_usd, diff.known.after_usd)
    if delta is None:
        missing = [line.name for line in diff.lines if line.delta_usd is None]
        return f"The bill becomes {after} a month; the price of {', '.join(missing)} is unknown."
    if delta == 0:
        return f"The bill stays at {after} a month."
    return f"The bill {'rises' if delta > 0 else 'falls'} by {money.usd(abs(delta))} to {after} a month."


def _rows(diff: CostDiff) -> list[list[str]]:
    total = [
        "Total",
        _total(diff.total.before_usd, diff.known.before_usd),
        _total(diff.total.after_usd, diff.known.after_usd),
        money.delta(diff.total.delta_usd),
        money.percent(diff.total.delta_percent),
        "",
    ]
    return [*(_row(line) for line in diff.lines), total]


def _row(line: DiffLine) -> list[str]:
    return [
        line.name,
        money.usd(line.before_usd),
        money.usd(line.after_usd),
        money.delta(line.delta_usd),
        money.percent(line.delta_percent),
        line.detail,
    ]


def _total(total: Decimal | None, known: Decimal | None) -> str:
    return f"at least {money.usd(known)}" if total is None else money.usd(total)


def _side_data(total: Decimal | None, known: Decimal | None) -> dict[str, Any]:
    return {"monthly_usd": str(known), "at_least": total is None}


def _line_data(line: DiffLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "before_monthly_usd": _string(line.before_usd),
        "after_monthly_usd": _string(line.after_usd),
        "delta_monthly_usd": _string(line.delta_usd),
        "delta_percent": None if line.delta_percent is None else f"{line.delta_percent:.1f}",
        "detail": line.detail,
    }


def _string(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
