"""The bills of a fleet, as tables by team and by environment, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from breakeven.core.fleet_cost import NONE, Bill, Group, by, total
from breakeven.output import money, table

SCHEMA: Final = "breakeven.fleet_cost/1"

_HEADERS: Final = ["Deployments", "GPUs", "Per month", "Per year", "Same traffic at the cheapest API"]


def render(output: str, bills: Sequence[Bill], over: Sequence[str], at: date) -> str:
    """By the value of `-o`: "table" or "markdown". `over` says which limits the whole exceeds."""
    all_of_them = total("Total", bills)
    parts = [
        *(_table(output, title, groups, all_of_them) for title, groups in _groupings(bills)),
        _budget(bills, over),
        f"Prices of {at}",
    ]
    return "\n\n".join(part for part in parts if part)


def _groupings(bills: Sequence[Bill]) -> Iterator[tuple[str, Sequence[Group]]]:
    """By team and by environment; by deployment where no file names either."""
    named = {"Team": by(bills, lambda one: one.team), "Environment": by(bills, lambda one: one.environment)}
    told = {title: groups for title, groups in named.items() if any(group.name != NONE for group in groups)}
    yield from (told or {"Deployment": by(bills, lambda one: one.folder)}).items()


def _budget(bills: Sequence[Bill], over: Sequence[str]) -> str:
    """What exceeds its limits; empty where nothing does."""
    own = (f"{one.folder}: {reason}" for one in bills for reason in one.over_budget)
    return "\n".join(f"- ✗ {reason}" for reason in (*over, *own))


def _table(output: str, title: str, groups: Sequence[Group], all_of_them: Group) -> str:
    last = _row(all_of_them)
    if output == "markdown":
        last = [f"**{cell}**" for cell in last]
    return table.render(output, [title, *_HEADERS], [*(_row(group) for group in groups), last])


def _row(group: Group) -> list[str]:
    at_least = "at least " if group.at_least else ""
    usd = (group.monthly_usd, group.monthly_usd * 12)
    figures = (f"{at_least}{money.usd(amount)}" for amount in usd)
    return [group.name, f"{group.deployments:,}", f"{group.gpus:,}", *figures, money.usd(group.api_monthly_usd)]


def data(bills: Sequence[Bill], over: Sequence[str], at: date) -> dict[str, Any]:
    """JSON-ready: money as decimal strings, unknown as null."""
    return {
        "schema": SCHEMA,
        "prices_at": at.isoformat(),
        "total": _group(total("Total", bills)),
        "over_budget": list(over),
        "teams": [_group(group) for group in by(bills, lambda one: one.team)],
        "environments": [_group(group) for group in by(bills, lambda one: one.environment)],
        "deployments": [_bill(one) for one in bills],
    }


def _group(group: Group) -> dict[str, Any]:
    api = None if group.api_monthly_usd is None else str(group.api_monthly_usd)
    return {
        "name": group.name,
        "deployments": group.deployments,
        "gpus": group.gpus,
        "monthly_usd": str(group.monthly_usd),
        "at_least": group.at_least,
        "api_monthly_usd": api,
    }


def _bill(one: Bill) -> dict[str, Any]:
    return {
        "folder": one.folder,
        "team": one.team,
        "environment": one.environment,
        "profile": one.profile,
        "gpus": one.gpus,
        "monthly_usd": str(one.monthly_usd),
        "unknown": list(one.unknown),
        "over_budget": list(one.over_budget),
        "api_monthly_usd": None if one.api_monthly_usd is None else str(one.api_monthly_usd),
    }
