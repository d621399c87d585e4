"""How old a price is on a day that the caller names; the core has no clock."""

from __future__ import annotations

from datetime import date
from typing import Final

# GPU prices moved by 12 to 60 % within weeks in 2026: docs/cost.md.
STALE_AFTER_DAYS: Final = 60


def age_days(checked: date, at: date) -> int:
    """Below 0 where it was checked after that day."""
    return (at - checked).days


def is_stale(checked: date, at: date) -> bool:
    """Checked so long before the day, or so long after it, that the price of the day may well be another."""
    return abs(age_days(checked, at)) > STALE_AFTER_DAYS
