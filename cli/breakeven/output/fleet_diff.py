"""What a change costs, for a pull request: the headline first, below the length that a comment may have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from breakeven.core.cost_diff import CostDiff
from breakeven.core.fleet_diff import Change, FleetDiff
from breakeven.core.units import count
from breakeven.output import diff, money, table, verdict

SCHEMA: Final = "breakeven.cost_diff/1"

# A pipeline finds its comment by this line, and writes it anew.
MARKER: Final = "<!-- breakeven: cost-diff -->"

# GitHub takes 65,536 characters: https://github.com/pulumi/actions/issues/1387
MOST: Final = 64_000
_MOST_OF_TABLE: Final = 24_000
_MOST_REASONS: Final = 20
_LONGEST_NAME: Final = 120
_LONGEST_REASON: Final = 400

_HEADERS: Final = ["Deployment", "Before", "After", "Δ per month", "GPUs", "Requests/s", "Cheapest API", "Budget"]


def text(found: FleetDiff) -> str:
    rows = [[one.folder, *_row(one)[1:]] for one in found.priced]
    listed = [*(f"- ✗ {reason}" for reason in found.reasons), *(f"- {line}" for line in _budget_lines(found))]
    parts = [headline(found), table.text(_HEADERS, rows) if rows else "", _at_apis(found), "\n".join(listed)]
    return "\n\n".join(part for part in parts if part)


def markdown(found: FleetDiff) -> str:
    """Of a large fleet as much as fits, the largest changes first."""
    parts = [MARKER, f"### {headline(found)}", _verdict(found), _table(found), _note(found)]
    top = "\n\n".join(part for part in parts if part)
    return f"{top}{_details(found, MOST - len(top))}"


def headline(found: FleetDiff) -> str:
    """`+$8,000.00 a month: $9,500.00 → $17,500.00`."""
    total = found.total
    before, after = _bills(total)
    if not total.changed:
        return f"The bill stays {'' if total.unknown else 'at '}{after} a month"
    if total.delta_usd is None:
        return f"The change is unknown: {before} → {after} a month"
    return f"{money.delta(total.delta_usd)} a month: {before} → {after}"


def _bills(found: CostDiff) -> tuple[str, str]:
    sides = ((found.before_usd, found.unknown_before), (found.after_usd, found.unknown))
    before, after = (f"{'at least ' if unknown else ''}{money.usd(usd)}" for usd, unknown in sides)
    return before, after


def _at_apis(found: FleetDiff) -> str:
    """Also where no bill changes: traffic may have."""
    before, after = found.api_monthly_usd
    return f"The same traffic at the cheapest APIs: {_from_to(money.usd(before or after), money.usd(after))} a month"


def _verdict(found: FleetDiff) -> str:
    lines = [f"**Budget: {'within budget' if found.passes else 'refused'}**", ""]
    lines += [f"- ✗ {_plain(_cut(reason, _LONGEST_REASON))}" for reason in found.reasons[:_MOST_REASONS]]
    if more := found.reasons[_MOST_REASONS:]:
        lines.append(f"- … and {len(more):,} more")
    if loosened := _budget_lines(found):
        lines += [f"- {_plain(line)}" for line in loosened[:_MOST_REASONS]]
    return "\n".join(lines).rstrip()


def _budget_lines(found: FleetDiff) -> list[str]:
    """A change that moves its own limits has to say so."""
    own = [
        f"This change also changes the budget of {_name(one.folder)}." for one in found.changes if one.budget_changes
    ]
    return [*(["This change also changes the budget of the whole."] if found.budget_changes else []), *own]


def _table(found: FleetDiff) -> str:
    """The largest changes, as many as fit, and the total."""
    rows, length = [], 0
    for one in found.priced:
        rows.append([_plain(cell) for cell in _row(one)])
        length += sum(len(cell) + 3 for cell in rows[-1])
        if length > _MOST_OF_TABLE:
            break
    if not rows:
        return ""
    left = len(found.priced) - len(rows)
    more = f"\n\n… and {count(left, 'smaller change')}" if left else ""
    return f"{table.markdown(_HEADERS, [*rows, _total_row(found)])}{more}"


def _row(one: Change) -> list[str]:
    api = one.after.api if one.after else None
    return [
        _name(one.folder),
        *_bills(one.diff),
        money.delta(one.diff.delta_usd),
        _from_to(*(f"{gpus:,}" for gpus in one.gpus)),
        _from_to(*("unknown" if rate is None else f"{rate:,.2f}" for rate in one.requests_per_second)),
        f"{money.usd(api.monthly_usd)} ({api.comparator})" if api else "-",
        "✓" if one.verdict.passes else "✗",
    ]


def _total_row(found: FleetDiff) -> list[str]:
    gpus = [sum(one.gpus[side] for one in found.changes) for side in (0, 1)]
    cells = [
        "Total",
        *_bills(found.total),
        money.delta(found.total.delta_usd),
        _from_to(*(f"{count_:,}" for count_ in gpus)),
        "",
        money.usd(found.api_monthly_usd[1]),
        "✓" if found.passes else "✗",
    ]
    return [f"**{cell}**" if cell else "" for cell in cells]


def _note(found: FleetDiff) -> str:
    quiet = len(found.changes) - len(found.priced)
    same = f"{count(quiet, 'deployment')} with the same bill. " if quiet else ""
    prices = "Prices as the lock files recorded them; an API figure is the same traffic at the cheapest one."
    return f"{_at_apis(found)}. {same}{prices}"


def _details(found: FleetDiff, room: int) -> str:
    head, foot = "\n\n<details><summary>Arithmetic</summary>\n", "\n\n</details>"
    parts: list[str] = []
    left = room - len(head) - len(foot) - 100
    for number, one in enumerate(found.priced):
        part = "\n".join(_arithmetic(one))
        if len(part) > left:
            parts.append(f"\n… and {count(len(found.priced) - number, 'deployment')} more, in their lock files")
            break
        left -= len(part) + 1
        parts.append(part)
    return f"{head}{chr(10).join(parts)}{foot}" if parts else ""


def _arithmetic(one: Change) -> Iterator[str]:
    yield f"\n#### {_name(one.folder)}\n"
    yield _plain(diff.markdown(one.diff))
    after = one.after or one.before
    yield from _list(f"{line.name}: {line.source}" for line in (after.cost.lines if after else ()) if line.source)
    yield from _list(f"{api.comparator}: {money.usd(api.monthly_usd)}, {api.source}" for api in _apis(one))


def _apis(one: Change) -> Iterable[Any]:
    return one.after.apis if one.after else ()


def _list(lines: Iterable[str]) -> Iterator[str]:
    items = [f"- {_plain(line)}" for line in lines]
    if items:
        yield "\n" + "\n".join(items)


def _name(folder: str) -> str:
    """As code, which nothing in it ends."""
    return f"`{_cut(folder, _LONGEST_NAME).replace('`', '?').replace('<', '?')}`"


def _cut(text: str, most: int) -> str:
    """Printable, in one line, and no longer than that."""
    line = "".join(letter if letter.isprintable() else "?" for letter in text)
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _plain(text: str) -> str:
    """No HTML of others."""
    return text.replace("<", "&lt;")


def _from_to(before: str, after: str) -> str:
    return after if before == after else f"{before} → {after}"


def data(found: FleetDiff) -> dict[str, Any]:
    """JSON-ready, as docs/schemas/cost-diff.schema.json describes it; money as decimal strings."""
    before, after = found.api_monthly_usd
    return {
        "schema": SCHEMA,
        "passes": found.passes,
        "reasons": list(found.reasons),
        "total": {key: value for key, value in diff.data(found.total).items() if key not in ("lines",)},
        "api_monthly_usd": {"before": before and str(before), "after": after and str(after)},
        "budget": verdict.data(found.verdict),
        "budget_changes": found.budget_changes,
        "deployments": [_change_data(one) for one in found.priced],
        "unchanged": len(found.changes) - len(found.priced),
    }


def _change_data(one: Change) -> dict[str, Any]:
    side = one.after or one.before
    rates, gpus = one.requests_per_second, one.gpus
    return {
        "folder": one.folder,
        "team": side.team if side else None,
        "environment": side.environment if side else None,
        "gpus": {"before": gpus[0], "after": gpus[1]},
        "requests_per_second": {"before": rates[0], "after": rates[1]},
        "cost": diff.data(one.diff),
        "api": [{"comparator": api.comparator, "monthly_usd": str(api.monthly_usd)} for api in _apis(one)],
        "budget": verdict.data(one.verdict),
        "budget_changes": one.budget_changes,
    }
