"""Before → after → Δ per month, with what changed of each line, as text, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from breakeven.core.cost_diff import CostDiff, DiffLine
from breakeven.core.units import count
from breakeven.output import money, table

# Makes text of a colour, named as terminals do.
Paint = Callable[[str, str], str]

_HEADERS: Final = ["", "", "Before", "After", "Δ per month", "Δ %", "How"]
_SIGNS: Final = {"added": "+", "changed": "~", "removed": "-", "unchanged": " "}
_COLOURS: Final = {"+": "green", "~": "yellow", "±": "yellow", "-": "red"}


def plain(text: str, colour: str) -> str:
    """Paint for what is no terminal."""
    return text


def signed(line: str, sign: str, paint: Paint) -> str:
    """A line in the colour of its sign."""
    return paint(line, _COLOURS[sign]) if sign in _COLOURS else line


def text(diff: CostDiff, paint: Paint = plain) -> str:
    """Lines that change with their arithmetic, the others in one, the total; where none changes the sentence alone."""
    if not diff.changed:
        return sentence(diff)
    header, *rows = table.text(_HEADERS, _rows(diff)).splitlines()
    lines = [header, *(signed(row, row[0], paint) for row in rows)]
    return "\n".join([*lines, "", paint(sentence(diff), _way(diff))])


def markdown(diff: CostDiff) -> str:
    """The sentence first: it is what a reviewer reads."""
    if not diff.changed:
        return f"**{sentence(diff)}**"
    *lines, total = _rows(diff)
    bold = [f"**{cell}**" if cell.strip() else "" for cell in total]
    return f"**{sentence(diff)}**\n\n{table.markdown(_HEADERS, [*lines, bold])}"


def data(diff: CostDiff) -> dict[str, Any]:
    """JSON-ready: money as decimal strings. An unknown price is null, and its side's total then `at_least` that."""
    return {
        "before": {"monthly_usd": str(diff.before_usd), "at_least": bool(diff.unknown_before)},
        "after": {"monthly_usd": str(diff.after_usd), "at_least": bool(diff.unknown)},
        "delta_monthly_usd": _string(diff.delta_usd),
        "delta_percent": _percent(diff.delta_percent),
        "unknown": list(diff.unknown),
        "lines": [_line_data(line) for line in diff.lines],
    }


def sentence(diff: CostDiff) -> str:
    """`The bill rises by $8,000.00 to $17,500.00 a month.`"""
    after, delta = _total(diff.after_usd, diff.unknown), diff.delta_usd
    unknown = _unknown(diff)
    if delta is None:
        return f"The bill becomes {after} a month{unknown}."
    if delta == 0:
        return f"The bill stays {'' if diff.unknown else 'at '}{after} a month{unknown}."
    return f"The bill {'rises' if delta > 0 else 'falls'} by {money.usd(abs(delta))} to {after} a month{unknown}."


def drift(diff: CostDiff) -> str:
    """What prices alone did since the last apply; empty where nothing."""
    if not diff.changed:
        return ""
    what = "; ".join(f"{line.name} {_from_to(line)}{_bracketed(line)}" for line in diff.changed)
    return f"Prices since the last apply: {money.delta(diff.delta_usd)} a month for the same plan: {what}"


def _rows(diff: CostDiff) -> list[list[str]]:
    total = [
        " ",
        "Total",
        _total(diff.before_usd, diff.unknown_before),
        _total(diff.after_usd, diff.unknown),
        money.delta(diff.delta_usd),
        money.percent(diff.delta_percent),
        "",
    ]
    return [*(_row(line) for line in diff.changed), *_unchanged(diff), total]


def _row(line: DiffLine) -> list[str]:
    return [
        _SIGNS[line.kind],
        line.name,
        money.usd(line.before_usd),
        money.usd(line.after_usd),
        money.delta(line.delta_usd),
        money.percent(line.delta_percent),
        f"{line.detail}{_bracketed(line)}",
    ]


def _unchanged(diff: CostDiff) -> list[list[str]]:
    """All in one row, so that columns still add up."""
    if not diff.unchanged:
        return []
    usd = sum((line.after_usd for line in diff.unchanged if line.after_usd is not None), Decimal("0.00"))
    unknown = [line.name for line in diff.unchanged if line.after_usd is None]
    same = _total(usd, unknown)
    names = "; ".join(line.name for line in diff.unchanged)
    return [[" ", f"{len(diff.unchanged)} unchanged", same, same, money.delta(Decimal(0)), "", names]]


def _bracketed(line: DiffLine) -> str:
    """` (nodes 1 → 2)`."""
    changes = ", ".join(f"{one.name} {one.before or '-'} → {one.after or '-'}" for one in line.changes)
    return f" ({changes})" if changes else ""


def _from_to(line: DiffLine) -> str:
    return f"{money.usd(line.before_usd)} → {money.usd(line.after_usd)}"


def _way(diff: CostDiff) -> str:
    return "green" if diff.delta_usd is not None and diff.delta_usd < 0 else "yellow"


def _unknown(diff: CostDiff) -> str:
    """How many prices are unknown, and whose."""
    names = diff.unknown or diff.unknown_before
    if not names:
        return ""
    when = "" if diff.unknown else " before"
    return f"; {count(len(names), 'price')} {'is' if len(names) == 1 else 'are'} unknown{when}: {', '.join(names)}"


def _total(known: Decimal, unknown: Sequence[str]) -> str:
    return f"at least {money.usd(known)}" if unknown else money.usd(known)


def _line_data(line: DiffLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "kind": line.kind,
        "before_monthly_usd": _string(line.before_usd),
        "after_monthly_usd": _string(line.after_usd),
        "delta_monthly_usd": _string(line.delta_usd),
        "delta_percent": _percent(line.delta_percent),
        "changes": [{"name": one.name, "before": one.before, "after": one.after} for one in line.changes],
        "detail": line.detail,
    }


def _string(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _percent(share: Decimal | None) -> str | None:
    return None if share is None else f"{share:.1f}"
