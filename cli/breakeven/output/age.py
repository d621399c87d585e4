"""The day on which a price was checked, and a mark on one that is too old to trust."""

from __future__ import annotations

from datetime import date
from typing import Any

from breakeven.core.age import age_days, is_stale


def checked(day: date, at: date) -> str:
    """`2026-11-09`, or `2026-05-07 (stale: 201 days old)`."""
    return f"{day} ({mark})" if (mark := stale(day, at)) else day.isoformat()


def stale(day: date, at: date) -> str:
    """`stale: 201 days old`; nothing for a price that is not. One of a later day is as doubtful."""
    if not is_stale(day, at):
        return ""
    days = age_days(day, at)
    return f"stale: {days} days old" if days > 0 else f"stale: checked {-days} days later"


def data(day: date | None, at: date) -> dict[str, Any]:
    """JSON-ready; null where the user's own figure has no date."""
    if day is None:
        return {"age_days": None, "stale": None}
    return {"age_days": age_days(day, at), "stale": is_stale(day, at)}
